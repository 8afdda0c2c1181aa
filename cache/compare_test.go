package cache

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCompareListings(t *testing.T) {
	file := func(change func(*Entry)) *Listing {
		e := Entry{Path: "file", Type: TypeFile, Mode: 0o644, Size: 4, Digest: DigestBytes([]byte("text"))}
		change(&e)
		return &Listing{Entries: []Entry{{Path: "a", Type: TypeDir}, e, {Path: "z", Type: TypeDir}}}
	}
	same := file(func(*Entry) {})
	for name, test := range map[string]struct {
		change func(*Entry)
		want   string
		masked int
	}{
		"nothing":      {func(*Entry) {}, "", 0},
		"time":         {func(e *Entry) { e.ModTime = time.Unix(1, 0) }, "", 0},
		"content":      {func(e *Entry) { e.Digest = DigestBytes(nil) }, "content", 0},
		"size":         {func(e *Entry) { e.Size = 5 }, "content", 0},
		"mode, owner":  {func(e *Entry) { e.Mode, e.GID = 0o600, 1 }, "mode,owner", 0},
		"xattrs":       {func(e *Entry) { e.Xattrs = []Xattr{{"user.a", "b"}} }, "extended attributes", 0},
		"type":         {func(e *Entry) { *e = Entry{Path: "file", Type: TypeSymlink, Link: "a"} }, "type", 0},
		"whiteout":     {func(e *Entry) { *e = Entry{Path: "file", Type: TypeChar, Whiteout: true} }, "type", 0},
		"hard link":    {func(e *Entry) { e.HardLink = "a" }, "hard link", 0},
		"volatile too": {func(e *Entry) { e.Volatile = true }, "volatile", 0},
	} {
		c := CompareListings(same, file(test.change))
		var aspects []string
		for _, d := range c.Differences {
			if d.Path != "file" || d.Before == nil || d.After == nil {
				t.Errorf("%s: %+v, want a difference of the file", name, d)
			}
			for _, a := range d.Aspects {
				aspects = append(aspects, string(a))
			}
		}
		if got := strings.Join(aspects, ","); got != test.want || c.Masked != test.masked {
			t.Errorf("%s: %q and %d masked, want %q and %d", name, got, c.Masked, test.want, test.masked)
		}
	}
}

func TestCompareListingsMasks(t *testing.T) {
	log := func(text string, mode uint32) *Listing {
		return &Listing{Entries: []Entry{{Path: "log", Type: TypeFile, Mode: mode, Size: int64(len(text)), Digest: DigestBytes([]byte(text)), Volatile: true}}}
	}
	if c := CompareListings(log("one", 0o600), log("two", 0o600)); len(c.Differences) != 0 || c.Masked != 1 {
		t.Errorf("%+v, want one masked file only", c)
	}
	c := CompareListings(log("one", 0o600), log("two", 0o644))
	if len(c.Differences) != 1 || !reflect.DeepEqual(c.Differences[0].Aspects, []Aspect{AspectMode}) || c.Masked != 1 {
		t.Errorf("%+v, want a masked file with another mode", c)
	}
}

func TestCompareListingsOnlyInOne(t *testing.T) {
	a := &Listing{Entries: []Entry{{Path: "both", Type: TypeDir}, {Path: "both/old", Type: TypeDir}, {Path: "both-old", Type: TypeDir}}}
	b := &Listing{Entries: []Entry{{Path: "both", Type: TypeDir}, {Path: "both/new", Type: TypeDir}, {Path: "both-old", Type: TypeDir}, {Path: "new", Type: TypeDir}}}
	var got []string
	for _, d := range CompareListings(a, b).Differences {
		switch {
		case d.Before == nil:
			got = append(got, "+"+d.After.Path)
		case d.After == nil:
			got = append(got, "-"+d.Before.Path)
		}
	}
	if want := "+both/new -both/old +new"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if n := len(CompareListings(nil, b).Differences); n != 4 {
		t.Errorf("%d differences from no layer, want 4", n)
	}
}

// Two listings agree exactly if they have one digest.
func TestCompareListingsAgreesWithDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyListing().Draw(t, "a")
		b := &Listing{Entries: append([]Entry(nil), a.Entries...)}
		if rapid.Bool().Draw(t, "other") {
			b = anyListing().Draw(t, "b")
		} else if n := len(b.Entries); n > 0 {
			i := rapid.IntRange(0, n-1).Draw(t, "index")
			if b.Entries[i].HardLink == "" {
				b.Entries[i] = anyEntry(t, b.Entries[i].Path)
			}
		}
		c := CompareListings(a, b)
		if same := len(c.Differences) == 0; same != (a.Digest() == b.Digest()) {
			t.Errorf("%d differences, and the same digest: %t", len(c.Differences), !same)
		}
	})
}

func TestListingMarkVolatile(t *testing.T) {
	l := Listing{Entries: []Entry{{Path: "b", Type: TypeFile}, {Path: "a-b", Type: TypeFile}, {Path: "a/log", Type: TypeFile}, {Path: "a", Type: TypeDir}}}
	l.Sort()
	if err := l.MarkVolatile([]string{"a/**", "a"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range l.Entries {
		got = append(got, e.Path)
		if e.Volatile != (e.Path == "a/log") {
			t.Errorf("%q is volatile: %t", e.Path, e.Volatile)
		}
	}
	if want := "a a/log a-b b"; strings.Join(got, " ") != want {
		t.Errorf("sorted to %q, want %q", got, want)
	}
	if err := l.MarkVolatile([]string{"[a"}); err == nil {
		t.Error("a pattern that is none was taken")
	}
}
