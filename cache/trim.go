package cache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// TrimOptions say how far a store is trimmed. The zero value removes only what
// is of no use, see [Store.Trim].
type TrimOptions struct {
	// MaxSize is how much the store may take on disk, in bytes; 0 is no limit.
	MaxSize int64
	// MinFree is how much of its filesystem has to be free for users that are
	// not root, in bytes.
	MinFree int64
	// Keep keeps what was used within that time.
	Keep time.Duration
	// DryRun changes nothing. The store may be read-only then.
	DryRun bool
	// Now is the time that uses are compared with; zero is that of the clock of
	// the store. Uses after it count as now.
	Now time.Time
}

// A TrimReport says what a trim did, or would do.
type TrimReport struct {
	// Before and After are what the store takes, without temporary files.
	Before int64 `json:"before"`
	After  int64 `json:"after"`
	// Over is by how much the limits are still exceeded: the rest is kept or
	// used by running builds.
	Over int64 `json:"over"`
	// Records are the results given up, in the order in which they were chosen.
	Records []TrimmedRecord `json:"records"`
	// Remake is how long the work of Records took: what it costs to need all
	// of them again.
	Remake time.Duration `json:"remake"`
	// Useless counts the bytes that nothing was lost with: content that no record
	// names, and leftovers past their age.
	Useless int64 `json:"useless"`
}

// A TrimmedRecord is a result that was given up.
type TrimmedRecord struct {
	Key   Key           `json:"key"`
	Image string        `json:"image"`
	Node  string        `json:"node"`
	Kind  string        `json:"kind"`
	Bytes int64         `json:"bytes"` // freed with it
	Used  time.Time     `json:"used"`
	Took  time.Duration `json:"took"`
}

// Trim brings the store within limits: it gives up the results that take the
// most room for the least time saved, counting for less what was not used for
// long. What open stores use, what is pinned and what is kept is never chosen.
//
// Limits or not, it removes what is of no use: content that no record names for
// an hour, and leftovers past the ages that are listed at [usefulFor].
//
// What goes is chosen and renamed under a lock that look-ups wait for, and
// deleted after it.
func (s *Store) Trim(ctx context.Context, o TrimOptions) (*TrimReport, error) {
	if s.readOnly && !o.DryRun {
		return nil, ErrReadOnly
	}
	if o.Now.IsZero() {
		o.Now = s.now()
	}
	report, err := s.trim(ctx, o)
	if err == nil && !o.DryRun {
		err = s.noteTotal(report.After)
	}
	if err != nil {
		return nil, fmt.Errorf("trim store %q: %w", s.dir, err)
	}
	return report, nil
}

func (s *Store) trim(ctx context.Context, o TrimOptions) (*TrimReport, error) {
	t := trim{s: s, o: o}
	report, err := t.choose(ctx)
	if err == nil && !o.DryRun {
		err = s.emptyTrash()
	}
	return report, err
}

// A trim lives for one call of Trim.
type trim struct {
	s      *Store
	o      TrimOptions
	inv    *inventory
	leased map[[hashSize]byte]bool
}

// choose also renames what it chose, so that the lock covers both.
func (t *trim) choose(ctx context.Context) (*TrimReport, error) {
	if !t.o.DryRun {
		lock, err := lockFile(t.s.path(trimLock))
		if err != nil {
			return nil, err
		}
		defer lock.Close()
	}
	var err error
	if t.inv, err = t.s.takeInventory(newMeter(ctx)); err != nil {
		return nil, err
	}
	// After the inventory: see leased.
	if t.leased, err = t.s.leased(); err != nil {
		return nil, err
	}
	report := &TrimReport{Before: t.inv.total, After: t.inv.total, Records: []TrimmedRecord{}}
	if report.Useless, err = t.removeUseless(ctx); err != nil {
		return nil, err
	}
	report.Useless += t.inv.trash
	report.After -= report.Useless
	need, err := t.needed(report)
	if err != nil {
		return nil, err
	}
	if err := t.protect(); err != nil {
		return nil, err
	}
	if need > 0 {
		merged, err := t.removeMerged(ctx)
		if err != nil {
			return nil, err
		}
		report.Useless, report.After, need = report.Useless+merged, report.After-merged, need-merged
	}
	freed, err := t.evict(need, report)
	report.After -= freed
	report.Over = max(need-freed, 0)
	return report, err
}

