package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// A meta is the small file beside a tree that makes a cheap check possible.
type meta struct {
	Digest  Digest `json:"digest"`
	Entries int    `json:"entries"`
	Bytes   int64  `json:"bytes"`
	Top     int    `json:"top"`     // entries in the root of the tree
	Listing int64  `json:"listing"` // bytes of the file listing
}

func metaOf(l *Listing) meta {
	return meta{Digest: l.Digest(), Entries: len(l.Entries), Bytes: l.Bytes(), Top: l.top()}
}

// LayerBytes returns how many bytes of content a layer has, 0 for one that is
// not here.
func (s *Store) LayerBytes(d Digest) int64 {
	data, err := wholefile.Read(s.hashPath(layersDir, d) + "/meta")
	if err != nil {
		return 0
	}
	var m meta
	if err := unmarshalRecord(data, &m); err != nil {
		return 0
	}
	return m.Bytes
}

// write makes the files listing and meta in dir.
func (m *meta) write(dir string, l *Listing) error {
	text, _ := l.AppendText(nil) // never fails
	m.Listing = int64(len(text))
	if err := os.WriteFile(dir+"/listing", text, 0o400); err != nil {
		return err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(dir+"/meta", append(data, '\n'), 0o400)
}

// checkTree compares dir with the meta in it, without reading the tree. It
// returns a description of the damage.
func checkTree(dir string, d Digest) (damage string, err error) {
	data, err := wholefile.Read(dir + "/meta")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return "it has no meta", nil
	}
	if err != nil {
		return "", err
	}
	var m meta
	if err := unmarshalRecord(data, &m); err != nil {
		return fmt.Sprintf("meta: %v", err), nil
	}
	if m.Digest != d {
		return "its meta is of " + m.Digest.Short(), nil
	}
	var listing unix.Stat_t
	err = lstat(dir+"/listing", &listing)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err != nil || listing.Size != m.Listing {
		return fmt.Sprintf("its listing has not the %d bytes of its meta", m.Listing), nil
	}
	return checkTop(dir+"/tree", m.Top)
}

// checkTop counts the names in the root of a tree.
func checkTop(tree string, want int) (damage string, err error) {
	names, err := os.ReadDir(tree)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return "it has no tree", nil
	}
	if err != nil {
		return "", err
	}
	if len(names) != want {
		return fmt.Sprintf("the root of its tree has %d entries, not %d", len(names), want), nil
	}
	return "", nil
}

// checkedLayers remembers which layers passed checkTree: the records of one
// image name the same layers again and again.
type checkedLayers struct {
	mu     sync.Mutex
	states map[Digest]dirState
}

// A dirState changes when a directory is replaced or an entry of it is.
type dirState struct {
	dev, ino uint64
	changed  unix.Timespec
}

func (c *checkedLayers) is(d Digest, state dirState) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.states[d]
	return ok && known == state
}

// has reports whether the layer was found whole, and not missed since.
func (c *checkedLayers) has(d Digest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.states[d]
	return ok
}

func (c *checkedLayers) add(d Digest, state dirState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.states == nil {
		c.states = map[Digest]dirState{}
	}
	c.states[d] = state
}

func (c *checkedLayers) forget(d Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.states, d)
}

// checkLayer finds out cheaply whether a layer is there and whole.
func (s *Store) checkLayer(d Digest) error {
	dir := s.hashPath(layersDir, d)
	var st unix.Stat_t
	err := lstat(dir, &st)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missingLayer(d)
	case s.readOnly && errors.Is(err, fs.ErrPermission):
		return nil // there or not: that is not for this user to know
	case err != nil:
		return fmt.Errorf("check layer %s: %w", d.Short(), err)
	}
	state := dirState{dev: uint64(st.Dev), ino: st.Ino, changed: st.Ctim}
	if s.checked.is(d, state) {
		return nil
	}
	damage, err := checkTree(dir, d)
	switch {
	case s.readOnly && errors.Is(err, fs.ErrPermission):
		return nil
	case err != nil:
		return fmt.Errorf("check layer %s: %w", d.Short(), err)
	case damage != "":
		return damagedLayer(d, damage)
	}
	s.checked.add(d, state)
	return nil
}
