package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// testRecord stores a layer and two blobs and returns a record that names them.
func testRecord(t testing.TB, s *Store, description string) *Record {
	t.Helper()
	return &Record{
		Image: "image", Node: "install.d/50-x", Kind: "hook",
		Key: KeyOf(description), Static: KeyOf("static"), Description: description,
		Shape:    []string{"dir hooks/static", "file hooks/bin/pkg-map"},
		Layers:   []Digest{testLayer(t, s, "layer of "+description)},
		Makers:   []string{"node"},
		Mounts:   []Mount{{Source: "/x", Point: "mnt/y", FSType: "none", Options: "rw", ReadOnly: true}},
		Chain:    DigestBytes([]byte("chain")),
		Mentions: []string{"DIB_RELEASE"},
		Outputs:  map[string]Blob{"out": must[Blob](t)(s.PutBytes([]byte("out of " + description)))},
		Log:      must[Blob](t)(s.PutBytes([]byte("log of " + description))),
		Tools:    map[string]string{"mke2fs": "1.47"},
		Started:  time.Date(2024, 2, 3, 4, 5, 6, 7, time.UTC), Duration: time.Second,
		Builder: "someone",
	}
}

// testLayer commits a layer with one file in a directory.
func testLayer(t testing.TB, s *Store, content string) Digest {
	t.Helper()
	upper := must[string](t)(s.TempDir("upper"))
	check(t, os.Mkdir(upper+"/d", 0o755))
	check(t, os.WriteFile(upper+"/d/file", []byte(content), 0o644))
	return must[Layer](t)(s.CommitLayer(upper, LayerOptions{})).Digest
}

func TestRecordComesBack(t *testing.T) {
	dir := t.TempDir() + "/store"
	s := openStore(t, dir, Options{})
	r := testRecord(t, s, "a\nb \"c\"\n")
	check(t, s.Put(r))
	want := *r
	want.Format, want.Epoch = recordFormat, s.journal.current.name
	for _, store := range []*Store{s, openStore(t, dir, Options{}), openStore(t, dir, Options{ReadOnly: true})} {
		for _, get := range []func(Key) (*Record, error){store.Lookup, store.Record} {
			if got := must[*Record](t)(get(r.Key)); !reflect.DeepEqual(got, &want) {
				t.Errorf("got\n%+v, want\n%+v", got, &want)
			}
		}
		if got := must[[][]string](t)(store.Shapes(r.Static)); !reflect.DeepEqual(got, [][]string{r.Shape}) {
			t.Errorf("Shapes = %q", got)
		}
	}
	if r.Format != 0 || r.Epoch != "" {
		t.Error("Put changed the caller's record")
	}
}

func TestAnyRecordComesBack(t *testing.T) {
	s := newStore(t)
	text := rapid.String()
	rapid.Check(t, func(t *rapid.T) {
		r := &Record{
			Image: text.Draw(t, "image"), Node: text.Draw(t, "node"), Description: text.Draw(t, "description"),
			Static: KeyOf(text.Draw(t, "static")), Coarse: rapid.Bool().Draw(t, "coarse"),
			Shape: rapid.SliceOfN(text, 1, -1).Draw(t, "shape"), Builder: text.Draw(t, "builder"),
		}
		slices.Sort(r.Shape)
		r.Key = KeyOf(r.Description)
		if err := s.Put(r); err != nil {
			t.Fatal(err)
		}
		got, err := s.Lookup(r.Key)
		if err != nil {
			t.Fatal(err)
		}
		r.Format, r.Epoch = got.Format, got.Epoch
		if !reflect.DeepEqual(got, r) {
			t.Errorf("got\n%+v, want\n%+v", got, r)
		}
		shapes, err := s.Shapes(r.Static)
		if err != nil || len(shapes) == 0 || !slices.Equal(shapes[0], r.Shape) {
			t.Errorf("Shapes = %q, %v, want %q first", shapes, err, r.Shape)
		}
	})
}

