package elements

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// write makes a directory of files. A text that starts with "#!" makes an
// executable, "-> target" a link, and a name that ends in "/" a directory.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		at := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		target, isLink := strings.CutPrefix(text, "-> ")
		switch {
		case err != nil:
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(at, 0o755)
		case isLink:
			err = os.Symlink(target, at)
		default:
			err = os.WriteFile(at, []byte(text), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// stockOf makes an embedded library of the same kind of description.
func stockOf(files map[string]string) fs.FS {
	stock := fstest.MapFS{}
	for name, text := range files {
		stock[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o444}
	}
	return stock
}

// messages returns the problems of an error, a line each.
func messages(err error) string {
	var lines []string
	for _, p := range Problems(err) {
		line := p.Error()
		if p.Hint != "" {
			line += " [" + p.Hint + "]"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestOpenLibrary(t *testing.T) {
	first := write(t, map[string]string{
		"web/element-deps": "db\n", ".hidden/x": "", "plain-file": "", "alias": "-> dup", "dup/x": "1", "away": "-> " + write(t, map[string]string{"real/x": ""}) + "/real",
		"broken": "-> nothing", "a-dup": "-> " + write(t, map[string]string{"dup/x": "2"}) + "/dup",
	})
	second := write(t, map[string]string{"web/element-deps": "other\n", "db/element-provides": "database\n"})
	stock := stockOf(map[string]string{"web/x": "", "vm/element-deps": "block-device\n", "README": ""})
	l, err := OpenLibrary([]string{first, second, first}, "", stock)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{".hidden", "db", "dup", "real", "vm", "web"}
	if got := l.Names(); !slices.Equal(got, want) {
		t.Errorf("Names = %q, want %q", got, want)
	}
	web, _ := l.Find("web")
	if web.Dir != filepath.Join(first, "web") || !slices.Equal(web.Deps, []string{"db"}) || web.Embedded() {
		t.Errorf("Find(web) = %+v", web)
	}
	if len(web.Overridden) != 2 || web.Overridden[0].Dir != filepath.Join(second, "web") || !web.Overridden[1].Embedded() {
		t.Errorf("web overrides %+v", web.Overridden)
	}
	if db, _ := l.Find("db"); !slices.Equal(db.Provides, []string{"database"}) {
		t.Errorf("db provides %q", db.Provides)
	}
	if dup, _ := l.Find("dup"); dup.Dir != filepath.Join(first, "dup") {
		t.Errorf("dup is %q, want the directory itself before links to others", dup.Dir)
	}
	if _, ok := l.Find("alias"); ok {
		t.Error("an alias is known by its own name")
	}
}

// Where an element is does not depend on the way to it, and what it is called by
// is as the user has it.
func TestOpenLibraryThroughLinks(t *testing.T) {
	dir := write(t, map[string]string{
		"real/web/x": "", "real/alias": "-> ../other/db", "other/db/x": "", "real/up": "-> ..", "linked": "-> real", "work/x": "",
	})
	for _, entry := range []string{"../linked", filepath.Join(dir, "linked"), "../work/../linked/."} {
		l, err := OpenLibrary([]string{entry}, filepath.Join(dir, "work"), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"web": "real/web", "db": "other/db", filepath.Base(dir): "."}
		if len(l.Names()) != len(want) {
			t.Errorf("%s: Names = %q", entry, l.Names())
		}
		for name, at := range want {
			if e, ok := l.Find(name); !ok || e.Dir != filepath.Join(dir, at) {
				t.Errorf("%s: Find(%s) = %+v, want it in %s", entry, name, e, at)
			}
		}
		if e, _ := l.Find("db"); e != nil && e.Origin != filepath.Join(entry, "alias") {
			t.Errorf("%s: origin of db %q", entry, e.Origin)
		}
	}
}

func TestOpenLibraryProblems(t *testing.T) {
	dir := write(t, map[string]string{"file": "", "web/x": ""})
	l, err := OpenLibrary([]string{filepath.Join(dir, "file"), "nothing", dir, ""}, "/", nil)
	want := strings.Join([]string{
		"ELEMENTS_PATH entry '" + dir + "/file' is not a directory",
		"ELEMENTS_PATH entry 'nothing' is not a directory",
		"ELEMENTS_PATH entry '' is not a directory [a colon at the start or end, or two in a row, make an empty entry]",
	}, "\n")
	if got := messages(err); got != want {
		t.Errorf("problems:\n%s\nwant:\n%s", got, want)
	}
	if got := l.Names(); !slices.Equal(got, []string{"web"}) {
		t.Errorf("Names = %q", got)
	}
}

func TestOpenLibraryRelative(t *testing.T) {
	dir := write(t, map[string]string{"elements/web/x": ""})
	l, err := OpenLibrary([]string{"elements"}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	web, err := l.Open("web")
	if err != nil {
		t.Fatal(err)
	}
	if web.Origin != "elements/web" || web.Dir != filepath.Join(dir, "elements/web") || web.Tree.Files[0].Source != "elements/web/x" {
		t.Errorf("web is at %q (%q), its file at %q", web.Dir, web.Origin, web.Tree.Files[0].Source)
	}
}

func TestLibraryOpen(t *testing.T) {
	l, err := OpenLibrary(nil, "", stockOf(map[string]string{
		"vm/finalise.d/50-x": "#!/bin/sh\necho $DIB_X\n", "vm/data": "text", "base/element-deps": "a\n\n  b \na\n# c\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	vm, err := l.Open("vm")
	if err != nil {
		t.Fatal(err)
	}
	hook, _ := vm.Tree.Lookup("finalise.d/50-x")
	data, _ := vm.Tree.Lookup("data")
	dir, _ := vm.Tree.Lookup("finalise.d")
	if hook.Mode != 0o755 || !hook.Executable || data.Mode != 0o644 || data.Executable || dir.Mode != fs.ModeDir|0o755 {
		t.Errorf("modes of embedded files: hook %v, data %v, directory %v", hook.Mode, data.Mode, dir.Mode)
	}
	if hook.Source != "embedded:vm/finalise.d/50-x" || hook.Element != "vm" || !hook.ModTime.Equal(data.ModTime) || hook.Size != 22 {
		t.Errorf("embedded file %+v", hook)
	}
	if !hook.Words.Match("DIB_X") || hook.Words.Match("DIB_Y") {
		t.Errorf("a hook with $DIB_X has the words %v", hook.Words.Strings())
	}
	base, err := l.Open("base")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "# c"}; !slices.Equal(base.Deps, want) {
		t.Errorf("Deps = %q, want %q", base.Deps, want)
	}
	if _, err := l.Open("vn"); messages(err) != `element "vn" not found [did you mean "vm"?]` {
		t.Errorf("Open(vn): %s", messages(err))
	}
}
