package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// How long a trim leaves what is of no use to builds.
const (
	// unnamedFor is for content that no record names, and notes that belong to
	// no record: the process that is about to write the record may have lost its
	// lease, as one does that is stopped in a debugger.
	unnamedFor = time.Hour
	// studiedFor is for damaged content in quarantine, and for what failed nodes
	// had written.
	studiedFor = 7 * 24 * time.Hour
	// askedFor is for what servers said, for the history of nodes whose record is
	// gone, and for what an unclean boot made worthless.
	askedFor = 90 * 24 * time.Hour
	// deliveredFor is for receipts. Without one, the file that was delivered is
	// taken for one of the user's.
	deliveredFor = 366 * 24 * time.Hour
)

// usefulFor lists what is removed by age alone, whatever it is: directories of
// the store, how deep the entries in them are, and the age. Builds are not among
// them; [Store.PutBuild] keeps the last 200.
var usefulFor = []struct {
	dir   string
	depth int
	age   time.Duration
}{
	{quarantineDir, 1, studiedFor},
	{failedDir, 2, studiedFor},
	{tokensDir, 2, askedFor},
	{validatorsDir, 2, askedFor},
	{deliveredDir, 2, deliveredFor},
	{lostDir, 2, askedFor},
}

// failedDir holds what failed nodes had written, by image.
const failedDir = "failed"

// removeUseless removes what no build can use, and returns what it took.
func (t *trim) removeUseless(ctx context.Context) (int64, error) {
	m := newMeter(ctx)
	for i := range t.inv.objects {
		o := &t.inv.objects[i]
		if o.naming > 0 || o.texts > 0 || t.leased[o.hash] || t.o.Now.Sub(o.changed) < unnamedFor {
			continue
		}
		o.gone = true
		m.bytes += o.bytes
		if err := t.removeObject(o); err != nil {
			return 0, err
		}
	}
	for _, u := range usefulFor {
		if err := t.removeOld(m, t.s.path(u.dir), u.depth, u.age); err != nil {
			return 0, err
		}
	}
	return m.bytes, errors.Join(t.removeNotes(m), t.removeHistory(m))
}

// removeOld removes the entries so deep below dir that did not change for an age.
func (t *trim) removeOld(m *meter, dir string, depth int, age time.Duration) error {
	names, err := readNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if depth > 1 {
			err = t.removeOld(m, path, depth-1, age)
		} else {
			err = t.removeIfOld(m, path, age)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *trim) removeIfOld(m *meter, path string, age time.Duration) error {
	var st unix.Stat_t
	if err := lstat(path, &st); err != nil {
		return ignoreMissing(err)
	}
	if t.o.Now.Sub(time.Unix(st.Ctim.Sec, st.Ctim.Nsec)) < age {
		return nil
	}
	if err := m.add(path); err != nil {
		return err
	}
	return t.remove(path)
}

// removeNotes removes shapes without a record, and notes about where content is
// that no record names.
func (t *trim) removeNotes(m *meter) error {
	static := make(map[[hashSize]byte]bool)
	for _, r := range t.inv.records {
		static[r.static] = true
	}
	named := func(d [hashSize]byte) bool {
		for _, dir := range []string{layersDir, blobsDir} {
			if i, here := t.inv.index[objectID{dir, d}]; here && t.inv.objects[i].naming > 0 {
				return true
			}
		}
		return t.inv.elsewhere[d]
	}
	for dir, used := range map[string]func([hashSize]byte) bool{
		shapesDir: func(k [hashSize]byte) bool { return static[k] },
		placesDir: named,
	} {
		err := t.s.eachHash(dir, func(hash [hashSize]byte) error {
			if used(hash) {
				return nil
			}
			return t.removeIfOld(m, t.s.hashPath(dir, hash), unnamedFor)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// removeHistory removes what nodes used last if that is gone for long.
func (t *trim) removeHistory(m *meter) error {
	images, err := readNames(t.s.path(historyDir))
	if err != nil {
		return err
	}
	known := make(map[Key]bool, len(t.inv.records))
	for _, r := range t.inv.records {
		known[r.key] = true
	}
	for _, image := range images {
		nodes, err := readNames(t.s.path(historyDir, image))
		if err != nil {
			return err
		}
		for _, node := range nodes {
			path := t.s.path(historyDir, image, node)
			data, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if k, ok := parseHash(trimLine(data)); ok && known[k] {
				continue
			}
			if err := t.removeIfOld(m, path, askedFor); err != nil {
				return err
			}
		}
	}
	return nil
}
