package cache

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func listingOf(entries ...string) *Listing {
	var l Listing
	for _, text := range entries {
		l.Entries = append(l.Entries, entryFromLetter(text))
	}
	return &l
}

func TestView(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers []*Listing
		want   []string
	}{
		{"nothing", nil, nil},
		{"union", []*Listing{listingOf("d a", "f a/x"), listingOf("d a", "f a/y")}, []string{"1 d a", "0 f a/x", "1 f a/y"}},
		{"covered", []*Listing{listingOf("f a", "f b"), listingOf("f a")}, []string{"1 f a", "0 f b"}},
		{"removed", []*Listing{listingOf("d a", "f a/x", "f b"), listingOf("w a")}, []string{"0 f b"}},
		{"removed and made again", []*Listing{listingOf("f a"), listingOf("w a"), listingOf("f a")}, []string{"2 f a"}},
		{"whiteout of nothing", []*Listing{listingOf("w a", "f b")}, []string{"0 f b"}},
		{"replaced directory", []*Listing{listingOf("d a", "f a/x"), listingOf("o a", "f a/y")}, []string{"1 d a", "1 f a/y"}},
		{"removed in a directory", []*Listing{listingOf("d a", "f a/x", "f a/y"), listingOf("d a", "w a/x")}, []string{"1 d a", "0 f a/y"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := NewView(test.layers)
			var got []string
			for i := range v.Entries {
				got = append(got, fmt.Sprintf("%d %s %s", v.Layers[i], letterOf(&v.Entries[i]), v.Entries[i].Path))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Of a file with several paths, another layer may cover the first.
func TestViewOfHardLinks(t *testing.T) {
	linked := listingOf("f a", "f b", "f c")
	linked.Entries[1].HardLink, linked.Entries[2].HardLink = "a", "a"
	for _, test := range []struct {
		name string
		top  *Listing
		want []string
	}{
		{"all there", listingOf("f z"), []string{"", "a", "a", ""}},
		{"first covered", listingOf("f a"), []string{"", "", "b"}},
		{"first removed", listingOf("w a"), []string{"", "b"}},
		{"first two removed", listingOf("w a", "w b"), []string{""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, e := range NewView([]*Listing{linked, test.top}).Entries {
				got = append(got, e.HardLink)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("hard links %q, want %q", got, test.want)
			}
		})
	}
}

func TestBelow(t *testing.T) {
	l := listingOf("d a", "d a/b", "f a/b/x", "f a-b", "f ab")
	for dir, want := range map[string]int{"": 5, "a": 2, "a/b": 1, "a-b": 0, "none": 0} {
		if got := l.Below(dir); len(got) != want {
			t.Errorf("Below(%q) has %d entries, want %d", dir, len(got), want)
		}
	}
}

// The last revision of a path is what the view shows of it, for every path.
func TestRevisionsEndInView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layers := rapid.SliceOfN(anyListing(), 0, 4).Draw(t, "layers")
		v := NewView(layers)
		seen := map[string]bool{}
		for _, l := range layers {
			for _, e := range l.Entries {
				seen[e.Path] = true
			}
		}
		for path := range seen {
			var last *Entry
			if r := Revisions(layers, path); len(r) > 0 {
				last = r[len(r)-1].After
			}
			shown := v.Find(path)
			switch {
			case (last == nil) != (shown == nil):
				t.Fatalf("%q: the revisions end in %v, the view has %v", path, last, shown)
			case len(visibleAspects(last, shown)) > 0:
				t.Fatalf("%q: the revisions end in %+v, the view has %+v", path, *last, *shown)
			}
		}
	})
}

func TestRevisions(t *testing.T) {
	mode := listingOf("f a")
	mode.Entries[0].Mode = 0o755
	content := listingOf("f a")
	content.Entries[0].Mode, content.Entries[0].Size = 0o755, 1
	content.Entries[0].Volatile = true // masked, and a change all the same
	layers := []*Listing{
		listingOf("f b"), listingOf("f a"), listingOf("f a"), mode, content, listingOf("w a"), listingOf("d a", "f a/x"), listingOf("f c"),
	}
	var got []string
	for _, r := range Revisions(layers, "a") {
		got = append(got, fmt.Sprint(r.Layer, r.Before != nil, r.After != nil, r.Aspects))
	}
	want := []string{"1 false true []", "3 true true [mode]", "4 true true [content]", "5 true false []", "6 false true []"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// BenchmarkNewView merges a root of 200,000 entries and 50 layers that each
// change a hundredth of it.
func BenchmarkNewView(b *testing.B) {
	layers := benchLayers(200_000, 50)
	b.ReportAllocs()
	for b.Loop() {
		if v := NewView(layers); len(v.Entries) < 200_000 {
			b.Fatal("entries are missing")
		}
	}
}

// BenchmarkRevisions asks for one path of the same layers.
func BenchmarkRevisions(b *testing.B) {
	layers := benchLayers(200_000, 50)
	path := layers[0].Entries[len(layers[0].Entries)/2].Path
	for b.Loop() {
		if len(Revisions(layers, path)) == 0 {
			b.Fatal("no revision")
		}
	}
}

// benchLayers returns listings of a base with n entries, 43 in a directory as
// in a root of Debian, and of layers above it.
func benchLayers(n, above int) []*Listing {
	base := &Listing{}
	for i := 0; len(base.Entries) < n; i++ {
		dir := fmt.Sprintf("mnt/usr/share/doc/package-%05d", i)
		base.Entries = append(base.Entries, Entry{Path: dir, Type: TypeDir, Mode: 0o755})
		for j := range 43 {
			base.Entries = append(base.Entries, Entry{Path: fmt.Sprintf("%s/file-%02d", dir, j), Type: TypeFile, Mode: 0o644, Size: 1234})
		}
	}
	var top []Entry
	for i, dir := 0, ""; i < len("mnt/usr/share/doc"); i++ {
		if dir = "mnt/usr/share/doc"[:i+1]; i+1 == len("mnt/usr/share/doc") || "mnt/usr/share/doc"[i+1] == '/' {
			top = append(top, Entry{Path: dir, Type: TypeDir, Mode: 0o755})
		}
	}
	base.Entries = append(slices.Clone(top), base.Entries...)
	layers := []*Listing{base}
	for i := range above {
		l := &Listing{Entries: slices.Clone(top)}
		for j, e := range base.Entries[len(top):] {
			if e.Type == TypeDir || j%100 == i%100 {
				l.Entries = append(l.Entries, e)
			}
		}
		layers = append(layers, l)
	}
	return layers
}
