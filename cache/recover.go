package cache

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// dropLost clears up after an unclean boot. Of what was written in a lost epoch
// nothing can be believed, and content does not say when it was written. But a
// record of another epoch became durable together with all that it names, so
// what no such record or build names is dropped.
//
// The caller holds the lock of the store, and no other store is open: one that
// is would have done this.
func (s *Store) dropLost(lost map[string]bool) error {
	layers, blobs := map[Digest]bool{}, map[Digest]bool{}
	err := s.eachHash(recordsDir, func(k [hashSize]byte) error {
		path := s.hashPath(recordsDir, k)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := ParseRecord(data)
		if err != nil || r.Key != k || lost[r.Epoch] {
			return s.loseRecord(k)
		}
		if r.Below != nil {
			below, err := s.Stack(r.Below.Digest)
			if err != nil {
				return s.loseRecord(k)
			}
			for k := below; k != nil && !blobs[k.Digest]; k = k.Below {
				blobs[k.Digest] = true
				nameAll(layers, k.Layers)
			}
		}
		nameAll(layers, r.Layers)
		for b := range r.blobs {
			blobs[b.Digest] = true
		}
		for _, b := range r.Texts {
			blobs[b.Digest] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.dropLostBuilds(lost, blobs); err != nil {
		return err
	}
	if err := s.dropUnnamed(layersDir, layers); err != nil {
		return err
	}
	s.dropSquashed()
	return s.dropUnnamed(blobsDir, blobs)
}

// dropTorn drops the blobs that were written since a time and are not what their names
// say. Most are logs and texts that no look-up asks for; damage of all else that is
// stored shows when it is used.
func (s *Store) dropTorn(since time.Time) error {
	return s.eachHash(blobsDir, func(d [hashSize]byte) error {
		path := s.hashPath(blobsDir, d)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed by somebody else
		}
		if err != nil || info.ModTime().Before(since) {
			return err
		}
		damage, err := damageOf(path, info.Size(), d)
		if err != nil || damage == "" {
			return err
		}
		return os.Rename(path, s.trashName())
	})
}

// lostDir holds the records that were dropped, until there are others of their
// keys: so that it can be said why something runs again.
const lostDir = "lost"

// lostDetail says what became of a record.
const lostDetail = "the machine went down before it was on disk"

func (s *Store) loseRecord(k Key) error {
	return publish(s.hashPath(recordsDir, k), s.hashPath(lostDir, k))
}

// noRecord is the miss of a key without a record.
func (s *Store) noRecord(k Key) error {
	data, err := wholefile.Read(s.hashPath(lostDir, k))
	if err != nil {
		return &MissError{Key: k, Reason: NeverBuilt}
	}
	miss := &MissError{Key: k, Reason: Damaged, Detail: lostDetail}
	if r, err := ParseRecord(data); err == nil && r.Key == k {
		miss.Record = r // what its inputs were
	}
	return miss
}

func nameAll(named map[Digest]bool, digests []Digest) {
	for _, d := range digests {
		named[d] = true
	}
}

// dropLostBuilds adds the logs of the builds that remain to blobs.
func (s *Store) dropLostBuilds(lost map[string]bool, blobs map[Digest]bool) error {
	names, err := readNames(s.path(buildsDir))
	if err != nil {
		return err
	}
	for _, name := range names {
		path := s.path(buildsDir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var b Build
		if json.Unmarshal(data, &b) != nil || lost[b.Epoch] {
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		for _, n := range b.Nodes {
			blobs[n.Log.Digest] = true
		}
	}
	return nil
}

func (s *Store) dropUnnamed(dir string, named map[Digest]bool) error {
	return s.eachHash(dir, func(d [hashSize]byte) error {
		if named[d] {
			return nil
		}
		return os.Rename(s.hashPath(dir, d), s.trashName())
	})
}
