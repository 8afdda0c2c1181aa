package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// maxShapes is how many shapes are kept for a static key. A node has more than
// one if what it reads depends on what it finds there; each costs the evaluation
// of its names at a look-up.
const maxShapes = 16

// Shapes returns the trace shapes seen for a static key, newest first. There are
// none for a key that was never put.
func (s *Store) Shapes(static Key) ([][]string, error) {
	data, err := wholefile.Read(s.hashPath(shapesDir, static))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read shapes of %s: %w", static.Short(), err)
	}
	shapes, err := parseShapes(data)
	if err != nil {
		// Without its shape a record is not found, and its node runs again.
		s.quarantine(s.hashPath(shapesDir, static), "shapes")
		return nil, nil
	}
	return shapes, nil
}

func parseShapes(data []byte) ([][]string, error) {
	var shapes [][]string
	if err := unmarshalRecord(data, &shapes); err != nil {
		return nil, err
	}
	for i := range shapes {
		if shapes[i] == nil {
			shapes[i] = []string{}
		}
	}
	return shapes, nil
}

// addShape makes shape the newest one of a static key.
func (s *Store) addShape(static Key, shape []string) error {
	if shape == nil {
		shape = []string{}
	}
	if shapes, err := s.Shapes(static); err != nil || len(shapes) > 0 && slices.Equal(shapes[0], shape) {
		return err
	}
	// Two processes may add a shape to the same key.
	lock, err := lockFile(s.path(shapesDir, "lock"))
	if err != nil {
		return err
	}
	defer lock.Close()
	shapes, err := s.Shapes(static)
	if err != nil {
		return err
	}
	updated := [][]string{shape}
	for _, old := range shapes {
		if len(updated) < maxShapes && !slices.Equal(old, shape) {
			updated = append(updated, old)
		}
	}
	data, err := json.Marshal(updated)
	if err != nil {
		return err
	}
	return s.writeFile(s.hashPath(shapesDir, static), append(data, '\n'))
}
