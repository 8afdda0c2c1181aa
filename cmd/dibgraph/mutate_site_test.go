package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements/stock"
)

// A site is everything that a build of the suite's image depends on: a
// directory with elements, a home and files of the host, and a command line.
// Edits are its methods. All files are below "site" in the test's directory.
type site struct {
	*program
	image   []string          // elements that are asked for
	vars    map[string]string // variables of the caller
	options []string
	types   string
	paths   []string // ELEMENTS_PATH
	// touched are the files that were edited, as the program knows them.
	touched map[string]bool
	mirror  *mirror // that mutations of sources have
	host    string  // path of a program of the host that a mutation made
	number  int     // of the mutation, so that no two write the same text
}

// services are the elements that are made of service.txtar.
var services = []string{"alpha", "bravo", "charlie", "delta", "easy", "foxtrot", "golf", "hotel", "india", "juliet", "kilo", "lima"}

// newSite writes the files of the image into a new directory.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{program: newProgram(t)}
	s.unpack("image.txtar", strings.NewReplacer())
	for i, name := range services {
		s.unpack("service.txtar", strings.NewReplacer("@NAME", strings.ToUpper(name), "@name", name, "@NN", fmt.Sprintf("%02d", i+1)))
	}
	s.write("site/home/.ssh/authorized_keys", "ssh-ed25519 AAAA someone\n")
	s.write("site/files/motd", "welcome\n")
	s.write("site/files/unused", "nobody reads this\n")
	s.write("site/files/banners/one.txt", "a banner\n")
	s.write("site/files/banners/two.txt", "another\n")
	s.makeTarball("")
	s.tool("cp", "-a", "site", "pristine")
	s.reset()
	return s
}

// unpack writes the files of an archive of testdata.
func (s *site) unpack(name string, words *strings.Replacer) {
	s.t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "mutate", name))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range archive.Files {
		s.write("site/"+words.Replace(f.Name), words.Replace(string(f.Data)))
	}
}

// makeTarball makes the base of the operating system, which the element tiny
// of testdata knows how to, with one more file if a text for it is given.
func (s *site) makeTarball(text string) {
	s.t.Helper()
	s.tool("rm", "-rf", "base")
	s.tool("mkdir", "base")
	hook, err := filepath.Abs("testdata/elements/tiny/root.d/10-tiny")
	if err != nil {
		s.t.Fatal(err)
	}
	s.tool("env", "TARGET_ROOT="+s.program.path("base"), hook)
	s.tool("cp", "-a", "site/base/.", "base")
	if text != "" {
		s.write("base/etc/base-version", text)
	}
	s.tool("tar", "-C", "base", "--sort=name", "--mtime=@0", "-cf", "site/files/base.tar", ".")
	s.touch("site/files/base.tar")
}

// reset makes the site what it was in the beginning.
func (s *site) reset() {
	s.t.Helper()
	s.tool("rm", "-rf", "site")
	s.tool("cp", "-a", "pristine", "site")
	s.image = append(slices.Clone(services),
		"os", "accounts", "ssh-keys", "motd", "proxy", "time", "noise", "beside", "mail", "mta-small", "theme",
		"hook-writer", "feature", "collector", "machine", "tree")
	s.vars = map[string]string{
		"DIB_OS_TARBALL":    "file://" + s.at("files/base.tar"),
		"DIB_MOTD_FILE":     s.at("files/motd"),
		"DIB_BANNER_DIR":    s.at("files/banners"),
		"DIB_OPTIONAL_FILE": s.at("files/optional"), // which is not there
	}
	s.options, s.types = nil, "tar,qcow2"
	s.paths = []string{s.at("overrides"), s.at("elements")}
	s.touched = make(map[string]bool)
}

// at returns the path of a file of the site.
func (s *site) at(name string) string { return s.path("site/" + name) }

func (s *site) touch(name string) {
	if s.touched != nil {
		s.touched[s.path(name)] = true
	}
}

// build builds the image with a store, into a new directory, and returns what
// the store has recorded of it.
func (s *site) build(store, out string) *cache.Build {
	s.t.Helper()
	s.tool("rm", "-rf", out)
	s.tool("mkdir", out)
	one := *s.program
	// What many programs on the host open is the working directory: it must not
	// change but by edits.
	one.dir = s.path("site")
	one.env = slices.Concat(s.env, []string{"HOME=" + s.at("home"), "ELEMENTS_PATH=" + strings.Join(s.paths, ":")})
	for _, name := range slices.Sorted(maps.Keys(s.vars)) {
		one.env = append(one.env, name+"="+s.vars[name])
	}
	args := slices.Concat([]string{"build", "--cache-dir", s.path(store), "-n", "-t", s.types, "-o", s.path(out + "/image")}, s.options, s.image)
	one.run(args...)
	return lastRecorded(s.t, s.path(store))
}

