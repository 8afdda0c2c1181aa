package cache

import "testing"

func TestResolve(t *testing.T) {
	link := func(path, target string) Entry { return Entry{Path: path, Type: TypeSymlink, Link: target} }
	l := &Listing{Entries: []Entry{
		entryFromLetter("d mnt"), link("mnt/lib", "usr/lib"), link("mnt/loop", "loop"), link("mnt/outside", "../../etc"),
		entryFromLetter("d mnt/usr"), entryFromLetter("d mnt/usr/lib"), entryFromLetter("f mnt/usr/lib/x"),
		link("mnt/usr/lib/y", "x"), link("mnt/usr/share", "/lib/../lib"),
	}}
	for name, want := range map[string]string{
		"/":                "mnt",
		"":                 "mnt",
		"/usr/lib/x":       "mnt/usr/lib/x",
		"usr/lib/x":        "mnt/usr/lib/x",
		"/lib/x":           "mnt/usr/lib/x",
		"/lib":             "mnt/lib",
		"/lib/":            "mnt/lib",
		"//usr/./lib//x":   "mnt/usr/lib/x",
		"/usr/lib/y":       "mnt/usr/lib/y",
		"/usr/share/x":     "mnt/usr/lib/x",
		"/../../x":         "mnt/x",
		"/outside/passwd":  "mnt/etc/passwd",
		"/none/at/all":     "mnt/none/at/all",
		"/usr/lib/x/below": "mnt/usr/lib/x/below",
		"/loop/x":          "mnt/loop/x",
	} {
		if got := l.Resolve("mnt", name); got != want {
			t.Errorf("Resolve(%q) = %q, want %q", name, got, want)
		}
	}
}
