package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// BenchmarkTrimHistory builds fifty times, as somebody who edits the hooks of an image,
// now and then its packages, goes back, and builds again: once with a store that keeps
// all, and once with one that may take 30 % of what that came to. It reports how many
// of the seconds that the first saved the second saved, too.
func BenchmarkTrimHistory(b *testing.B) {
	testroot.Require(b)
	const percent = 30
	for b.Loop() {
		for seed := range uint64(1) {
			all := newHistory(b, seed, 0)
			size := all.size()
			limited := newHistory(b, seed, size*percent/100)
			if limited.size() > limited.limit*105/100 {
				b.Errorf("the store takes %d, more than %d", limited.size(), limited.limit)
			}
			name := "history" + strconv.FormatUint(seed, 10)
			b.ReportMetric(100*limited.saved.Seconds()/all.saved.Seconds(), name+"-kept-%")
			b.ReportMetric(all.saved.Seconds(), name+"-saved-s")
			b.ReportMetric(float64(size)/1e6, name+"-MB")
		}
	}
	b.ReportMetric(0, "ns/op") // says nothing beside these
}

// A history is fifty builds with one store.
type history struct {
	b     *testing.B
	dir   string
	limit int64 // bytes; 0 is none
	saved time.Duration
	r     *rand.Rand
	// hooks are the versions of the hooks, by their place; before are earlier ones.
	hooks  [10]int
	before [][10]int
}

// The hooks of a history: the first installs packages, as it were.
const packagesHook = 0

func newHistory(b *testing.B, seed uint64, limit int64) *history {
	b.Helper()
	h := &history{b: b, dir: b.TempDir(), limit: limit, r: rand.New(rand.NewPCG(seed, 7))}
	for build := range 50 {
		if build > 0 {
			h.edit(build)
		}
		h.before = append(h.before, h.hooks)
		h.build()
	}
	return h
}

func (h *history) edit(build int) {
	switch p := h.r.IntN(100); {
	case p < 8: // only to see whether it still builds
	case p < 20: // back to what it was
		h.hooks = h.before[h.r.IntN(len(h.before))]
	case p < 30:
		h.hooks[packagesHook] = build
	default:
		h.hooks[1+h.r.IntN(len(h.hooks)-1)] = build
	}
}

func (h *history) build() {
	h.b.Helper()
	for i, version := range h.hooks {
		kilobytes, seconds := 40, 0.05
		if i == packagesHook {
			kilobytes, seconds = 3000, 1.5
		}
		text := fmt.Sprintf("#!/bin/bash\nset -e\nsleep %g\nyes 'part %d of version %d' | head -c %d > /etc/part-%d\n", seconds, i, version, kilobytes<<10, i)
		hook := filepath.Join(h.dir, "elements/app/install.d", fmt.Sprintf("%02d-part", i))
		if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
			h.b.Fatal(err)
		}
		if err := os.WriteFile(hook, []byte(text), 0o755); err != nil {
			h.b.Fatal(err)
		}
	}
	args := []string{"build", "-n", "--cache-min-free", "0", "-o", "image", "tiny", "app"}
	if h.limit > 0 {
		args = append(args, "--cache-max-size", strconv.FormatInt(h.limit/1000, 10)+"kB")
	}
	h.dibgraph(args...)
	var builds []struct{ Saved time.Duration }
	if err := json.Unmarshal(h.dibgraph("builds", "-n", "1", "--json"), &builds); err != nil || len(builds) != 1 {
		h.b.Fatalf("%d builds: %v", len(builds), err)
	}
	h.saved += builds[0].Saved
}

func (h *history) dibgraph(args ...string) []byte {
	h.b.Helper()
	out, err := smallImages(h.b, h.dir, args...).Output()
	if err != nil {
		h.b.Fatalf("dibgraph %q: %v", args, err)
	}
	return out
}

// smallImages returns the program as it works in a directory with elements and a store, on
// images of the element tiny.
func smallImages(b *testing.B, dir string, args ...string) *exec.Cmd {
	b.Helper()
	shared, err := filepath.Abs("testdata/elements")
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), "/proc/self/exe")
	cmd.Args, cmd.Dir = append([]string{"dibgraph"}, args...), dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "DIB_JOURNAL_SIZE=4",
		"DIBGRAPH_CACHE=" + filepath.Join(dir, "store"), "ELEMENTS_PATH=" + filepath.Join(dir, "elements") + ":" + shared,
	}
	return cmd
}

// size is what the store takes, as du says.
func (h *history) size() int64 {
	h.b.Helper()
	out, err := exec.Command("du", "-s", "--block-size=1", filepath.Join(h.dir, "store")).Output()
	if err != nil {
		h.b.Fatal(err)
	}
	size, err := strconv.ParseInt(strings.Fields(string(out))[0], 10, 64)
	if err != nil {
		h.b.Fatal(err)
	}
	return size
}
