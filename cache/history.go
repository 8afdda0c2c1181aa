package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// Last returns the record that a node of an image used last, without looking for
// what it names. The error is a *MissError if there is none, or no longer.
func (s *Store) Last(image, node string) (*Record, error) {
	if r, ok := s.readAhead(s.historyPath(image, node)); ok {
		return r, nil
	}
	k, err := s.lastKey(image, node)
	if err != nil {
		return nil, fmt.Errorf("read history of %q of image %q: %w", node, image, err)
	}
	if k.IsZero() {
		return nil, &MissError{Reason: NeverBuilt}
	}
	return s.Record(k)
}

// HasHistory reports whether any node of an image has used a record.
func (s *Store) HasHistory(image string) bool {
	names, err := readNames(s.path(historyDir, escapeName(image)))
	return err == nil && len(names) > 0
}

// SetLast notes that a node of an image uses the record of k. Names are
// arbitrary.
func (s *Store) SetLast(image, node string, k Key) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	old, err := s.lastKey(image, node)
	if err == nil && old != k {
		err = s.writeFile(s.historyPath(image, node), []byte(k.String()+"\n"))
	}
	if err != nil {
		return fmt.Errorf("write history of %q of image %q: %w", node, image, err)
	}
	return nil
}

func (s *Store) historyPath(image, node string) string {
	return s.path(historyDir, escapeName(image), escapeName(node))
}

// lastKey returns the zero Key if the node has no history. A damaged one is
// none: it is written anew by the next build.
func (s *Store) lastKey(image, node string) (Key, error) {
	return s.keyIn(s.historyPath(image, node))
}

// keyIn returns the key that a file of the history has.
func (s *Store) keyIn(path string) (Key, error) {
	data, err := wholefile.Read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Key{}, err
	}
	k, _ := parseHash(string(bytes.TrimSuffix(data, []byte("\n"))))
	return k, nil
}