func TestPutRefuses(t *testing.T) {
	s := newStore(t)
	for name, spoil := range map[string]func(r *Record){
		"key of another description": func(r *Record) { r.Description += "x" },
		"no static key":              func(r *Record) { r.Static = Key{} },
		"unsorted shape":             func(r *Record) { r.Shape = []string{"b", "a"} },
		"not UTF-8":                  func(r *Record) { r.Shape = []string{"file \xff"} },
		"zero layer":                 func(r *Record) { r.Layers = []Digest{{}} },
		"missing layer":              func(r *Record) { r.Layers = []Digest{DigestBytes(nil)} },
		"missing output":             func(r *Record) { r.Outputs["x"] = Blob{Digest: DigestBytes([]byte("nowhere"))} },
		"zero output":                func(r *Record) { r.Outputs["x"] = Blob{} },
		"missing log":                func(r *Record) { r.Log = Blob{Digest: DigestBytes([]byte("nowhere"))} },
	} {
		r := testRecord(t, s, "d")
		spoil(r)
		if err := s.Put(r); err == nil || !strings.Contains(err.Error(), r.Key.Short()) {
			t.Errorf("%s: error = %v, want one that names the key", name, err)
		}
		if _, err := s.Lookup(r.Key); !errors.Is(err, ErrMiss) {
			t.Errorf("%s: then Lookup: %v, want a miss", name, err)
		}
	}
}

// What a record names must be there; what is not makes a miss that says so, and
// the same work can be put again.
func TestLookupMisses(t *testing.T) {
	for _, test := range []struct {
		name   string
		spoil  func(t *testing.T, s *Store, r *Record)
		reason MissReason
		detail func(r *Record) string
	}{
		{"nothing", func(t *testing.T, s *Store, r *Record) { check(t, os.Remove(s.hashPath(recordsDir, r.Key))) },
			NeverBuilt, func(*Record) string { return "" }},
		{"no layer", func(t *testing.T, s *Store, r *Record) { check(t, os.RemoveAll(s.hashPath(layersDir, r.Layers[0]))) },
			ContentMissing, func(r *Record) string { return "layer " + r.Layers[0].Short() }},
		{"no tree", func(t *testing.T, s *Store, r *Record) {
			check(t, os.RemoveAll(s.hashPath(layersDir, r.Layers[0])+"/tree"))
		}, Damaged, func(r *Record) string { return "layer " + r.Layers[0].Short() }},
		{"empty tree", func(t *testing.T, s *Store, r *Record) {
			check(t, os.RemoveAll(s.hashPath(layersDir, r.Layers[0])+"/tree/d"))
		}, Damaged, func(r *Record) string { return "has 0 entries, not 1" }},
		{"no listing", func(t *testing.T, s *Store, r *Record) {
			check(t, os.Remove(s.hashPath(layersDir, r.Layers[0])+"/listing"))
		}, Damaged, func(r *Record) string { return "listing" }},
		{"no meta", func(t *testing.T, s *Store, r *Record) {
			check(t, os.Remove(s.hashPath(layersDir, r.Layers[0])+"/meta"))
		}, Damaged, func(r *Record) string { return "meta" }},
		{"torn meta", func(t *testing.T, s *Store, r *Record) {
			overwrite(t, s.hashPath(layersDir, r.Layers[0])+"/meta", "")
		}, Damaged, func(r *Record) string { return "meta" }},
		{"no output", func(t *testing.T, s *Store, r *Record) { check(t, os.Remove(s.BlobPath(r.Outputs["out"].Digest))) },
			ContentMissing, func(r *Record) string { return "blob " + r.Outputs["out"].Digest.Short() }},
		{"short log", func(t *testing.T, s *Store, r *Record) { overwrite(t, s.BlobPath(r.Log.Digest), "x") },
			Damaged, func(r *Record) string { return "blob " + r.Log.Digest.Short() }},
		{"torn record", func(t *testing.T, s *Store, r *Record) { overwrite(t, s.hashPath(recordsDir, r.Key), `{"format": 1`) },
			Damaged, func(*Record) string { return "parse record" }},
		{"empty record", func(t *testing.T, s *Store, r *Record) { overwrite(t, s.hashPath(recordsDir, r.Key), "") },
			Damaged, func(*Record) string { return "parse record" }},
		{"record of another key", func(t *testing.T, s *Store, r *Record) {
			other := testRecord(t, s, "other")
			other.Format = recordFormat
			overwrite(t, s.hashPath(recordsDir, r.Key), string(must[[]byte](t)(other.encode())))
		}, Damaged, func(*Record) string { return "record of " + KeyOf("other").Short() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t)
			put := func() *Record {
				r := testRecord(t, s, "d")
				check(t, s.Put(r))
				must[*Record](t)(s.Lookup(r.Key))
				return r
			}
			r := put()
			test.spoil(t, s, r)
			// Another process comes upon it: this one knows the layer to be good.
			s = openStore(t, s.Dir(), Options{})
			_, err := s.Lookup(r.Key)
			var miss *MissError
			if !errors.As(err, &miss) || !errors.Is(err, ErrMiss) {
				t.Fatalf("Lookup = %v, want a MissError", err)
			}
			if miss.Reason != test.reason || miss.Key != r.Key || !strings.Contains(miss.Detail, test.detail(r)) {
				t.Errorf("miss = %v, want %q with %q", miss, test.reason, test.detail(r))
			}
			if miss.Reason == ContentMissing && (miss.Record == nil || miss.Record.Description != "d") {
				t.Errorf("the miss tells nothing of the inputs: %+v", miss.Record)
			}
			if _, err := s.Lookup(r.Key); !errors.As(err, &miss) || miss.Reason != NeverBuilt {
				t.Errorf("the second Lookup = %v, want that there is no record", err)
			}
			put()
			check(t, s.Verify(t.Context(), true, func(p Problem) { t.Error(p) }))
		})
	}
}

