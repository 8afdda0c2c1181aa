package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// What one machine built of debian-minimal, another has for one pack and the
// image, from any kind of remote. After an edit of the last hook of install.d it
// gets the layers that this one works on and no other, and runs what the first
// machine runs, which has everything.
func TestSharedCacheDebian(t *testing.T) {
	a := newProgram(t)
	a.env = append(a.env, "DIB_RELEASE="+release)
	secret, public := a.keys()
	const hook = "install.d/99-web"
	a.write("elements/web/"+hook, "#!/bin/sh\necho one > /etc/web\n")
	build := []string{"build", "debian-minimal", "vm", "web"}
	give := slices.Concat(build, []string{"--cache-sign-key", secret})
	kinds := slices.Sorted(maps.Keys(sharedPlaces))
	places := make(map[string]sharedPlace)
	for _, kind := range kinds {
		places[kind] = sharedPlaces[kind](t)
		give = append(give, "--cache-to", places[kind].address)
		a.env = append(a.env, places[kind].env...)
	}
	started := time.Now()
	a.run(give...)
	cold := time.Since(started)
	t.Logf("cold, and sent to %d remotes: %.1f s", len(kinds), cold.Seconds())
	a.tool("mv", "image.qcow2", "first.qcow2")

	takers := make(map[string]*taker)
	for _, kind := range kinds {
		b := newTaker(a, "store-"+kind, places[kind], public, build)
		takers[kind] = b
		t.Run("all/"+kind, func(t *testing.T) {
			started := time.Now()
			b.checkHit(t)
			took := time.Since(started)
			t.Logf("%.1f s, %.1f %% of the cold build", took.Seconds(), 100*took.Seconds()/cold.Seconds())
			a.tool("cmp", "image.qcow2", "first.qcow2")
		})
	}

	a.write("elements/web/"+hook, "#!/bin/sh\necho two > /etc/web\n")
	a.run(build...)
	there := a.last()
	if runs := ran(there); len(runs) == 0 || runs[0] != hook {
		t.Errorf("after the edit of %s ran %q", hook, runs)
	}
	a.tool("mv", "image.qcow2", "second.qcow2")
	for _, kind := range kinds {
		t.Run("edit/"+kind, func(t *testing.T) {
			takers[kind].checkEdit(t, there)
			difference, _ := a.run("diff", "image.qcow2", "second.qcow2")
			if strings.Count(difference, "no difference") != 2 {
				t.Errorf("the image is another one:\n%s", difference)
			}
		})
	}
}
