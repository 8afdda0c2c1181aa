package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// BenchmarkScale builds images of growing numbers of elements, with five hooks each
// that run in a small root, and measures whole processes after that: a plan and a
// build when nothing changed, and a build after an edit of the last hook. The largest
// is only in make bench-peers.
func BenchmarkScale(b *testing.B) {
	testroot.Require(b)
	for _, count := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("elements=%d", count), func(b *testing.B) {
			if count > 100 && os.Getenv("DIBGRAPH_BENCH_PEERS") == "" {
				b.Skip("only in make bench-peers: it takes minutes")
			}
			benchmarkScale(b, count)
		})
	}
}

func benchmarkScale(b *testing.B, count int) {
	const rounds = 5
	for b.Loop() {
		s := newScaleSite(b, count)
		cold, _ := s.dibgraph("build")
		b.ReportMetric(cold.Seconds(), "cold-s")
		for _, command := range []string{"plan", "build"} {
			var took, cpu []time.Duration
			for range rounds {
				wall, used := s.dibgraph(command)
				took, cpu = append(took, wall), append(cpu, used)
			}
			slices.Sort(took)
			slices.Sort(cpu)
			b.ReportMetric(took[rounds/2].Seconds()*1000, command+"-ms")
			b.ReportMetric(cpu[rounds/2].Seconds()*1000, command+"-cpu-ms")
			b.ReportMetric(1e6*took[rounds/2].Seconds()/float64(count*len(scalePhases)), command+"-µs/hook")
		}
		s.hook("all", "finalise.d", "99-last", "date > /etc/last")
		edit, _ := s.dibgraph("build")
		b.ReportMetric(edit.Seconds()*1000, "edit-ms")
	}
	b.ReportMetric(0, "ns/op") // says nothing beside these
}

// scalePhases are where each element has a hook; those of extra-data.d run outside
// of the root.
var scalePhases = []string{"extra-data.d", "pre-install.d", "install.d", "install.d", "post-install.d"}

// A scaleSite has an image of many small elements and its store.
type scaleSite struct {
	b   *testing.B
	dir string
}

func newScaleSite(b *testing.B, count int) *scaleSite {
	b.Helper()
	s := &scaleSite{b: b, dir: b.TempDir()}
	var names []string
	for i := range count {
		name := fmt.Sprintf("e%04d", i)
		names = append(names, name)
		for at, phase := range scalePhases {
			text := fmt.Sprintf("echo \"${DIB_%s_A:-none} $DIB_RELEASE\" > /etc/%s-%d", strings.ToUpper(name), name, at)
			if phase == "extra-data.d" {
				text = strings.Replace(text, "/etc", "$TMP_HOOKS_PATH", 1)
			}
			// As long as hooks are on average; see elements/synthetic_test.go.
			comment := strings.Repeat("# what this is good for, at length\n", 35)
			s.hook(name, phase, fmt.Sprintf("%02d-%s-%d", 10+at, name, at), comment+text)
		}
		s.file(name+"/environment.d/50-"+name+".bash", 0o644, fmt.Sprintf("export DIB_%s_A=%d\n", strings.ToUpper(name), i))
		s.file(name+"/element-deps", 0o644, fmt.Sprintf("e%04d\n", i/2))
	}
	s.file("e0000/element-deps", 0o644, "")
	s.file("all/element-deps", 0o644, strings.Join(names, "\n")+"\n")
	s.hook("all", "finalise.d", "99-last", "echo last > /etc/last")
	return s
}

func (s *scaleSite) hook(element, phase, name, text string) {
	s.b.Helper()
	s.file(filepath.Join(element, phase, name), 0o755, "#!/bin/bash\nset -eu\n"+text+"\n")
}

func (s *scaleSite) file(name string, mode os.FileMode, text string) {
	s.b.Helper()
	name = filepath.Join(s.dir, "elements", name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.b.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		s.b.Fatal(err)
	}
}

// dibgraph runs "dibgraph build" or "dibgraph plan" of the image and returns how long
// that took, and how much of all processors.
func (s *scaleSite) dibgraph(command string) (wall, used time.Duration) {
	s.b.Helper()
	cmd := smallImages(s.b, s.dir, command, "-n", "-o", "image", "tiny", "all")
	started := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.b.Fatalf("dibgraph %s: %v\n%s", command, err, lastLines(out, 40))
	}
	wall = time.Since(started)
	return wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