func TestShapesKeepTheNewest(t *testing.T) {
	s := newStore(t)
	static := KeyOf("static")
	put := func(i int) {
		description := fmt.Sprint("d", i)
		r := &Record{Key: KeyOf(description), Static: static, Description: description, Shape: []string{fmt.Sprint("file ", i)}}
		if i == 0 {
			r.Shape = nil
		}
		check(t, s.Put(r))
	}
	put(0)
	if got := must[[][]string](t)(s.Shapes(static)); !reflect.DeepEqual(got, [][]string{{}}) {
		t.Errorf("Shapes = %#v, want the empty shape", got)
	}
	for i := range 20 {
		put(i)
	}
	put(15)
	var want [][]string
	for _, i := range []int{15, 19, 18, 17, 16, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4} {
		want = append(want, []string{fmt.Sprint("file ", i)})
	}
	if got := must[[][]string](t)(s.Shapes(static)); !reflect.DeepEqual(got, want) {
		t.Errorf("Shapes = %q, want %q", got, want)
	}
	overwrite(t, s.hashPath(shapesDir, static), "[[")
	if got, err := s.Shapes(static); got != nil || err != nil {
		t.Errorf("damaged Shapes = %q, %v, want none", got, err)
	}
	put(3)
	if got := must[[][]string](t)(s.Shapes(static)); len(got) != 1 {
		t.Errorf("Shapes = %q", got)
	}
}

func TestShapesAddedAtOnce(t *testing.T) {
	s := newStore(t)
	for round := range 20 {
		static := KeyOf(fmt.Sprint("static", round))
		errs := make(chan error)
		for i := range maxShapes {
			go func() { errs <- s.addShape(static, []string{fmt.Sprint(i)}) }()
		}
		for range maxShapes {
			check(t, <-errs)
		}
		if got := must[[][]string](t)(s.Shapes(static)); len(got) != maxShapes {
			t.Fatalf("%d shapes are left of %d: %q", len(got), maxShapes, got)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	r := &Record{Format: recordFormat, Key: KeyOf("d"), Static: KeyOf("s"), Description: "d", Shape: []string{"a"},
		Layers: []Digest{DigestBytes(nil)}, Makers: []string{"node"}, Outputs: map[string]Blob{"x": {DigestBytes(nil), 1}}}
	data, err := json.Marshal(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecord(data)
		if err != nil {
			return
		}
		again := must[[]byte](t)(json.Marshal(r))
		back, err := ParseRecord(again)
		if err != nil {
			t.Fatalf("%s was accepted, but as %s it is not: %v", data, again, err)
		}
		if third := must[[]byte](t)(json.Marshal(back)); string(third) != string(again) {
			t.Errorf("%s became %s", again, third)
		}
	})
}