// needed returns how many bytes have to go after what is of no use.
func (t *trim) needed(report *TrimReport) (int64, error) {
	var need int64
	if t.o.MaxSize > 0 {
		need = report.After - t.o.MaxSize
	}
	if t.o.MinFree > 0 {
		free, err := freeBytes(t.s.dir)
		if err != nil {
			return 0, err
		}
		need = max(need, t.o.MinFree-free-report.Useless)
	}
	return max(need, 0), nil
}

// freeBytes returns how much others than root may still write.
func freeBytes(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// protect marks what must stay.
func (t *trim) protect() error {
	pinned, err := t.s.pinnedKeys()
	if err != nil {
		return err
	}
	for i := range t.inv.records {
		r := &t.inv.records[i]
		recent := t.o.Keep > 0 && t.o.Now.Sub(r.used) < t.o.Keep
		r.keep = recent || t.leased[r.key] || pinned[r.key]
	}
	for i := range t.inv.objects {
		o := &t.inv.objects[i]
		// What just came may be named by a record that is not written yet.
		o.keep = t.leased[o.hash] || o.naming == 0 && o.texts == 0
	}
	return nil
}

// evict gives up records, and the content that goes with them.
func (t *trim) evict(need int64, report *TrimReport) (int64, error) {
	e := newEviction(t.inv, t.o.Now)
	e.free(need)
	for _, i := range e.dropped {
		r := &t.inv.records[i]
		report.Remake += r.took
		report.Records = append(report.Records, TrimmedRecord{r.key, r.image, r.node, r.kind, r.freed, r.used, r.took})
		// Records first: a record without content would be a miss with a riddle.
		if err := t.remove(t.s.hashPath(recordsDir, r.key)); err != nil {
			return e.freed, err
		}
	}
	for i := range t.inv.objects {
		o := &t.inv.objects[i]
		if !o.gone {
			continue
		}
		if err := t.removeObject(o); err != nil {
			return e.freed, err
		}
	}
	return e.freed, nil
}

func (t *trim) removeObject(o *object) error {
	if !t.o.DryRun && o.dir == layersDir {
		t.s.checked.forget(o.hash)
		t.s.stacks.doubt()
	}
	return t.remove(t.s.hashPath(o.dir, o.hash))
}

// remove renames something away. It is no error if it is gone already. Each
// victim has a name of its own in the trash: a store that is closed meanwhile
// deletes what it finds there.
func (t *trim) remove(path string) error {
	if t.o.DryRun {
		return nil
	}
	return ignoreMissing(os.Rename(path, t.s.trashName()))
}

// removeMerged removes merged directories that no running build uses. They are
// made again in seconds, and share files with layers that may have to go.
func (t *trim) removeMerged(ctx context.Context) (int64, error) {
	m := newMeter(ctx)
	var merged [][hashSize]byte
	err := t.s.eachHash(squashDir, func(id [hashSize]byte) error {
		if !t.leased[id] {
			merged = append(merged, id)
		}
		return nil
	})
	if err != nil || len(merged) == 0 {
		return 0, err
	}
	for _, id := range merged {
		path := t.s.hashPath(squashDir, id)
		if err := countOwn(m, path); err != nil {
			return 0, err
		}
		if err := t.remove(path); err != nil {
			return 0, err
		}
	}
	return m.bytes, nil
}

// countOwn counts what a merged directory does not share with layers.
func countOwn(m *meter, dir string) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return ignoreMissing(err)
		}
		var st unix.Stat_t
		if err := lstat(path, &st); err != nil {
			return ignoreMissing(err)
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR || st.Nlink == 1 {
			m.bytes += st.Blocks * blockBytes
		}
		return nil
	})
}

// keysOf returns the keys that the nodes of an image used last.
func (s *Store) keysOf(image string) ([]Key, error) {
	return s.historyKeys(escapeName(image))
}

func (s *Store) historyKeys(dir string) ([]Key, error) {
	nodes, err := readNames(s.path(historyDir, dir))
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, node := range nodes {
		data, err := os.ReadFile(s.path(historyDir, dir, node))
		if err != nil && ignoreMissing(err) != nil {
			return nil, err
		}
		if k, ok := parseHash(trimLine(data)); ok {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b Key) int { return slices.Compare(a[:], b[:]) })
	return keys, nil
}
