package cache

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// anyName draws a file name of odd bytes.
func anyName() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		letters := []byte("ab-._=\\ \n\t\"'%~x0\x01\x7f\x80\xc3\xa4\xff")
		name := rapid.SliceOfN(rapid.SampledFrom(letters), 1, 5).Draw(t, "name")
		if s := string(name); s != "." && s != ".." {
			return s
		}
		return "dots"
	})
}

func anyXattrs() *rapid.Generator[[]Xattr] {
	return rapid.Custom(func(t *rapid.T) []Xattr {
		values := rapid.MapOfN(
			rapid.OneOf(
				rapid.SampledFrom([]string{"security.capability", "system.posix_acl_access", "system.posix_acl_default"}),
				rapid.Map(anyName(), func(s string) string { return "user." + s })),
			rapid.SliceOfN(rapid.Byte(), 0, 4), 0, 3).Draw(t, "xattrs")
		var list []Xattr
		for name, value := range values {
			list = append(list, Xattr{name, string(value)})
		}
		slices.SortFunc(list, func(a, b Xattr) int { return strings.Compare(a.Name, b.Name) })
		return list
	})
}

// anyEntry draws an entry that is not a hard link.
func anyEntry(t *rapid.T, path string) Entry {
	if rapid.IntRange(0, 9).Draw(t, "whiteout") == 0 {
		return Entry{Path: path, Type: TypeChar, Whiteout: true}
	}
	e := Entry{
		Path:    path,
		Type:    rapid.SampledFrom([]FileType{TypeFile, TypeDir, TypeDir, TypeSymlink, TypeChar, TypeBlock, TypeFIFO}).Draw(t, "type"),
		Mode:    rapid.Uint32Range(0, 0o7777).Draw(t, "mode"),
		UID:     rapid.Uint32().Draw(t, "uid"),
		GID:     rapid.Uint32().Draw(t, "gid"),
		ModTime: time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "sec"), rapid.Int64Range(0, 999_999_999).Draw(t, "nsec")).UTC(),
		Xattrs:  anyXattrs().Draw(t, "xattrs"),
	}
	switch e.Type {
	case TypeFile:
		e.Size = rapid.Int64Range(0, 1<<62).Draw(t, "size")
		e.Digest = DigestBytes(rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "content"))
		e.Volatile = rapid.Bool().Draw(t, "volatile")
	case TypeDir:
		e.Opaque = rapid.Bool().Draw(t, "opaque")
	case TypeSymlink:
		e.Link = "/" + anyName().Draw(t, "target")
	case TypeChar, TypeBlock:
		e.Rdev = unix.Mkdev(rapid.Uint32().Draw(t, "major"), rapid.Uint32Range(1, 1<<32-1).Draw(t, "minor"))
	}
	return e
}

// anyListing draws a listing as scanning a tree could give it.
func anyListing() *rapid.Generator[*Listing] {
	return rapid.Custom(func(t *rapid.T) *Listing {
		var l Listing
		var fill func(dir string, depth int)
		fill = func(dir string, depth int) {
			names := rapid.SliceOfNDistinct(anyName(), 0, 4, rapid.ID).Draw(t, "names")
			slices.Sort(names)
			for _, name := range names {
				path := dir + name
				if n := len(l.Entries); n > 0 && rapid.IntRange(0, 5).Draw(t, "link") == 0 {
					first := l.Entries[rapid.IntRange(0, n-1).Draw(t, "first")]
					if first.Type != TypeDir && !first.Whiteout && first.HardLink == "" {
						first.Path, first.HardLink = path, first.Path
						l.Entries = append(l.Entries, first)
						continue
					}
				}
				e := anyEntry(t, path)
				l.Entries = append(l.Entries, e)
				if e.Type == TypeDir && depth < 3 {
					fill(path+"/", depth+1)
				}
			}
		}
		fill("", 0)
		return &l
	})
}

func TestListingRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := anyListing().Draw(t, "listing")
		text, _ := l.AppendText(nil)
		back, err := ParseListing(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if len(l.Entries) > 0 && !reflect.DeepEqual(l.Entries, back.Entries) {
			t.Errorf("%+v\nbecame\n%+v", l.Entries, back.Entries)
		}
		if l.Digest() != back.Digest() {
			t.Error("the digest changed")
		}
		for i := range l.Entries {
			if got := back.Find(l.Entries[i].Path); got != &back.Entries[i] {
				t.Errorf("Find(%q) = %v", l.Entries[i].Path, got)
			}
		}
	})
}

