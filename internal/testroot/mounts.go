package testroot

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// CheckMounts makes the test fail if, at its end, it has left a mount behind.
// It compares /proc/self/mountinfo of now and then, and looks only at entries
// that name the test's own temporary directories or /run/dibgraph: other tests
// of the same run mount and unmount at the same time. Call it right after
// Require, so that its comparison runs after the test's other cleanups.
func CheckMounts(t testing.TB) {
	t.Helper()
	// TempDir gives …/TestName123/001; the parent covers every later call too.
	own := []string{filepath.Dir(t.TempDir()) + "/", "/run/dibgraph"}
	before, err := mounts()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		after, err := mounts()
		if err != nil {
			t.Error(err)
			return
		}
		for _, line := range slices.Sorted(maps.Keys(after)) {
			if !before[line] && containsAny(line, own) {
				t.Errorf("a mount was left behind: %s", line)
			}
		}
	})
}

func mounts() (map[string]bool, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		lines[strings.TrimSuffix(line, "\n")] = true
	}
	return lines, nil
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}
