package main

import (
	"slices"
	"testing"
)

func TestNodeGlobs(t *testing.T) {
	names := []string{"env:root", "root.d/[base]", "install.d/50-app", "install.d/60-last", "disk"}
	for glob, want := range map[string][]string{
		"*":             names,
		"install.d/*":   names[2:4],
		"*-app":         names[2:3],
		"disk":          names[4:],
		"root.d/[base]": names[1:2],
		"?isk":          names[4:],
		"instal.d/*":    nil,
	} {
		var got []string
		for _, name := range names {
			if (nodeGlobs{"nothing", glob}).match(name) {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q chooses %q, want %q", glob, got, want)
		}
		if unmatched := (nodeGlobs{glob}).unmatched(names); (len(unmatched) > 0) != (want == nil) {
			t.Errorf("%q: unmatched %q", glob, unmatched)
		}
	}
	if err := (nodeGlobs{"a", "[a"}).check(); err == nil {
		t.Error("[a is taken for a glob")
	}
}
