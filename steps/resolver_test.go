package steps

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const own = "nameserver 192.0.2.1\n"

// newRoot makes a root tree with a resolv.conf; "" makes none, and a link
// target after "-> " a symbolic link.
func newRoot(t *testing.T, resolver string) string {
	t.Helper()
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "etc"), 0o755))
	setResolver(t, root, resolver)
	return root
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func setResolver(t *testing.T, root, text string) {
	t.Helper()
	path := filepath.Join(root, resolverFile)
	must(t, removeIfThere(path))
	switch {
	case text == "":
	case len(text) > 3 && text[:3] == "-> ":
		must(t, os.Symlink(text[3:], path))
	default:
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

// seen returns what is at a path, in the form of newRoot.
func seen(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return ""
	}
	must(t, err)
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		must(t, err)
		return "-> " + target
	}
	content, err := os.ReadFile(path)
	must(t, err)
	return string(content)
}

// The whole way of an image's resolv.conf, with what hooks can do to it.
func TestResolver(t *testing.T) {
	for _, test := range []struct {
		name     string
		original string
		hook     func(t *testing.T, root string)
		want     string
	}{
		{"a file comes back", own, nil, own},
		{"a link comes back", "-> ../run/resolv.conf", nil, "-> ../run/resolv.conf"},
		{"none stays none", "", nil, ""},
		{"hooks edit the original", own, func(t *testing.T, root string) {
			must(t, os.WriteFile(filepath.Join(root, resolverFile+".ORIG"), []byte("edited\n"), 0o644))
		}, "edited\n"},
		{"hooks bring an original", "", func(t *testing.T, root string) {
			must(t, os.WriteFile(filepath.Join(root, resolverFile+".ORIG"), []byte("brought\n"), 0o644))
		}, "brought\n"},
		{"a link that a hook makes stays", own, func(t *testing.T, root string) {
			setResolver(t, root, "-> /run/resolver")
		}, "-> /run/resolver"},
		{"a file that a hook writes does not", own, func(t *testing.T, root string) {
			setResolver(t, root, "nameserver 192.0.2.9\n")
		}, own},
		{"nor does that a hook removes it", own, func(t *testing.T, root string) {
			setResolver(t, root, "")
		}, own},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := newRoot(t, test.original)
			must(t, installResolver(root))
			if got := seen(t, filepath.Join(root, resolverFile)); got != resolverPlaceholder {
				t.Errorf("between hooks it is %q", got)
			}
			if got := seen(t, filepath.Join(root, resolverFile+".ORIG")); got != test.original {
				t.Errorf("the original is %q, want %q", got, test.original)
			}
			if test.hook != nil {
				test.hook(t, root)
			}
			must(t, restoreResolver(root))
			if got := seen(t, filepath.Join(root, resolverFile)); got != test.want {
				t.Errorf("in the end it is %q, want %q", got, test.want)
			}
			if got := seen(t, filepath.Join(root, resolverFile+".ORIG")); got != "" {
				t.Errorf("the original is left: %q", got)
			}
		})
	}
}

func TestLendResolver(t *testing.T) {
	for _, test := range []struct {
		name, text string
		lent       bool
	}{
		{"the placeholder", resolverPlaceholder, true},
		{"what a hook wrote", own, false},
		{"a link", "-> /run/resolver", false},
		{"nothing", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := newRoot(t, test.text)
			lent, err := lendResolver(root)
			if err != nil || lent != test.lent {
				t.Fatalf("lent %t, %v, want %t", lent, err, test.lent)
			}
			want := test.text
			if lent {
				want = string(hostResolver())
			}
			if got := seen(t, filepath.Join(root, resolverFile)); got != want {
				t.Errorf("hooks see %q, want %q", got, want)
			}
		})
	}
}

// What was lent is in no layer; what a hook made of it is.
func TestWithdrawResolver(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"the host's", string(hostResolver()), ""},
		{"more than the host's", string(hostResolver()) + own, string(hostResolver()) + own},
		{"a link", "-> /run/resolver", "-> /run/resolver"},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			upper := t.TempDir()
			root := filepath.Join(upper, "mnt")
			must(t, os.MkdirAll(filepath.Join(root, "etc"), 0o755))
			setResolver(t, root, test.text)
			must(t, withdrawResolver(upper))
			if got := seen(t, filepath.Join(root, resolverFile)); got != test.want {
				t.Errorf("the layer has %q, want %q", got, test.want)
			}
		})
	}
	must(t, withdrawResolver(t.TempDir())) // a run that did not touch it
}
