package cache

import (
	"errors"
	"os"
	"slices"
	"testing"
)

func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, s *Store, r *Record)
		quick []string
		full  []string
	}{
		{"nothing", func(*testing.T, *Store, *Record) {}, nil, nil},
		{"byte in a layer", func(t *testing.T, s *Store, r *Record) {
			check(t, os.WriteFile(s.hashPath(layersDir, r.Layers[0])+"/tree/d/file", []byte("layer of X"), 0))
		}, nil, []string{"layer", "record"}},
		{"mode in a layer", func(t *testing.T, s *Store, r *Record) {
			check(t, os.Chmod(s.hashPath(layersDir, r.Layers[0])+"/tree/d/file", 0o777))
		}, nil, []string{"layer", "record"}},
		{"new file in a layer", func(t *testing.T, s *Store, r *Record) {
			check(t, os.WriteFile(s.hashPath(layersDir, r.Layers[0])+"/tree/d/new", nil, 0o644))
		}, nil, []string{"layer", "record"}},
		{"file missing deep in a layer", func(t *testing.T, s *Store, r *Record) {
			check(t, os.Remove(s.hashPath(layersDir, r.Layers[0])+"/tree/d/file"))
		}, nil, []string{"layer", "record"}},
		{"byte in a blob", func(t *testing.T, s *Store, r *Record) {
			overwrite(t, s.BlobPath(r.Log.Digest), "log of X")
		}, nil, []string{"blob", "record"}},
		{"blob cut off", func(t *testing.T, s *Store, r *Record) {
			overwrite(t, s.BlobPath(r.Log.Digest), "l")
		}, []string{"record"}, []string{"blob", "record"}},
		{"no layer", func(t *testing.T, s *Store, r *Record) {
			check(t, os.RemoveAll(s.hashPath(layersDir, r.Layers[0])))
		}, []string{"record"}, []string{"record"}},
		{"torn record", func(t *testing.T, s *Store, r *Record) {
			overwrite(t, s.hashPath(recordsDir, r.Key), "{")
		}, []string{"record"}, []string{"record"}},
	} {
		for _, full := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				s := newStore(t)
				r := testRecord(t, s, "d")
				check(t, s.Put(r))
				healthy := testRecord(t, s, "healthy")
				check(t, s.Put(healthy))
				test.spoil(t, s, r)
				s = openStore(t, s.Dir(), Options{})
				var kinds []string
				check(t, s.Verify(t.Context(), full, func(p Problem) {
					kinds = append(kinds, p.Kind)
					if p.Detail == "" || p.Kind == "record" && p.Name != r.Key.String() {
						t.Errorf("problem %+v of record %s", p, r.Key)
					}
				}))
				want := test.quick
				if full {
					want = test.full
				}
				if !slices.Equal(kinds, want) {
					t.Errorf("full %t: problems with %q, want %q", full, kinds, want)
				}
				check(t, s.Verify(t.Context(), full, func(p Problem) { t.Errorf("the second time: %v", p) }))
				must[*Record](t)(s.Lookup(healthy.Key))
			})
		}
	}
}

func TestVerifyCancelled(t *testing.T) {
	s := newStore(t)
	r := testRecord(t, s, "d")
	check(t, s.Put(r))
	ctx, cancel := contextWithCause(t)
	cancel(errStop)
	if err := s.Verify(ctx, true, nil); !errors.Is(err, errStop) {
		t.Errorf("error = %v, want the cause", err)
	}
	other := testLayer(t, s, "other")
	if _, err := s.Squash(ctx, []Digest{r.Layers[0], other}); !errors.Is(err, errStop) {
		t.Errorf("Squash: error = %v, want the cause", err)
	}
	must[string](t)(s.Squash(t.Context(), []Digest{r.Layers[0], other}))
}
