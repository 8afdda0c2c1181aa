package cache

import (
	"slices"
	"testing"
)

// The letters are entries: "d" a directory, "o" an opaque one, "f" a file, "w" a
// whiteout. Overlayfs itself makes a directory opaque that it puts over
// something else; a layer from elsewhere need not be like that.
func TestMerge(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers [][]string
		want   []string
	}{
		{"union", [][]string{{"d a", "f a/x"}, {"d a", "f a/y"}}, []string{"d a", "f a/x", "f a/y"}},
		{"file over file", [][]string{{"f a"}, {"f a"}}, []string{"f a"}},
		{"file over directory", [][]string{{"d a", "f a/x"}, {"f a"}}, []string{"f a"}},
		{"whiteout over file", [][]string{{"f a"}, {"w a"}}, []string{"w a"}},
		{"whiteout over directory", [][]string{{"d a", "f a/x"}, {"w a"}}, []string{"w a"}},
		{"file over whiteout", [][]string{{"w a"}, {"f a"}}, []string{"f a"}},
		{"directory over file", [][]string{{"f a"}, {"d a", "f a/x"}}, []string{"o a", "f a/x"}},
		{"directory over whiteout", [][]string{{"w a"}, {"d a", "f a/x"}}, []string{"o a", "f a/x"}},
		{"directory over opaque", [][]string{{"o a", "f a/x"}, {"d a", "f a/y"}}, []string{"o a", "f a/x", "f a/y"}},
		{"opaque over directory", [][]string{{"d a", "f a/x"}, {"o a", "f a/y"}}, []string{"o a", "f a/y"}},
		{"whiteout in opaque", [][]string{{"o a", "f a/x"}, {"d a", "w a/x"}}, []string{"o a"}},
		{"whiteout below opaque", [][]string{{"o a", "d a/b", "f a/b/x"}, {"d a", "d a/b", "w a/b/x"}}, []string{"o a", "d a/b"}},
		{"whiteout that is covered by opaque", [][]string{{"d a", "w a/x"}, {"o a"}}, []string{"o a"}},
		{"whiteout kept", [][]string{{"d a", "w a/x"}, {"d a", "f a/y"}}, []string{"d a", "w a/x", "f a/y"}},
		{"three", [][]string{{"f a"}, {"w a"}, {"d a"}}, []string{"o a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMerge()
			for i, entries := range test.layers {
				var l Listing
				for _, text := range entries {
					l.Entries = append(l.Entries, entryFromLetter(text))
				}
				m.apply(&l, i)
			}
			var got []string
			check(t, m.walk(func(path string, n *mergeNode) error {
				got = append(got, letterOf(n.entry)+" "+path)
				return nil
			}))
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func entryFromLetter(text string) Entry {
	e := Entry{Path: text[2:]}
	switch text[0] {
	case 'd':
		e.Type = TypeDir
	case 'o':
		e.Type, e.Opaque = TypeDir, true
	case 'f':
		e.Type = TypeFile
	case 'w':
		e.Type, e.Whiteout = TypeChar, true
	}
	return e
}

func letterOf(e *Entry) string {
	switch {
	case e.Whiteout:
		return "w"
	case e.Opaque:
		return "o"
	}
	return string(e.Type)
}

// The node says from which layer a file is to be taken.
func TestMergeTakesFromTheTop(t *testing.T) {
	m := newMerge()
	m.apply(&Listing{Entries: []Entry{entryFromLetter("f a"), entryFromLetter("f b")}}, 0)
	m.apply(&Listing{Entries: []Entry{entryFromLetter("f b")}}, 1)
	if a, b := m.find("a").layer, m.find("b").layer; a != 0 || b != 1 {
		t.Errorf("a is from layer %d and b from %d, want 0 and 1", a, b)
	}
}