// lastRecorded returns the last build that a store knows of.
func lastRecorded(t *testing.T, dir string) *cache.Build {
	t.Helper()
	store, err := cache.Open(dir, cache.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ids, err := store.Builds("")
	if err != nil || len(ids) == 0 {
		t.Fatalf("builds of %s: %q, %v", dir, ids, err)
	}
	b, err := store.Build(ids[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// result describes all that a build left: the tree, but for what is in logs,
// and the files beside it.
func (s *site) result(out string) map[string]string {
	s.t.Helper()
	dir := s.t.TempDir()
	tree := describeTar(s.program, dir, out+"/image.tar")
	for name := range tree {
		if strings.HasPrefix(name, "var/log/") {
			tree[name] = "a log"
		}
	}
	for path, text := range describeTree(s.t, s.path(out)) {
		switch filepath.Ext(path) {
		case ".tar", ".raw", ".qcow2", ".vmdk", ".md5", ".sha256":
			tree["beside/"+path] = "an output"
		default:
			tree["beside/"+path] = text
		}
	}
	// The files are many, and the test makes many trees.
	if err := os.RemoveAll(dir); err != nil {
		s.t.Fatal(err)
	}
	return tree
}

// The edits that mutations are made of. Names are below "site"; the word NUMBER
// in a text becomes one that no other mutation has.

// put writes a file.
func (s *site) put(name, text string) {
	s.t.Helper()
	s.write("site/"+name, strings.ReplaceAll(text, "NUMBER", fmt.Sprint(s.number)))
	s.touch("site/" + name)
}

// add appends to a file, whose permissions stay.
func (s *site) add(name, text string) {
	s.t.Helper()
	s.put(name, s.read("site/"+name)+text)
}

// replace replaces what must occur in a file.
func (s *site) replace(name, old, text string) {
	s.t.Helper()
	was := s.read("site/" + name)
	if !strings.Contains(was, old) {
		s.t.Fatalf("%s does not have %q", name, old)
	}
	s.put(name, strings.ReplaceAll(was, old, text))
}

func (s *site) remove(name string) {
	s.t.Helper()
	s.tool("rm", "-r", s.at(name))
	s.touch("site/" + name)
}

func (s *site) rename(name, to string) {
	s.t.Helper()
	s.tool("mkdir", "-p", filepath.Dir(s.at(to)))
	s.tool("mv", s.at(name), s.at(to))
	s.touch("site/" + name)
	s.touch("site/" + to)
}

func (s *site) copy(name, to string) {
	s.t.Helper()
	s.tool("mkdir", "-p", filepath.Dir(s.at(to)))
	s.tool("cp", "-a", s.at(name), s.at(to))
	s.touch("site/" + to)
}

func (s *site) chmod(name, mode string) {
	s.t.Helper()
	s.tool("chmod", mode, s.at(name))
	s.touch("site/" + name)
}

// age changes the time of a file, or of everything in a directory.
func (s *site) age(name string) {
	s.t.Helper()
	s.tool("find", s.at(name), "-exec", "touch", "-h", "-d", "2001-02-03", "{}", "+")
}

// link makes a symbolic link.
func (s *site) link(target, name string) {
	s.t.Helper()
	s.tool("ln", "-sfn", target, s.at(name))
	s.touch("site/" + name)
}

// set sets a variable of the caller.
func (s *site) set(name, value string) { s.vars[name] = value }

// drop leaves an element out.
func (s *site) drop(name string) {
	s.image = slices.DeleteFunc(s.image, func(e string) bool { return e == name })
	for _, f := range strings.Fields(s.tool("find", "site/elements/"+name)) {
		s.touch(f)
	}
}

// value returns what a variable of the caller is now.
func (s *site) value(name string) string {
	for _, entry := range s.env {
		if n, value, _ := strings.Cut(entry, "="); n == name {
			return value
		}
	}
	return ""
}

// copyOver makes a copy of an element override it. The files of both are then
// others than before for those who read them.
func (s *site) copyOver(element string) {
	s.t.Helper()
	s.copy("elements/"+element, "overrides/"+element)
	for _, f := range strings.Fields(s.tool("find", "site/elements/"+element)) {
		s.touch(f)
	}
}

// override copies an embedded element to the site.
func (s *site) override(element string) {
	s.t.Helper()
	err := fs.WalkDir(stock.Elements(), element, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(stock.Elements(), name)
		s.put("elements/"+name, string(text))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