// Another value of one field of one entry is another digest, except for times,
// and for size and content of volatile files.
func TestListingDigestChanges(t *testing.T) {
	changes := map[string]func(e *Entry) bool{
		"path":  func(e *Entry) bool { e.Path += "x"; return true },
		"mode":  func(e *Entry) bool { e.Mode ^= 0o4001; return !e.Whiteout },
		"uid":   func(e *Entry) bool { e.UID++; return !e.Whiteout },
		"gid":   func(e *Entry) bool { e.GID ^= 1; return !e.Whiteout },
		"type":  func(e *Entry) bool { old := e.Type; e.Type = TypeFIFO; return old != TypeFIFO && !e.Whiteout },
		"rdev":  func(e *Entry) bool { e.Rdev ^= 1; return e.Type == TypeBlock },
		"size":  func(e *Entry) bool { e.Size ^= 1; return e.Type == TypeFile && !e.Volatile },
		"bytes": func(e *Entry) bool { e.Digest[31]++; return e.Type == TypeFile && !e.Volatile },
		"link":  func(e *Entry) bool { e.Link += "/"; return e.Type == TypeSymlink },
		"opaque": func(e *Entry) bool {
			e.Opaque = !e.Opaque
			return e.Type == TypeDir
		},
		"volatile": func(e *Entry) bool { e.Volatile = !e.Volatile; return e.Type == TypeFile },
		"whiteout": func(e *Entry) bool {
			e.Whiteout = !e.Whiteout
			return true
		},
		"new xattr": func(e *Entry) bool {
			e.Xattrs = append(slices.Clip(e.Xattrs), Xattr{"user.zzz", ""})
			return !e.Whiteout
		},
		"xattr value": func(e *Entry) bool {
			if len(e.Xattrs) == 0 {
				return false
			}
			e.Xattrs = slices.Clone(e.Xattrs)
			e.Xattrs[0].Value += "\x00"
			return true
		},
		"hard link": func(e *Entry) bool { e.HardLink = "elsewhere"; return !e.Whiteout },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				e := anyEntry(t, anyName().Draw(t, "path"))
				before := (&Listing{Entries: []Entry{e}}).Digest()
				if !change(&e) {
					return
				}
				if (&Listing{Entries: []Entry{e}}).Digest() == before {
					t.Errorf("no other digest for %+v", e)
				}
			})
		})
	}
}

func TestListingDigestMasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := anyListing().Draw(t, "listing")
		before := l.Digest()
		for i := range l.Entries {
			e := &l.Entries[i]
			e.ModTime = e.ModTime.Add(time.Nanosecond)
			if e.Volatile {
				e.Size, e.Digest = e.Size/2+1, DigestBytes([]byte("other"))
			}
		}
		if l.Digest() != before {
			t.Error("the digest changed")
		}
	})
}

func TestParseListingErrors(t *testing.T) {
	digest := DigestBytes(nil).String()
	file := "f 644 0 0 1.000000000 0 " + digest + " "
	for _, test := range []struct{ name, text, want string }{
		{"no format", "", "the first line is not"},
		{"other format", "dibgraph listing 2\n", "the first line is not"},
		{"cut off", "d 755 0 0 1.000000000 a", "line 2 is cut off"},
		{"empty line", "\n", "wrong number of fields"},
		{"unknown type", "s 755 0 0 1.000000000 a\n", "unknown type 's'"},
		{"too few", "d 755 0 0 1.000000000\n", "wrong number of fields"},
		{"leading zero", "d 0755 0 0 1.000000000 a\n", "spelled"},
		{"not octal", "d 758 0 0 1.000000000 a\n", "spelled"},
		{"mode too large", "d 10000 0 0 1.000000000 a\n", "spelled"},
		{"uid too large", "d 755 4294967296 0 1.000000000 a\n", "spelled"},
		{"short time", "d 755 0 0 1.00000000 a\n", "spelled"},
		{"negative zero", "d 755 0 0 -0.000000000 a\n", "spelled"},
		{"upper-case escape", "d 755 0 0 1.000000000 a\\x0A\n", "spelled"},
		{"needless escape", "d 755 0 0 1.000000000 a\\x61\n", "spelled"},
		{"half an escape", "d 755 0 0 1.000000000 a\\x0\n", "spelled"},
		{"absolute", "d 755 0 0 1.000000000 /a\n", "invalid path"},
		{"dots", "d 755 0 0 1.000000000 ..\n", "invalid path"},
		{"nul", "d 755 0 0 1.000000000 a\\x00\n", "invalid path"},
		{"empty path", "w \n", "invalid path"},
		{"twice", "w a\nw a\n", "out of order"},
		{"out of order", "w b\nw a\n", "out of order"},
		{"no parent", "w a/b\n", "the parent of"},
		{"parent is a file", file + "a\n" + file + "a/b\n", "the parent of"},
		{"link to nothing", "h a b\n", "hard link"},
		{"link to itself", "h a a\n", "hard link"},
		{"link to a directory", "d 755 0 0 1.000000000 a\nh a b\n", "hard link"},
		{"link to a link", file + "a\nh a b\nh b c\n", "hard link"},
		{"link to a whiteout", "w a\nh a b\n", "hard link"},
		{"opaque file", file + "a opaque\n", "spelled"},
		{"opaque after xattr", "d 755 0 0 1.000000000 a user.x= opaque\n", "spelled"},
		{"volatile directory", "d 755 0 0 1.000000000 a volatile\n", "spelled"},
		{"xattrs out of order", "d 755 0 0 1.000000000 a user.y= user.x=\n", "out of order"},
		{"xattr not allowed", "d 755 0 0 1.000000000 a trusted.x=\n", "allow-list"},
		{"odd xattr value", "d 755 0 0 1.000000000 a user.x=0\n", "spelled"},
		{"upper-case xattr value", "d 755 0 0 1.000000000 a user.x=AA\n", "spelled"},
		{"unmarked whiteout", "c 644 0 0 1.000000000 0:0 a\n", "whiteout"},
		{"empty target", "l 777 0 0 1.000000000  a\n", "target"},
		{"more after whiteout", "w a b\n", "wrong number"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := test.text
			if !strings.Contains(test.name, "format") {
				text = listingFormat + text
			}
			_, err := ParseListing([]byte(text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want %q in it", err, test.want)
			}
		})
	}
}

