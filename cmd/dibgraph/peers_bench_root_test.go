package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// A peer builds debian-minimal vm, with an element of two hooks besides.
type peer struct {
	name string
	args []string // the command, up to elements
	env  []string
}

// BenchmarkPeerBuild builds an image with diskimage-builder, with dibgraph and the
// same elements, and with dibgraph and its own, step by step in turns: cold, again,
// after an edit of the last hook of install.d, and after one of the first. What the
// hooks write is what they are edited in.
func BenchmarkPeerBuild(b *testing.B) {
	if os.Getenv("DIBGRAPH_BENCH_PEERS") == "" {
		b.Skip("only in make bench-peers: it takes most of an hour")
	}
	testroot.Require(b)
	if _, err := os.Stat(foreignElements); err != nil {
		b.Fatalf("python3-diskimage-builder is not installed: %v", err)
	}
	for _, format := range []string{"qcow2", "raw"} {
		b.Run(format, func(b *testing.B) { benchmarkPeers(b, format) })
	}
}

func benchmarkPeers(b *testing.B, format string) {
	took := make(map[string]time.Duration)
	steps := []string{"cold", "null", "last", "first"}
	peers := []string{"theirs", "same", "own"}
	for b.Loop() {
		s := newPeerSite(b, format)
		for i, step := range steps {
			switch step {
			case "last":
				s.hook("99-last", i)
			case "first":
				s.hook("00-first", i)
			}
			for _, p := range s.peers {
				took[p.name+" "+step] += s.build(p)
			}
		}
	}
	for _, step := range steps {
		theirs := took["theirs "+step]
		for _, p := range peers {
			all := took[p+" "+step]
			b.ReportMetric(all.Seconds()/float64(b.N), p+"-"+step+"-s")
			b.ReportMetric(100*all.Seconds()/theirs.Seconds(), p+"-"+step+"-%")
		}
	}
	b.ReportMetric(0, "ns/op") // says nothing beside these
}

// A peerSite is where all of them build.
type peerSite struct {
	b     *testing.B
	dir   string
	peers []peer
}

func newPeerSite(b *testing.B, format string) *peerSite {
	b.Helper()
	s := &peerSite{b: b, dir: b.TempDir()}
	for _, dir := range []string{"theirs", "same", "own", "tmp", "home"} {
		s.must(os.Mkdir(s.path(dir), 0o755))
	}
	s.hook("00-first", 0)
	s.hook("99-last", 0)
	image := []string{"-t", format, "-o", "image", "debian-minimal", "vm", "app"}
	theirs, err := original(s.dir, diskImageCreate)
	s.must(err)
	theirs = append(theirs, image...)
	dibgraph := append([]string{"dibgraph", "build"}, image...)
	sources := "DIB_APT_SOURCES_CONF=" + strings.TrimSpace(aptSources(b))
	s.peers = []peer{
		{"theirs", theirs, []string{"ELEMENTS_PATH=" + s.path("elements"), sources, "TMPDIR=" + s.path("tmp")}},
		{"same", dibgraph, []string{"ELEMENTS_PATH=" + s.path("elements") + ":" + foreignElements, sources, "DIBGRAPH_CACHE=" + s.path("same.store")}},
		{"own", dibgraph, []string{"ELEMENTS_PATH=" + s.path("elements"), "DIBGRAPH_CACHE=" + s.path("own.store")}},
	}
	return s
}

func (s *peerSite) path(name string) string { return filepath.Join(s.dir, name) }

func (s *peerSite) must(err error) {
	s.b.Helper()
	if err != nil {
		s.b.Fatal(err)
	}
}

// hook writes a hook of install.d.
func (s *peerSite) hook(name string, version int) {
	s.b.Helper()
	hook := s.path("elements/app/install.d/" + name)
	s.must(os.MkdirAll(filepath.Dir(hook), 0o755))
	s.must(os.WriteFile(hook, []byte("#!/bin/bash\necho "+string(rune('0'+version))+" > /etc/app-"+name+"\n"), 0o755))
}

// build builds with one of them, and returns how long that took.
func (s *peerSite) build(p peer) time.Duration {
	s.b.Helper()
	ctx, cancel := context.WithTimeout(s.b.Context(), time.Hour)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	if p.args[0] == "dibgraph" {
		cmd.Path = "/proc/self/exe"
	}
	cmd.Dir = s.path(p.name)
	mirrors := elements.HostMirrors(os.DirFS("/"))
	cmd.Env = append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + s.path("home"), "DIB_RELEASE=" + release, "DIB_IMAGE_CACHE=" + s.path(p.name+".cache"),
		"DIB_DISTRIBUTION_MIRROR=" + mirrors["DIBGRAPH_DEBIAN_MIRROR"],
	}, p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.b.Fatalf("%s: %v\n%s", p.name, err, lastLines(out, 40))
	}
	return time.Since(start)
}
