package steps

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/dibgraph/dibgraph/steps/mention"
)

// A carry finds out what of the words of a run lives on in the tree that it
// leaves. A hook may install a program that reads a variable, for later hooks to
// call; it has to be somewhere in what the hook wrote, with its words. What a
// hook merely mentions itself ends with it.
type carry struct {
	vars *Variables
	// words are those of the hook and of the element files it read.
	words mention.Words
	// names are the words that can be variables which are inputs only where they
	// are mentioned, by their first bytes, which are looked for first.
	names map[string][]string
	// packaged are the files that a package manager put there: what packages
	// know of variables is no element's.
	packaged map[string]bool

	mu    sync.Mutex // guards found
	found mention.Words
}

// carried returns the words that the files of a finished upper directory have
// in common with the hook that wrote them.
func (v *Variables) carried(upper string, words mention.Words) (mention.Words, error) {
	c := &carry{vars: v, words: words, names: make(map[string][]string), found: mention.Words{Names: make(map[string]bool)}}
	if words.Opaque {
		// What it read is no text: there is nothing to look for.
		return mention.Words{All: true}, nil
	}
	lasting := slices.DeleteFunc(slices.Collect(maps.Keys(words.Names)), func(name string) bool { return !v.lasts(name) })
	for _, name := range slices.Concat(lasting, words.Prefixes) {
		start := name[:min(4, len(name))]
		c.names[start] = append(c.names[start], name)
	}
	if len(c.names) == 0 && !words.All {
		return c.found, nil
	}
	var err error
	if c.packaged, err = packagedFiles(upper); err != nil {
		return c.found, err
	}
	err = c.scan(upper)
	c.found.Prefixes = slices.Compact(slices.Sorted(slices.Values(c.found.Prefixes)))
	return c.found, err
}

// packagedFiles returns the paths, in an upper directory, of the files that
// packages of dpkg which were installed or upgraded there own.
func packagedFiles(upper string) (map[string]bool, error) {
	lists, err := filepath.Glob(filepath.Join(upper, "mnt/var/lib/dpkg/info/*.list"))
	if err != nil {
		return nil, err
	}
	owned := make(map[string]bool)
	for _, name := range lists {
		info, err := os.Lstat(name)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			continue // a whiteout: the package was removed
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			owned[filepath.Join(upper, "mnt", lines.Text())] = true
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, err
		}
	}
	return owned, nil
}

func (c *carry) scan(upper string) error {
	var files errgroup.Group
	files.SetLimit(runtime.NumCPU())
	err := filepath.WalkDir(upper, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files.Go(func() error { return c.file(path) })
		}
		return err
	})
	return errors.Join(err, files.Wait())
}

// textStart is how much of a file is looked at to tell whether it is text.
const textStart = 4 << 10

// file looks for the words in one file.
func (c *carry) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buffer := windows.Get().(*[window]byte)
	defer windows.Put(buffer)
	n, err := io.ReadFull(f, buffer[:textStart])
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	packaged := c.packaged[path]
	if packaged && bytes.IndexByte(buffer[:n], 0) >= 0 {
		return nil
	}
	if c.words.All && !packaged {
		return c.whole(io.MultiReader(bytes.NewReader(bytes.Clone(buffer[:n])), f))
	}
	return c.search(f, buffer, n)
}

// whole reads a file in the way an element's is read, for a hook of which any
// word may be a variable.
func (c *carry) whole(r io.Reader) error {
	const maxText = 1 << 20 // what is larger is data; see the scan of elements
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return err
	}
	words := mention.Words{All: true}
	if len(text) <= maxText {
		words = mention.Of(text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found.All = c.found.All || words.All
	for name := range words.Names {
		if c.vars.lasts(name) {
			c.found.Names[name] = true
		}
	}
	c.found.Prefixes = append(c.found.Prefixes, words.Prefixes...)
	return nil
}

// Files are searched in windows that overlap by more than any name is long. Most
// files that a hook leaves are small and come by the ten thousand, so that the
// windows are used again.
const (
	window  = 256 << 10
	overlap = 256
)

var windows = sync.Pool{New: func() any { return new([window]byte) }}

// search looks for the names in a file, of which the first n bytes have been read
// into the window.
func (c *carry) search(r io.Reader, buffer *[window]byte, n int) error {
	for {
		more, err := io.ReadFull(r, buffer[n:])
		n += more
		c.look(buffer[:n])
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		n = copy(buffer[:], buffer[n-overlap:n])
	}
}

func (c *carry) look(content []byte) {
	for start, names := range c.names {
		if !bytes.Contains(content, []byte(start)) {
			continue
		}
		for _, name := range names {
			if bytes.Contains(content, []byte(name)) {
				c.note(name)
			}
		}
	}
}

func (c *carry) note(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.words.Prefixes, name) {
		c.found.Prefixes = append(c.found.Prefixes, name)
		return
	}
	c.found.Names[name] = true
}