// The text is a format on disk: it changes with its version only.
func TestListingText(t *testing.T) {
	at := time.Unix(1700000000, 5).UTC()
	l := Listing{Entries: []Entry{
		{Path: "dev", Type: TypeDir, Mode: 0o755, ModTime: at, Opaque: true},
		{Path: "dev/null", Type: TypeChar, Mode: 0o666, Rdev: unix.Mkdev(1, 3), ModTime: at},
		{Path: "file", Type: TypeFile, Mode: 0o4755, UID: 1, GID: 2, Size: 3, Digest: DigestBytes([]byte("abc")), ModTime: at,
			Xattrs: []Xattr{{"security.capability", "\x01\x00"}, {"user.a=b", "v"}}},
		{Path: "gone", Type: TypeChar, Whiteout: true},
		{Path: "log", Type: TypeFile, Mode: 0o600, Size: 3, Digest: DigestBytes([]byte("abc")), ModTime: time.Unix(-2, 0).UTC(), Volatile: true},
		{Path: "odd name\n", Type: TypeSymlink, Mode: 0o777, Link: `a\b`, ModTime: at},
		{Path: "pipe", Type: TypeFIFO, Mode: 0o600, ModTime: at},
	}}
	second := l.Entries[2]
	second.Path, second.HardLink = "second", "file"
	l.Entries = append(l.Entries, second)
	abc := DigestBytes([]byte("abc"))
	want := fmt.Sprintf(`dibgraph listing 1
d 755 0 0 1700000000.000000005 dev opaque
c 666 0 0 1700000000.000000005 1:3 dev/null
f 4755 1 2 1700000000.000000005 3 %[1]s file security.capability=0100 user.a\x3db=76
w gone
f 600 0 0 -2.000000000 3 %[1]s log volatile
l 777 0 0 1700000000.000000005 a\x5cb odd\x20name\x0a
p 600 0 0 1700000000.000000005 pipe
h file second
`, abc)
	text, _ := l.AppendText(nil)
	if string(text) != want {
		t.Errorf("AppendText =\n%swant\n%s", text, want)
	}
	hashed := fmt.Sprintf(`dibgraph layer 1
d 755 0 0 dev opaque
c 666 0 0 1:3 dev/null
f 4755 1 2 3 %[1]s file security.capability=0100 user.a\x3db=76
w gone
f 600 0 0 - - log volatile
l 777 0 0 a\x5cb odd\x20name\x0a
p 600 0 0 pipe
h file second
`, abc)
	if got := l.Digest(); got != DigestBytes([]byte(hashed)) {
		t.Errorf("Digest = %s, not that of\n%s", got, hashed)
	}
}

func TestComparePaths(t *testing.T) {
	sorted := []string{"a", "a/b", "a/b/c", "a/b-", "a-b", "aa", "b", "b\xff"}
	for i, a := range sorted {
		for j, b := range sorted {
			got := comparePaths(a, b)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("comparePaths(%q, %q) = %d", a, b, got)
			}
		}
	}
}

func FuzzParseListing(f *testing.F) {
	digest := DigestBytes(nil).String()
	f.Add([]byte(listingFormat))
	f.Add([]byte(listingFormat + "d 755 0 0 1.000000000 a opaque user.x=00\nf 644 0 0 1.000000000 0 " + digest + " a/b volatile\nh a/b a/c\nw z\n"))
	f.Add([]byte(listingFormat + "c 666 0 0 -1.999999999 1:3 n\\x20\nl 777 0 0 1.000000000 t s\np 0 1 2 3.000000000 t\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := ParseListing(text)
		if err != nil {
			return
		}
		if again, _ := l.AppendText(nil); string(again) != string(text) {
			t.Errorf("%q was accepted but is written\n%q", text, again)
		}
	})
}
