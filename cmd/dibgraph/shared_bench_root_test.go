package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// BenchmarkSharedCache is what a fresh machine spends to have debian-minimal that
// another one built, through each kind of remote on this machine: seconds of the
// cold build there, of the full hit here, and of one with 30 ms added to every
// request, the requests, and the bytes beside the image; then the bytes that move
// when one hook was edited there, as a part of the image and what it changed.
func BenchmarkSharedCache(b *testing.B) {
	testroot.Require(b)
	for name, start := range sharedPlaces {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				shareOnce(b, start(b))
			}
			b.ReportMetric(0, "ns/op") // says nothing beside the rest
		})
	}
}

const addedLatency = 30 * time.Millisecond

func shareOnce(b *testing.B, place sharedPlace) {
	b.Helper()
	m := &benchMachine{b: b, dir: b.TempDir(), place: place}
	m.write("elements/app/install.d/98-app", "#!/bin/sh\necho one > /etc/app\n")
	m.run(nil, "cache", "keygen", "ci", "--out", "ci.key")
	cold := m.give()
	image := m.size("image.qcow2")
	place.since()
	hit := m.get("first")
	requests, bytes := 0, int64(0)
	if place.meter != nil {
		list, moved := place.meter.since()
		requests, bytes = len(list), moved
		place.meter.delay = addedLatency
	}
	late := m.get("second")
	if place.meter != nil {
		place.meter.delay = 0
	}

	m.write("elements/app/install.d/98-app", "#!/bin/sh\nhead -c 1000000 /dev/urandom > /etc/app\n")
	m.give()
	if place.meter != nil {
		place.meter.since()
	}
	m.get("first")
	if place.meter != nil {
		_, moved := place.meter.since()
		b.ReportMetric(float64(moved)/float64(m.size("image.qcow2")+1_000_000), "moved/changed")
		b.ReportMetric(float64(requests), "requests")
		b.ReportMetric(float64(bytes-image)/1000, "beside-kB")
	}
	b.ReportMetric(cold.Seconds(), "cold-s")
	b.ReportMetric(hit.Seconds(), "hit-s")
	b.ReportMetric(100*hit.Seconds()/cold.Seconds(), "hit-%")
	b.ReportMetric((late - hit).Seconds(), "30ms-s")
}

// A benchMachine builds one image, with a store for each name.
type benchMachine struct {
	b     *testing.B
	dir   string
	place sharedPlace
}

func (m *benchMachine) give() time.Duration {
	return m.run([]string{"DIBGRAPH_CACHE=" + m.dir + "/maker"}, "build", "-o", "image", "--cache-to", m.place.address,
		"--cache-sign-key", "ci.key", "debian-minimal", "vm", "app")
}

// get builds with another store, and fails if a hook runs.
func (m *benchMachine) get(store string) time.Duration {
	m.b.Helper()
	public := publicKey(m.b, filepath.Join(m.dir, "ci.key"))
	return m.run([]string{"DIBGRAPH_CACHE=" + m.dir + "/" + store}, "build", "-o", "image", "--require-cached",
		"--cache-from", m.place.address, "--cache-trust", public, "debian-minimal", "vm", "app")
}

func (m *benchMachine) run(env []string, args ...string) time.Duration {
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
	return took
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
