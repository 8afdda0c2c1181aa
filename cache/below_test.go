package cache

import (
	"errors"
	"os"
	"slices"
	"testing"
)

// A record on top of two stacks: every layer of theirs is one of its own.
func stackedRecord(t *testing.T, s *Store) (r *Record, layers []Digest) {
	t.Helper()
	r = testRecord(t, s, "top")
	for _, name := range []string{"low", "high"} {
		one := testRecord(t, s, name)
		below, err := s.PutStack(r.Below, one.Layers, one.Makers, []string{"DIB_" + name})
		check(t, err)
		r.Below, layers = below, append(layers, one.Layers...)
	}
	return r, append(layers, r.Layers...)
}

func TestRecordsKeepTheirStacks(t *testing.T) {
	dir := t.TempDir() + "/store"
	s := openStore(t, dir, Options{})
	r, layers := stackedRecord(t, s)
	check(t, s.Put(r))
	got := must[*Record](t)(openStore(t, dir, Options{ReadOnly: true}).Lookup(r.Key))
	low := got.Below.Below
	if low == nil || low.Below != nil {
		t.Fatalf("the record has not two stacks: %+v", got.Below)
	}
	if all, _ := got.Tree(); !slices.Equal(all, layers) {
		t.Errorf("the layers are %v, want %v", all, layers)
	}
	if got.Below.Sum != SumLayers(Digest{}, layers[:len(layers)-len(r.Layers)]) {
		t.Error("the sum of the stack is not that of its layers")
	}
	if !slices.Equal(low.Mentions, []string{"DIB_low"}) {
		t.Errorf("the lower stack mentions %q", low.Mentions)
	}
}

func TestOwnLayer(t *testing.T) {
	one, two := DigestBytes([]byte("1")), DigestBytes([]byte("2"))
	stack := &Stack{Layers: []Digest{one, two}, Makers: []string{"before", "node"}}
	for name, test := range map[string]struct {
		record Record
		want   Digest
	}{
		"none":                  {Record{Node: "node"}, Digest{}},
		"one of a node before":  {Record{Node: "node", Layers: []Digest{one}, Makers: []string{"before"}}, Digest{}},
		"the last":              {Record{Node: "node", Layers: []Digest{one, two}, Makers: []string{"before", "node"}}, two},
		"the last of the stack": {Record{Node: "node", Below: stack}, two},
		"a stack before it":     {Record{Node: "after", Below: stack}, Digest{}},
	} {
		if got, ok := test.record.Own(); got != test.want || ok == got.IsZero() {
			t.Errorf("%s: layer %s, %t, want %s", name, got, ok, test.want)
		}
	}
}

// Whatever of a stack is lost or damaged makes a miss of the record.
func TestRecordsMissWithoutTheirStacks(t *testing.T) {
	for name, lose := range map[string]func(s *Store, r *Record) error{
		"a layer":         func(s *Store, r *Record) error { return os.RemoveAll(s.hashPath(layersDir, r.Below.Below.Layers[0])) },
		"the lower stack": func(s *Store, r *Record) error { return os.Remove(s.BlobPath(r.Below.Below.Digest)) },
		"the upper stack": func(s *Store, r *Record) error { return os.Remove(s.BlobPath(r.Below.Digest)) },
		"its bytes": func(s *Store, r *Record) error {
			path := s.BlobPath(r.Below.Digest)
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("{}"), 0o400))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir() + "/store"
			s := openStore(t, dir, Options{})
			r, _ := stackedRecord(t, s)
			check(t, s.Put(r))
			check(t, lose(s, r))
			var miss *MissError
			if _, err := openStore(t, dir, Options{}).Lookup(r.Key); !errors.As(err, &miss) || miss.Reason == NeverBuilt {
				t.Errorf("the look-up says %v, want a miss that says why", err)
			}
		})
	}
}

// An unclean boot leaves what a record names through its stacks.
func TestUncleanBootKeepsStacks(t *testing.T) {
	dir := t.TempDir() + "/store"
	s := openBoot(t, dir, "boot 1")
	r, _ := stackedRecord(t, s)
	check(t, s.Put(r))
	check(t, s.Sync())
	must[Blob](t)(s.PutBytes([]byte("orphan"))) // so that there is something to drop
	crash(t, s)
	must[*Record](t)(openBoot(t, dir, "boot 2").Lookup(r.Key))
}
