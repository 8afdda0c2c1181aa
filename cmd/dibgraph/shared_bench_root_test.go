package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// BenchmarkSharedCache is what a fresh machine spends to have debian-minimal that
// another one built, through each kind of remote on this machine: seconds of the
// cold build there, of the full hit here, and of one with 30 ms added to every
// request, the requests, and the bytes beside the image; then the bytes that move
// when one hook was edited there, as a part of the image and what it changed. The
// cold build is one for all.
func BenchmarkSharedCache(b *testing.B) {
	testroot.Require(b)
	m := &benchMachine{b: b, dir: b.TempDir()}
	m.run(nil, "cache", "keygen", "ci", "--out", "ci.key")
	m.hook("echo one > /etc/app")
	cold, _ := m.build("maker")
	for _, kind := range slices.Sorted(maps.Keys(sharedPlaces)) {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				m.share(b, sharedPlaces[kind](b), cold)
			}
			b.ReportMetric(0, "ns/op") // says nothing beside the rest
		})
	}
}

const addedLatency = 30 * time.Millisecond

// share has the image go through a place, and then the one after an edit.
func (m *benchMachine) share(b *testing.B, place sharedPlace, cold time.Duration) {
	b.Helper()
	m.b, m.place = b, place
	m.hook("echo one > /etc/app")
	m.give()
	image := m.size("image.qcow2")
	hit, moved := m.get("first")
	if place.meter != nil {
		place.meter.delay = addedLatency
		late, _ := m.get("second")
		place.meter.delay = 0
		b.ReportMetric((late - hit).Seconds(), "30ms-s")
	}

	m.hook("head -c 1000000 /dev/urandom > /etc/app")
	m.give()
	_, change := m.get("first")
	b.ReportMetric(float64(change.bytes)/float64(m.size("image.qcow2")+1_000_000), "moved/changed")
	b.ReportMetric(float64(moved.requests), "requests")
	b.ReportMetric(float64(moved.bytes-image)/1000, "beside-kB")
	b.ReportMetric(cold.Seconds(), "cold-s")
	b.ReportMetric(hit.Seconds(), "hit-s")
	b.ReportMetric(100*hit.Seconds()/cold.Seconds(), "hit-%")
	for _, store := range []string{"first", "second"} {
		if err := os.RemoveAll(filepath.Join(m.dir, store)); err != nil {
			b.Fatal(err)
		}
	}
}

// A benchMachine builds one image, with a store for each name.
type benchMachine struct {
	b     *testing.B
	dir   string
	place sharedPlace
}

// traffic is what a build asked for and got. Of a directory it is what the build
// said, rounded.
type traffic struct {
	requests int
	bytes    int64
}

// hook writes the one hook of the element app.
func (m *benchMachine) hook(command string) {
	m.b.Helper()
	m.write("elements/app/install.d/98-app", "#!/bin/sh\n"+command+"\n")
}

// build builds with a store, and returns how long that took and what it said.
func (m *benchMachine) build(store string, args ...string) (time.Duration, string) {
	m.b.Helper()
	env := append([]string{"DIBGRAPH_CACHE=" + m.dir + "/" + store}, m.place.env...)
	return m.run(env, slices.Concat([]string{"build", "-o", "image"}, args, []string{"debian-minimal", "vm", "app"})...)
}

// give builds where everything is, and stores it in the place.
func (m *benchMachine) give() {
	m.b.Helper()
	m.build("maker", "--cache-to", m.place.address, "--cache-sign-key", "ci.key")
}

// get builds with another store, and fails if a hook runs.
func (m *benchMachine) get(store string) (time.Duration, traffic) {
	m.b.Helper()
	m.place.since()
	took, said := m.build(store, "--require-cached", "--cache-from", m.place.address, "--cache-trust", publicKey(m.b, filepath.Join(m.dir, "ci.key")))
	if m.place.meter == nil {
		requests, _, most := saidDown(m.b, said)
		return took, traffic{requests, most}
	}
	requests, bytes := m.place.meter.since()
	return took, traffic{len(requests), bytes}
}

func (m *benchMachine) run(env []string, args ...string) (time.Duration, string) {
	m.b.Helper()
	cmd := exec.CommandContext(m.b.Context(), "/proc/self/exe")
	cmd.Args = append([]string{"dibgraph"}, args...)
	cmd.Dir = m.dir
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "HOME="+m.dir, "DIB_RELEASE="+release, "ELEMENTS_PATH="+m.dir+"/elements")
	started := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(started)
	if err != nil {
		m.b.Fatalf("dibgraph %q: %v\n%s", args, err, out)
	}
	if args[0] == "cache" {
		m.write("public", string(out))
	}
	return took, string(out)
}

func (m *benchMachine) write(name, text string) {
	m.b.Helper()
	at := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		m.b.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o755); err != nil {
		m.b.Fatal(err)
	}
}

func (m *benchMachine) size(name string) int64 {
	m.b.Helper()
	info, err := os.Stat(filepath.Join(m.dir, name))
	if err != nil {
		m.b.Fatal(err)
	}
	return info.Size()
}

// publicKey finds the public key that was printed when a secret one was made.
func publicKey(b *testing.B, secret string) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(secret), "public"))
	if err != nil {
		b.Fatal(err)
	}
	return publicForm.FindString(string(text))
}
