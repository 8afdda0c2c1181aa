package elements

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/nearest"
)

// A Library is what the search path offers. It does not change and can be used
// concurrently.
type Library struct {
	elements map[string]*Element
}

// OpenLibrary looks for elements in the directories of the path, in which a
// relative directory starts at workDir ("" is the working directory of the
// process), and then in stock, whose top-level directories are elements; nil
// is none. Of elements with the same name the first one wins. The error, of
// [Problem] values, names every entry that is not a directory; the library
// then holds the rest.
func OpenLibrary(path []string, workDir string, stock fs.FS) (*Library, error) {
	l := &Library{elements: map[string]*Element{}}
	var problems []*Problem
	at := Definition{WorkDir: workDir}
	for _, entry := range path {
		if err := l.addDir(at.path(entry), entry); err != nil {
			problems = append(problems, &Problem{Message: err.Error(), Hint: emptyEntryHint(entry)})
		}
	}
	if stock != nil {
		if err := l.addStock(stock); err != nil {
			problems = append(problems, &Problem{Message: err.Error()})
		}
	}
	return l, join(problems)
}

// Names returns the names of all elements, sorted.
func (l *Library) Names() []string { return slices.Sorted(maps.Keys(l.elements)) }

// Find returns the element of that name with its lists, but without its tree.
// It returns false when there is none.
func (l *Library) Find(name string) (*Element, bool) {
	e, ok := l.take(name)
	if ok {
		e.readLists() // who resolves reports; who looks sees what can be read
	}
	return e, ok
}

// Open returns the element of that name with its lists and files. The error is
// made of [Problem] values; it names the nearest elements when there is none.
func (l *Library) Open(name string) (*Element, error) {
	e, ok := l.take(name)
	if !ok {
		return nil, l.unknown(name)
	}
	problems := append(e.readLists(), load([]*Element{e})...)
	return e, join(problems)
}

// take returns a copy of an element for the caller to fill in.
func (l *Library) take(name string) (*Element, bool) {
	e, ok := l.elements[name]
	if !ok {
		return nil, false
	}
	taken := *e
	taken.Overridden = nil
	for _, o := range e.Overridden {
		overridden := *o
		taken.Overridden = append(taken.Overridden, &overridden)
	}
	return &taken, true
}

// unknown returns the problem that there is no element of that name.
func (l *Library) unknown(name string) *Problem {
	p := &Problem{Message: fmt.Sprintf("element %q not found", name), Hint: nearest.Question(name, l.Names())}
	if strings.HasPrefix(name, "#") {
		p.Hint = "a list of elements has no comments"
	}
	return p
}

// providers returns the names of the elements that provide a name, sorted.
func (l *Library) providers(name string) []string {
	var names []string
	for _, candidate := range l.Names() {
		if e, _ := l.Find(candidate); slices.Contains(e.Provides, name) {
			names = append(names, candidate)
		}
	}
	return names
}

// addDir adds the elements of one directory.
func (l *Library) addDir(dir, display string) error {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() || display == "" {
		return fmt.Errorf("ELEMENTS_PATH entry '%s' is not a directory", display)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("ELEMENTS_PATH entry '%s' cannot be read: %s", display, cause(err))
	}
	real, err := realDir(dir)
	if err != nil {
		return nil // nobody can come to what is in it
	}
	found := map[string]*Element{}
	// An element is called as its directory, not as a link to that, so two
	// entries can have one name. Then the directory itself wins.
	for _, links := range []bool{false, true} {
		for _, entry := range entries {
			if (entry.Type()&fs.ModeSymlink != 0) != links {
				continue
			}
			at, ok := dirOf(real, entry)
			if name := filepath.Base(at); ok && found[name] == nil {
				found[name] = &Element{Name: name, Dir: at, Origin: filepath.Join(display, entry.Name())}
			}
		}
	}
	for _, e := range found {
		l.add(e)
	}
	return nil
}

// realDir returns the name without links of a directory. It is an error if what is
// in it cannot be reached.
func realDir(dir string) (string, error) {
	if _, err := os.Stat(dir + "/."); err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

// dirOf returns the name without links of the directory that an entry of the
// real directory is or leads to; false for all else.
func dirOf(real string, entry fs.DirEntry) (string, bool) {
	at := filepath.Join(real, entry.Name())
	if entry.Type()&fs.ModeSymlink == 0 {
		return at, entry.IsDir()
	}
	info, err := os.Stat(at)
	if err != nil || !info.IsDir() {
		return "", false
	}
	at, err = filepath.EvalSymlinks(at)
	return at, err == nil
}

// addStock adds the embedded elements.
func (l *Library) addStock(stock fs.FS) error {
	entries, err := fs.ReadDir(stock, ".")
	if err != nil {
		return fmt.Errorf("read the embedded elements: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		sub, err := fs.Sub(stock, entry.Name())
		if err != nil {
			return fmt.Errorf("read the embedded element %q: %w", entry.Name(), err)
		}
		l.add(&Element{Name: entry.Name(), FS: sub, Origin: "embedded"})
	}
	return nil
}

// add adds an element from further back on the path than all that are there.
func (l *Library) add(e *Element) {
	first, ok := l.elements[e.Name]
	if !ok {
		l.elements[e.Name] = e
		return
	}
	same := func(o *Element) bool { return !o.Embedded() && o.Dir == e.Dir && !e.Embedded() }
	if !same(first) && !slices.ContainsFunc(first.Overridden, same) {
		first.Overridden = append(first.Overridden, e)
	}
}

// emptyEntryHint explains an empty entry, which a stray colon makes.
func emptyEntryHint(entry string) string {
	if entry == "" {
		return "a colon at the start or end, or two in a row, make an empty entry"
	}
	return ""
}
