package cache

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// What the builds of a crowd make: blobs of one size. The limit holds what all of
// the crowd use at once, and a third of what there is to make.
const (
	crowdObject = 256 << 10
	crowdWorks  = 40
	crowdLimit  = 7 << 20
)

func init() {
	helpers["builder"] = func(args []string) error {
		seed, err := strconv.ParseUint(args[1], 10, 64)
		if err != nil {
			return err
		}
		return buildForAWhile(args[0], seed, 12)
	}
}

// buildForAWhile does what builds do to a store, one after the other: look up,
// make what misses, read what hits. All that a build found or made must stay
// there until it ends, and be what it should be.
func buildForAWhile(dir string, seed uint64, builds int) error {
	r := rand.New(rand.NewPCG(seed, 1))
	for range builds {
		s, err := Open(dir, Options{MaxSize: crowdLimit})
		if err != nil {
			return err
		}
		var used []*Record
		for range 3 {
			record, err := buildWork(s, r.IntN(crowdWorks))
			if err != nil {
				return errors.Join(err, s.Close())
			}
			used = append(used, record)
		}
		for _, record := range used {
			if _, err := s.Lookup(record.Key); err != nil {
				return errors.Join(fmt.Errorf("it was there: %w", err), s.Close())
			}
			if _, err := s.ReadBlob(record.Outputs["out"].Digest); err != nil {
				return errors.Join(err, s.Close())
			}
		}
		if over := s.Exceeded(); over != 0 {
			return errors.Join(fmt.Errorf("%d over the limit", over), s.Close())
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	return nil
}

func buildWork(s *Store, n int) (*Record, error) {
	description := fmt.Sprint("work ", n)
	content := bytes.Repeat(fmt.Appendf(nil, "%15d\n", n), crowdObject/16)
	r, err := s.Lookup(KeyOf(description))
	if err == nil {
		if want := DigestBytes(content); r.Outputs["out"].Digest != want {
			return nil, fmt.Errorf("the result of %s is that of another", description)
		}
		return r, nil
	}
	if !errors.Is(err, ErrMiss) {
		return nil, err
	}
	out, err := s.PutBytes(content)
	if err != nil {
		return nil, err
	}
	r = &Record{
		Image: "crowd", Node: description, Kind: "hook", Key: KeyOf(description), Static: KeyOf("static " + description),
		Description: description, Shape: []string{}, Outputs: map[string]Blob{"out": out}, Duration: time.Second,
	}
	return r, s.Put(r)
}

// keptSize is what du says of a store without what is being made. Nobody makes
// room meanwhile, so that nothing is counted twice that comes for what goes.
func keptSize(t *testing.T, dir string) int64 {
	lock := must[*os.File](t)(lockFile(dir + "/" + usageFile))
	defer lock.Close()
	out, _ := exec.Command("du", "-s", "--block-size=1", "--exclude="+tmpDir, dir).Output()
	size, _, _ := bytes.Cut(out, []byte("\t"))
	return must[int64](t)(strconv.ParseInt(string(size), 10, 64))
}

// Builds of this and of other processes share a store with a limit. At no moment
// does it take more than that and what is being made, which is one object for
// each build.
func TestStoreStaysWithinItsLimit(t *testing.T) {
	dir := t.TempDir() + "/store"
	first := must[*Store](t)(Open(dir, Options{MaxSize: crowdLimit}))
	check(t, first.Close())
	const inside, outside = 2, 2
	var group sync.WaitGroup
	errs := make(chan error, inside+outside)
	for i := range uint64(inside) {
		group.Go(func() { errs <- buildForAWhile(dir, i, 12) })
	}
	for i := range outside {
		cmd := helperCommand(t, "builder", dir, strconv.Itoa(100+i))
		group.Go(func() { errs <- cmd.Run() })
	}
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	// Markers, and directories that renames make, are not counted.
	const small = 128 << 10
	var samples int
	var most, mostOfAll int64
	for running := true; running; samples++ {
		select {
		case <-done:
			running = false
		default:
		}
		kept := keptSize(t, dir)
		all := du(t, dir)
		most, mostOfAll = max(most, kept), max(mostOfAll, all)
		if kept > crowdLimit+small {
			t.Errorf("the store takes %d, the limit is %d", kept, int64(crowdLimit))
		}
		// What is renamed while du looks may be counted twice.
		if all > crowdLimit+small+2*(inside+outside)*crowdObject {
			t.Errorf("with what is being made it takes %d, the limit is %d", all, int64(crowdLimit))
		}
	}
	for range inside + outside {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d samples: at most %d of %d bytes kept, %d with what was being made", samples, most, int64(crowdLimit), mostOfAll)
	s := openStore(t, dir, Options{})
	check(t, s.Verify(t.Context(), true, func(p Problem) { t.Error(p) }))
	if most < crowdLimit/2 {
		t.Errorf("it never took more than %d: nothing was limited", most)
	}
}

// A build that needs more than the limit is not disturbed, and says so; the store
// is within the limit when it is closed.
func TestLimitGivesWayToOpenStores(t *testing.T) {
	dir := t.TempDir() + "/store"
	s := must[*Store](t)(Open(dir, Options{MaxSize: 1 << 20}))
	var keys []Key
	for i := range 10 {
		keys = append(keys, putSized(t, s, fmt.Sprint("x", i), crowdObject, time.Second))
	}
	for _, k := range keys {
		if !hits(t, s, k) {
			t.Error("the build lost what it made")
		}
	}
	if s.Exceeded() < 1<<20 {
		t.Errorf("Exceeded = %d", s.Exceeded())
	}
	check(t, s.Close())
	if got := du(t, dir); got > 1<<20 {
		t.Errorf("it takes %d after Close", got)
	}
}

func TestMinFree(t *testing.T) {
	dir := storeOf(t, func(s *Store) { putSized(t, s, "a", crowdObject, time.Second) })
	s := must[*Store](t)(Open(dir, Options{MinFree: 1 << 60}))
	k := putSized(t, s, "b", crowdObject, time.Second)
	if exists(s.hashPath(recordsDir, KeyOf("a"))) || !hits(t, s, k) || s.Exceeded() == 0 {
		t.Error("it does not make room, or not that which it can")
	}
	check(t, s.Close())
	if exists(s.path(usageFile)) {
		t.Error("it counts what it takes, which nobody asked for")
	}
	for size, want := range map[int64]int64{100: 10, 1 << 50: 5 << 30} {
		if got := DefaultMinFree(size); got != want {
			t.Errorf("DefaultMinFree(%d) = %d", size, got)
		}
	}
}

// A limit that comes late counts what is there already, and a count that is
// wrong is found out in time.
func TestLimitOfAStoreThatIsThere(t *testing.T) {
	dir := storeOf(t, func(s *Store) {
		for i := range 8 {
			putSized(t, s, fmt.Sprint(i), crowdObject, time.Second)
		}
	})
	s := must[*Store](t)(Open(dir, Options{MaxSize: 1 << 20}))
	putSized(t, s, "x", 10, time.Second)
	check(t, s.Close())
	if got := du(t, dir); got > 1<<20 {
		t.Errorf("it takes %d", got)
	}
	// Others count as well, so that nothing is missed.
	s = must[*Store](t)(Open(dir, Options{}))
	for i := range 8 {
		putSized(t, s, fmt.Sprint("y", i), crowdObject, time.Second)
	}
	check(t, s.Close())
	s = must[*Store](t)(Open(dir, Options{MaxSize: 1 << 20}))
	putSized(t, s, "z", 10, time.Second)
	check(t, s.Close())
	if got := du(t, dir); got > 1<<20 {
		t.Errorf("it takes %d after somebody without a limit", got)
	}
}
