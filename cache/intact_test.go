package cache

import (
	"errors"
	"os"
	"testing"
)

// Damage deep in a layer is found before the layer is used, once for each open
// store, and the layer goes to quarantine.
func TestDamagedFileOfLayer(t *testing.T) {
	for name, damage := range map[string]func(tree string) error{
		"truncated": func(tree string) error { return os.Truncate(tree+"/d/f", 3) },
		"empty":     func(tree string) error { return os.Truncate(tree+"/d/f", 0) },
		"missing":   func(tree string) error { return os.Remove(tree + "/d/f") },
		"a directory": func(tree string) error {
			return errors.Join(os.Remove(tree+"/d/f"), os.Mkdir(tree+"/d/f", 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			layer := must[Layer](t)(s.CommitLayer(files(t, s, "d/", "d/f"), LayerOptions{}))
			check(t, damage(s.hashPath(layersDir, layer.Digest)+"/tree"))
			if _, err := s.LayerDir(layer.Digest); !errors.Is(err, ErrDamaged) {
				t.Errorf("LayerDir = %v, want ErrDamaged", err)
			}
			if _, err := s.LayerDir(layer.Digest); !errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
				t.Errorf("then LayerDir = %v, want ErrMissing", err)
			}
		})
	}
}
