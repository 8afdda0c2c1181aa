package cache

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// An inventory is what a trim chooses from: records, and the content that they
// name, with what each takes on disk.
type inventory struct {
	records []heldRecord
	objects []object
	index   map[objectID]int32
	// elsewhere has what records name and is not here.
	elsewhere map[Digest]bool
	// total is what the store takes without what is being made; trash is what
	// will be deleted of that.
	total, trash int64
}

// A heldRecord is a record as far as a trim needs it.
type heldRecord struct {
	key, static       Key
	image, node, kind string
	bytes             int64 // of its file
	used              time.Time
	took              time.Duration
	own               Digest
	outputs           []Digest
	parts             []int32 // objects without which it is no hit
	texts             []int32 // objects that it can do without
	keep              bool
	gone              bool
	freed             int64 // what went with it
}

type objectID struct {
	dir  string // layersDir or blobsDir
	hash Digest
}

// An object is a layer or a blob.
type object struct {
	objectID
	bytes    int64
	changed  time.Time // when it came to its place, or later
	records  []int32   // that are no hits without it
	naming   int       // how many of them are left
	texts    int       // how many records and builds would like to show it
	value    float64
	keep     bool
	gone     bool
	position int // in the heap
}

func newInventory() *inventory {
	return &inventory{index: make(map[objectID]int32), elsewhere: make(map[Digest]bool)}
}

// takeInventory reads all records and measures all content. Layers come first:
// what merged layers share with them is theirs.
func (s *Store) takeInventory(m *meter) (*inventory, error) {
	inv := newInventory()
	for _, dir := range []string{layersDir, blobsDir} {
		if err := s.countObjects(inv, m, dir); err != nil {
			return nil, err
		}
	}
	err := s.countRecords(inv, m)
	if err == nil {
		err = s.countLogs(inv)
	}
	if err == nil {
		err = s.countOthers(m)
	}
	if err == nil {
		inv.trash, err = m.measure(s.path(trashDir))
	}
	inv.total = m.bytes
	return inv, err
}

