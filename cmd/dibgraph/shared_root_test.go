package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// keys makes a pair of keys, and returns the file of the secret one and the
// public one.
func (p *program) keys() (secret, public string) {
	p.t.Helper()
	secret = p.path("ci.key")
	out, _ := p.run("cache", "keygen", "ci", "--out", secret)
	return secret, publicForm.FindString(out)
}

// publicForm is a public key as "cache keygen" prints it.
var publicForm = regexp.MustCompile(`ci\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+`)

// elsewhere is another machine with the same elements.
func (p *program) elsewhere(name string) *program {
	q := *p
	q.env = append(append([]string(nil), p.env...), "DIBGRAPH_CACHE="+p.path(name))
	return &q
}

var ranCount = regexp.MustCompile(`image: (nothing|\d+) ran`)

// ranNodes returns how many nodes a build ran, by what it said.
func ranNodes(t *testing.T, said string) int {
	t.Helper()
	m := ranCount.FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("it is not said what ran:\n%s", said)
	}
	n, _ := strconv.Atoi(m[1]) // nothing is 0
	return n
}

// What one machine built another has, for one pack and the image; after an edit
// it gets what it needs and runs what changed.
func TestSharedCache(t *testing.T) {
	for name, start := range sharedPlaces {
		t.Run(name, func(t *testing.T) {
			a := newProgram(t)
			place := start(t)
			a.env = append(a.env, place.env...)
			secret, public := a.keys()
			a.write("elements/app/install.d/50-first", "#!/bin/sh\nhead -c 300000 /dev/urandom > /etc/first\n")
			a.write("elements/app/install.d/60-last", "#!/bin/sh\necho one > /etc/last\n")
			build := []string{"build", "-n", "-t", "qcow2", "tiny", "app"}
			give := slices.Concat(build, []string{"--cache-to", place.address, "--cache-sign-key", secret})
			a.run(give...)
			a.tool("mv", "image.qcow2", "first.qcow2")
			b := newTaker(a, "other-store", place, public, build)
			b.checkHit(t)
			a.tool("cmp", "image.qcow2", "first.qcow2")

			// An edit of the last hook runs that one and what makes the image.
			a.write("elements/app/install.d/60-last", "#!/bin/sh\necho two > /etc/last\n")
			a.run(build...)
			b.checkEdit(t, a.last())

			// Once it is sent, a third machine has it, too.
			a.run(give...)
			newTaker(a, "third-store", place, public, build).checkHit(t)

			// Without the key nothing is believed, unless it is a directory of ours.
			_, said := a.elsewhere("stranger").run(append(build, "--cache-from", place.address)...)
			if n := ranNodes(t, said); (n == 0) != (name == "dir") {
				t.Errorf("%d nodes ran without the key:\n%s", n, said)
			}
			if why, _ := a.elsewhere("stranger").run("explain", "--all"); name != "dir" && !strings.Contains(why, "not trusted") {
				t.Errorf("explain does not say that it is not trusted:\n%s", why)
			}
		})
	}
}

// A remote that is down is left out, and the build goes on without.
func TestSharedCacheIsDown(t *testing.T) {
	p := newProgram(t)
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	address := "http" + strings.TrimPrefix(down.URL, "http") + "/cache"
	_, said := p.run("build", "-n", "-t", "tar", "--cache-from", address, "--cache-to", address, "tiny", "app")
	if n := strings.Count(said, "left out"); n != 1 {
		t.Errorf("said %d times that it is left out:\n%s", n, said)
	}
	if why, _ := p.run("explain", "--all"); !strings.Contains(why, address) {
		t.Errorf("explain does not name the remote:\n%s", why)
	}
}
