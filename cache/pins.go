package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// pinsDir holds what is never trimmed, by the hash of what was pinned.
const pinsDir = "pins"

// What can be pinned.
const (
	PinImage = "image" // what the nodes of the image used last, at any time
	PinNode  = "node"  // what the node used last in any image, at any time
	PinBuild = "build" // what the nodes of the build used
)

// A Pin keeps results from being trimmed.
type Pin struct {
	Kind string    `json:"kind"`
	Name string    `json:"name"` // of the image or node, or the id of the build
	Made time.Time `json:"made"`
	// Keys are those of a build, which may be forgotten before the pin.
	Keys []Key `json:"keys,omitempty"`
}

func (s *Store) pinPath(kind, name string) string {
	return s.path(pinsDir, kind+"-"+escapeName(name))
}

// Pin keeps the results of an image, a node or a build from being trimmed until
// Unpin. A build that is not known is ErrMissing.
func (s *Store) Pin(kind, name string) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	p := Pin{Kind: kind, Name: name, Made: s.now().UTC()}
	if kind == PinBuild {
		b, err := s.Build(name)
		if err != nil {
			return err
		}
		for _, n := range b.Nodes {
			if !n.Key.IsZero() {
				p.Keys = append(p.Keys, n.Key)
			}
		}
	}
	data, err := json.Marshal(&p)
	if err == nil {
		err = s.writeFile(s.pinPath(kind, name), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("pin %s %q: %w", kind, name, err)
	}
	return nil
}

// Unpin ends a pin. One that is not there is ErrMissing.
func (s *Store) Unpin(kind, name string) error {
	if s.readOnly {
		return ErrReadOnly
	}
	err := os.Remove(s.pinPath(kind, name))
	if errors.Is(err, fs.ErrNotExist) {
		return &contentError{what: fmt.Sprintf("a pin of %s %q", kind, name)}
	}
	if err != nil {
		return fmt.Errorf("unpin %s %q: %w", kind, name, err)
	}
	return nil
}

// Pins returns all pins, sorted by kind and name.
func (s *Store) Pins() ([]Pin, error) {
	names, err := readNames(s.path(pinsDir))
	if err != nil {
		return nil, fmt.Errorf("list pins: %w", err)
	}
	pins := []Pin{}
	for _, name := range names {
		data, err := os.ReadFile(s.path(pinsDir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read pin %s: %w", name, err)
		}
		var p Pin
		if err := json.Unmarshal(data, &p); err != nil {
			// To pass over it would give up what somebody wants to keep.
			return nil, fmt.Errorf("read pin %s: %w", s.path(pinsDir, name), err)
		}
		pins = append(pins, p)
	}
	return pins, nil
}

// pinnedKeys returns the keys of all records that pins keep.
func (s *Store) pinnedKeys() (map[Key]bool, error) {
	pins, err := s.Pins()
	if err != nil {
		return nil, err
	}
	pinned := make(map[Key]bool)
	for _, p := range pins {
		keys := p.Keys
		switch p.Kind {
		case PinImage:
			keys, err = s.keysOf(p.Name)
		case PinNode:
			keys, err = s.keysOfNode(p.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("find what %s %q pins: %w", p.Kind, p.Name, err)
		}
		for _, k := range keys {
			pinned[k] = true
		}
	}
	return pinned, nil
}

// keysOfNode returns the keys that nodes of that name used last, in all images.
func (s *Store) keysOfNode(node string) ([]Key, error) {
	images, err := readNames(s.path(historyDir))
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, image := range images {
		data, err := os.ReadFile(s.path(historyDir, image, escapeName(node)))
		if ignoreMissing(err) != nil {
			return nil, err
		}
		if k, ok := parseHash(trimLine(data)); ok {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// HasNode reports whether a node of that name has used a record in any image.
func (s *Store) HasNode(node string) bool {
	keys, err := s.keysOfNode(node)
	return err == nil && len(keys) > 0
}
