package elements

import (
	"io/fs"
	"testing"
)

// link and regular make files for listings.
func link(path, target string) File {
	return File{Path: path, Mode: fs.ModeSymlink | 0o777, Link: target}
}

func regular(path string, mode fs.FileMode) File {
	return File{Path: path, Mode: mode, Executable: mode&0o111 != 0}
}

func directory(path string) File { return File{Path: path, Mode: fs.ModeDir | 0o755} }

func sampleTree() *Tree {
	return newTree([]File{
		directory("bin"), regular("bin/tool", 0o755), regular("bin.txt", 0o644), directory("bin-x"), regular("bin-x/y", 0o644),
		directory("install.d"), regular("install.d/10-a", 0o755), directory("install.d/sub"), regular("install.d/sub/z", 0o755),
		link("install.d/20-tool", "../bin/tool"), link("install.d/30-chain", "20-tool"), link("install.d/40-out", "../../x"),
		link("install.d/50-abs", "/sub/z"), link("install.d/60-loop", "60-loop"), link("install.d/70-dir", "sub"),
		link("install.d/80-through", "70-dir/z"), link("install.d/90-file", "10-a/x"), link("latest", "install.d"),
	})
}

func TestTreeLookup(t *testing.T) {
	tree := sampleTree()
	for _, f := range tree.Files {
		if got, ok := tree.Lookup(f.Path); !ok || got.Path != f.Path {
			t.Errorf("Lookup(%q) = %q, %t", f.Path, got.Path, ok)
		}
	}
	for _, name := range []string{"", "nothing", "bin/", "bin/too", "zzz"} {
		if f, ok := tree.Lookup(name); ok {
			t.Errorf("Lookup(%q) = %q, want nothing", name, f.Path)
		}
	}
}

func TestTreeUnder(t *testing.T) {
	tree := sampleTree()
	if got := paths(tree.Under("bin")); got != "bin/tool" {
		t.Errorf(`Under("bin") = %s`, got)
	}
	if got := paths(tree.Under("install.d/sub")); got != "install.d/sub/z" {
		t.Errorf(`Under("install.d/sub") = %s`, got)
	}
	if got := len(tree.Under("")); got != len(tree.Files) {
		t.Errorf(`Under("") has %d files, want %d`, got, len(tree.Files))
	}
	if got := tree.Under("nothing"); len(got) != 0 {
		t.Errorf(`Under("nothing") = %s`, paths(got))
	}
	if got := paths(tree.Entries("")); got != "bin bin-x bin.txt install.d latest" {
		t.Errorf(`Entries("") = %s`, got)
	}
}

func paths(files []File) string {
	text := ""
	for _, f := range files {
		text += " " + f.Path
	}
	if text == "" {
		return ""
	}
	return text[1:]
}

func TestTreeResolve(t *testing.T) {
	tree := sampleTree()
	for _, test := range []struct{ path, want string }{
		{"bin/tool", "bin/tool"},
		{"install.d/20-tool", "bin/tool"},
		{"install.d/30-chain", "bin/tool"},
		{"install.d/40-out", ""},
		{"install.d/50-abs", ""},
		{"install.d/60-loop", ""},
		{"install.d/70-dir", "install.d/sub"},
		{"install.d/80-through", "install.d/sub/z"},
		{"install.d/90-file", ""},
		{"latest/10-a", "install.d/10-a"},
		{"./bin//tool", "bin/tool"},
		{"bin/..", ""},
		{"../bin", ""},
		{"nothing", ""},
	} {
		got, ok := tree.Resolve(test.path)
		if got.Path != test.want || ok != (test.want != "") {
			t.Errorf("Resolve(%q) = %q, %t, want %q", test.path, got.Path, ok, test.want)
		}
	}
}

func TestTreeDigest(t *testing.T) {
	base := func() []File {
		return []File{directory("d"), {Path: "d/f", Mode: 0o644, Digest: [32]byte{1}}, link("l", "d/f")}
	}
	same := newTree(base()).Digest()
	for name, change := range map[string]func([]File){
		"path":       func(f []File) { f[1].Path = "d/g" },
		"content":    func(f []File) { f[1].Digest[0]++ },
		"mode":       func(f []File) { f[1].Mode = 0o755 },
		"setuid":     func(f []File) { f[1].Mode |= fs.ModeSetuid },
		"sticky":     func(f []File) { f[0].Mode |= fs.ModeSticky },
		"link":       func(f []File) { f[2].Link = "d" },
		"type":       func(f []File) { f[0] = File{Path: "d", Mode: 0o755} },
		"line break": func(f []File) { f[1].Path = "d/f\n" },
	} {
		files := base()
		change(files)
		if newTree(files).Digest() == same {
			t.Errorf("another %s, the same digest", name)
		}
	}
	files := base()
	files[1].ModTime, files[1].Source, files[1].Element = embeddedTime, "elsewhere", "other"
	if newTree(files).Digest() != same {
		t.Error("another time and place, another digest")
	}
}
