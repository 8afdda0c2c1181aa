package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// BenchmarkEditToImage is what an element author waits for: a hook that runs
// last in install.d is edited, and the qcow2 image of debian-minimal is made
// again. It reports, from the same run, the cold build before it, the rebuild
// after a change of what the hook writes, the one after a comment, and the one
// after nothing.
func BenchmarkEditToImage(b *testing.B) {
	testroot.Require(b)
	var cold, edit, comment, null time.Duration
	for b.Loop() {
		dir := b.TempDir()
		hook := filepath.Join(dir, "elements/app/install.d/99-app")
		build := func(text string) time.Duration {
			b.Helper()
			if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(hook, []byte("#!/bin/bash\n"+text+"\n"), 0o755); err != nil {
				b.Fatal(err)
			}
			cmd := exec.CommandContext(b.Context(), "/proc/self/exe")
			cmd.Args = []string{"dibgraph", "build", "--cache-dir", filepath.Join(dir, "store"), "--elements-path", filepath.Join(dir, "elements"),
				"-o", filepath.Join(dir, "image"), "debian-minimal", "vm", "app"}
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "DIB_RELEASE=" + release}
			started := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			return time.Since(started)
		}
		cold += build("echo 1 > /etc/app.conf")
		edit += build("echo 2 > /etc/app.conf")
		comment += build("echo 2 > /etc/app.conf # two")
		null += build("echo 2 > /etc/app.conf # two")
	}
	report := func(name string, total time.Duration) { b.ReportMetric(total.Seconds()/float64(b.N), name+"-s") }
	report("cold", cold)
	report("edit", edit)
	report("comment", comment)
	report("null", null)
	b.ReportMetric(100*edit.Seconds()/cold.Seconds(), "edit/cold-%")
	b.ReportMetric(0, "ns/op") // says nothing beside these
}