// countLogs notes the logs that builds would like to show.
func (s *Store) countLogs(inv *inventory) error {
	names, err := readNames(s.path(buildsDir))
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := os.ReadFile(s.path(buildsDir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		var b Build
		if json.Unmarshal(data, &b) != nil {
			continue // whoever asks for it deals with it
		}
		for _, n := range b.Nodes {
			for _, p := range inv.parts(nil, blobsDir, n.Log.Digest) {
				o := &inv.objects[p]
				o.texts++
				o.value += textWorth * recency(b.Started, s.now())
			}
		}
	}
	return nil
}

// countOthers measures what is neither record nor content, and the directories
// that these are in. What is being made is left out.
func (s *Store) countOthers(m *meter) error {
	if err := m.one(s.dir, new(unix.Stat_t)); err != nil {
		return ignoreMissing(err)
	}
	names, err := readNames(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch name {
		case tmpDir, trashDir:
		case layersDir, blobsDir, recordsDir:
			err = s.countShards(m, name)
		default:
			err = m.add(s.path(name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) countShards(m *meter, dir string) error {
	shards, err := readNames(s.path(dir))
	if err != nil {
		return err
	}
	for _, shard := range append(shards, "") {
		if err := m.one(s.path(dir, shard), new(unix.Stat_t)); ignoreMissing(err) != nil {
			return err
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// countObjects measures the layers or the blobs.
func (s *Store) countObjects(inv *inventory, m *meter, dir string) error {
	return s.eachShard(dir, func(hashes [][hashSize]byte) error {
		stats := make([]unix.Stat_t, len(hashes))
		err := sideBySide(len(hashes), func(i int) error {
			path := s.hashPath(dir, hashes[i])
			if err := lstat(path, &stats[i]); ignoreMissing(err) != nil {
				return &fs.PathError{Op: "lstat", Path: path, Err: err}
			}
			return nil
		})
		for i := 0; err == nil && i < len(hashes); i++ {
			if stats[i].Nlink > 0 { // it was there
				err = s.countObject(inv, m, objectID{dir, hashes[i]}, &stats[i])
			}
		}
		return err
	})
}

func (s *Store) countObject(inv *inventory, m *meter, id objectID, st *unix.Stat_t) error {
	before := m.bytes
	m.count(st)
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		if err := m.addBelow(s.hashPath(id.dir, id.hash)); err != nil {
			return err
		}
	}
	inv.addObject(object{objectID: id, bytes: m.bytes - before, changed: time.Unix(st.Ctim.Sec, st.Ctim.Nsec)})
	return nil
}

func (inv *inventory) addObject(o object) {
	inv.index[o.objectID] = int32(len(inv.objects))
	inv.objects = append(inv.objects, o)
}

// countRecords reads all records. They are many small files: what reading and
// parsing takes is shared by the processors.
func (s *Store) countRecords(inv *inventory, m *meter) error {
	stacks := newStackParts(s, inv)
	return s.eachShard(recordsDir, func(keys [][hashSize]byte) error {
		if m.ctx.Err() != nil {
			return context.Cause(m.ctx)
		}
		read := make([]readRecord, len(keys))
		err := sideBySide(len(keys), func(i int) (err error) {
			read[i], err = s.readRecordHead(keys[i])
			return err
		})
		if err != nil {
			return err
		}
		for i := range read {
			if read[i].stat.Nlink > 0 { // it was there
				m.count(&read[i].stat)
			}
			if read[i].whole {
				inv.countRecord(keys[i], &read[i], stacks)
			}
		}
		return nil
	})
}

func (inv *inventory) countRecord(k Key, read *readRecord, stacks *stackParts) {
	stored, st := &read.stored, &read.stat
	r := heldRecord{
		key: k, static: stored.Static, image: stored.Image, node: stored.Node, kind: stored.Kind,
		bytes: st.Blocks * blockBytes, used: time.Unix(st.Mtim.Sec, st.Mtim.Nsec), took: stored.Duration,
	}
	if last := len(stored.Layers) - 1; last >= 0 && last < len(stored.Makers) && stored.Makers[last] == stored.Node {
		r.own = stored.Layers[last]
	}
	r.parts = append(r.parts, stacks.of(stored.Below)...)
	r.parts = inv.parts(r.parts, layersDir, stored.Layers...)
	for _, b := range stored.Outputs {
		r.outputs = append(r.outputs, b.Digest)
		r.parts = inv.parts(r.parts, blobsDir, b.Digest)
	}
	r.parts = inv.parts(r.parts, blobsDir, stored.Log.Digest)
	for _, b := range stored.Texts {
		r.texts = inv.parts(r.texts, blobsDir, b.Digest)
	}
	inv.addRecord(r)
}

// parts appends the objects of digests. Content that is not here takes no room:
// a record may name some that is elsewhere.
func (inv *inventory) parts(parts []int32, dir string, digests ...Digest) []int32 {
	for _, d := range digests {
		if i, here := inv.index[objectID{dir, d}]; here {
			parts = append(parts, i)
		} else if !d.IsZero() {
			inv.elsewhere[d] = true
		}
	}
	return parts
}

// addRecord adds a record whose parts are there.
func (inv *inventory) addRecord(r heldRecord) {
	i := int32(len(inv.records))
	slices.Sort(r.parts)
	r.parts = slices.Compact(r.parts) // the same layer twice, or two outputs alike
	for _, p := range r.parts {
		o := &inv.objects[p]
		o.records = append(o.records, i)
		o.naming++
	}
	for _, p := range r.texts {
		inv.objects[p].texts++
	}
	inv.records = append(inv.records, r)
}

// stackParts remembers the objects of stacks, which many records share.
type stackParts struct {
	s     *Store
	inv   *inventory
	known map[Digest][]int32
}

func newStackParts(s *Store, inv *inventory) *stackParts {
	return &stackParts{s, inv, make(map[Digest][]int32)}
}

// of returns the objects of a stack and of all below it. A stack that cannot be
// read has none: its records are no hits.
func (c *stackParts) of(d Digest) []int32 {
	if d.IsZero() {
		return nil
	}
	if parts, ok := c.known[d]; ok {
		return parts
	}
	parts := c.inv.parts(nil, blobsDir, d)
	if stored, err := c.s.readStack(d); err == nil {
		parts = append(parts, c.of(stored.Below)...)
		parts = c.inv.parts(parts, layersDir, stored.Layers...)
	}
	c.known[d] = parts
	return parts
}
