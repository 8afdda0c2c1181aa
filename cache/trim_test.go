package cache

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"
)

// du is what the program of that name says a directory takes.
func du(t testing.TB, dir string) int64 {
	t.Helper()
	out, err := exec.Command("du", "-s", "--block-size=1", dir).Output()
	if err != nil && len(out) == 0 { // a file that goes away meanwhile is an error
		t.Fatal(err)
	}
	size, _, _ := bytes.Cut(out, []byte("\t"))
	return must[int64](t)(strconv.ParseInt(string(size), 10, 64))
}

// putSized stores a record with an output of so many bytes that took so long.
func putSized(t testing.TB, s *Store, name string, size int, took time.Duration) Key {
	t.Helper()
	r := testRecord(t, s, name)
	content := bytes.Repeat([]byte(name+" "), size/(len(name)+1)+1)[:size]
	r.Outputs["out"] = must[Blob](t)(s.PutBytes(content))
	r.Duration = took
	check(t, s.Put(r))
	return r.Key
}

// storeOf returns the directory of a store that fill filled and nobody has open.
func storeOf(t testing.TB, fill func(*Store)) string {
	t.Helper()
	dir := t.TempDir() + "/store"
	s := must[*Store](t)(Open(dir, Options{}))
	fill(s)
	check(t, s.Close())
	return dir
}

func totalOf(t testing.TB, s *Store) int64 {
	t.Helper()
	var total int64
	for _, u := range must[[]Usage](t)(s.DiskUsage(t.Context())) {
		total += u.Bytes
	}
	return total
}

func TestDiskUsageIsThatOfDu(t *testing.T) {
	dir := storeOf(t, func(s *Store) {
		var layers []Digest
		for i := range 20 {
			putSized(t, s, fmt.Sprint("record ", i), 10000*i, time.Second)
			layers = append(layers, testLayer(t, s, fmt.Sprint("layer ", i)))
		}
		// Another tree of the same files.
		must[string](t)(s.Squash(t.Context(), layers))
	})
	s := openStore(t, dir, Options{ReadOnly: true})
	got, want := totalOf(t, s), du(t, dir)
	if got < want*99/100 || got > want*101/100 {
		t.Errorf("DiskUsage = %d, du says %d", got, want)
	}
	// What a trim counts is the same but for what comes and goes.
	inv := must[*inventory](t)(s.takeInventory(newMeter(t.Context())))
	want -= du(t, dir+"/tmp") + du(t, dir+"/trash")
	if inv.total < want*99/100 || inv.total > want*101/100 {
		t.Errorf("an inventory counts %d, du says %d", inv.total, want)
	}
}

func hits(t testing.TB, s *Store, k Key) bool {
	t.Helper()
	_, err := s.Lookup(k)
	if err != nil && !errors.Is(err, ErrMiss) {
		t.Fatal(err)
	}
	return err == nil
}

func TestTrimGivesUpWhatIsLargeAndCheap(t *testing.T) {
	var base, disk, old Key
	dir := storeOf(t, func(s *Store) {
		base = putSized(t, s, "base", 1<<20, 40*time.Second)
		disk = putSized(t, s, "disk", 3<<20, 4*time.Second)
		old = putSized(t, s, "old", 1<<20, 40*time.Second)
	})
	s := openStore(t, dir, Options{})
	now := time.Now()
	long := now.Add(-1000 * time.Hour)
	check(t, os.Chtimes(s.hashPath(recordsDir, old), long, long))
	before := du(t, dir)
	trim := func(o TrimOptions) *TrimReport {
		t.Helper()
		return must[*TrimReport](t)(s.Trim(t.Context(), o))
	}
	dry := trim(TrimOptions{MaxSize: before - 1<<20, DryRun: true})
	if len(dry.Records) != 1 || dry.Records[0].Key != old || dry.Remake != 40*time.Second || du(t, dir) != before {
		t.Fatalf("the old one does not go first: %+v", dry)
	}
	report := trim(TrimOptions{MaxSize: 3 << 20})
	if len(report.Records) != 2 || report.Records[1].Key != disk || report.Over != 0 {
		t.Errorf("the report is %+v", report)
	}
	if got := du(t, dir); got > 3<<20 {
		t.Errorf("the store takes %d", got)
	}
	if hits(t, s, old) || hits(t, s, disk) || !hits(t, s, base) {
		t.Error("something else was given up than what was reported")
	}
	for _, d := range dry.Records {
		if d.Bytes < 1<<20 {
			t.Errorf("it is said to free %d bytes", d.Bytes)
		}
	}
}

func TestTrimKeepsWhatRecordsShare(t *testing.T) {
	var first, second *Record
	dir := storeOf(t, func(s *Store) {
		first, second = testRecord(t, s, "first"), testRecord(t, s, "second")
		second.Layers = slices.Concat(first.Layers, second.Layers)
		second.Makers = []string{"a", "b"}
		first.Duration, second.Duration = time.Millisecond, time.Hour
		check(t, s.Put(first))
		check(t, s.Put(second))
	})
	s := openStore(t, dir, Options{})
	size := must[*TrimReport](t)(s.Trim(t.Context(), TrimOptions{})).After
	report := must[*TrimReport](t)(s.Trim(t.Context(), TrimOptions{MaxSize: size - 10000}))
	if len(report.Records) != 1 || report.Records[0].Key != first.Key || !hits(t, s, second.Key) {
		t.Errorf("given up: %+v", report.Records)
	}
	report = must[*TrimReport](t)(openStore(t, dir, Options{ReadOnly: true}).Trim(t.Context(), TrimOptions{MaxSize: 1, DryRun: true}))
	if len(report.Records) != 0 || report.Over == 0 {
		t.Errorf("what was looked up would be given up: %+v", report)
	}
}

func TestTrimKeepsWhatOpenStoresUse(t *testing.T) {
	var used, idle Key
	dir := storeOf(t, func(s *Store) {
		used, idle = putSized(t, s, "used", 1000, time.Second), putSized(t, s, "idle", 1000, time.Second)
	})
	trimmer := openStore(t, dir, Options{})
	user := must[*Store](t)(Open(dir, Options{}))
	if !hits(t, user, used) {
		t.Fatal("a miss")
	}
	made := putSized(t, user, "made", 1000, time.Second)
	// Content before its record, too.
	blob := must[Blob](t)(user.PutBytes([]byte("to be named")))
	later := time.Now().Add(1000 * time.Hour)
	must[*TrimReport](t)(trimmer.Trim(t.Context(), TrimOptions{MaxSize: 1, Now: later}))
	if _, there := user.HasBlob(blob.Digest); !there || !exists(user.hashPath(recordsDir, used)) || !exists(user.hashPath(recordsDir, made)) {
		t.Error("what an open store uses was trimmed")
	}
	if exists(user.hashPath(recordsDir, idle)) {
		t.Error("what nobody uses was not trimmed")
	}
	check(t, user.Close())
	must[*TrimReport](t)(trimmer.Trim(t.Context(), TrimOptions{MaxSize: 1, Now: later}))
	if exists(user.hashPath(recordsDir, used)) || exists(user.BlobPath(blob.Digest)) {
		t.Error("leases outlive their owner")
	}
}

func TestTrimKeepsRecent(t *testing.T) {
	var k, future, old Key
	dir := storeOf(t, func(s *Store) {
		k, future, old = putSized(t, s, "a", 1000, 0), putSized(t, s, "b", 1000, 0), putSized(t, s, "c", 1000, 0)
	})
	s := openStore(t, dir, Options{})
	for k, at := range map[Key]time.Duration{k: -time.Minute, future: 1000 * time.Hour, old: -2 * time.Hour} {
		when := time.Now().Add(at)
		check(t, os.Chtimes(s.hashPath(recordsDir, k), when, when))
	}
	must[*TrimReport](t)(s.Trim(t.Context(), TrimOptions{MaxSize: 1, Keep: time.Hour}))
	if !hits(t, s, k) || !hits(t, s, future) || hits(t, s, old) {
		t.Error("it is not what was used within an hour that stayed")
	}
	if r := recency(time.Now().Add(time.Hour), time.Now()); r != 1 {
		t.Errorf("a use to come counts %f", r)
	}
}

func TestTrimKeepsPins(t *testing.T) {
	var keys []Key
	var build Build
	dir := storeOf(t, func(s *Store) {
		for i := range 4 {
			keys = append(keys, putSized(t, s, fmt.Sprint(i), 1000, 0))
		}
		check(t, s.SetLast("web", "n", keys[0]))
		check(t, s.SetLast("db", "install.d/1", keys[1]))
		build = Build{Image: "x", Nodes: []BuildNode{{Name: "n", Key: keys[2]}}}
		check(t, s.PutBuild(&build))
		check(t, s.Pin(PinImage, "web"))
		check(t, s.Pin(PinNode, "install.d/1"))
		check(t, s.Pin(PinBuild, build.ID))
	})
	s := openStore(t, dir, Options{})
	must[*TrimReport](t)(s.Trim(t.Context(), TrimOptions{MaxSize: 1}))
	for i, k := range keys {
		if exists(s.hashPath(recordsDir, k)) != (i < 3) {
			t.Errorf("record %d: pinned %t", i, i < 3)
		}
	}
	check(t, s.Unpin(PinImage, "web"))
	if err := s.Unpin(PinImage, "web"); !errors.Is(err, ErrMissing) {
		t.Errorf("Unpin of nothing: %v", err)
	}
	must[*TrimReport](t)(s.Trim(t.Context(), TrimOptions{MaxSize: 1}))
	if exists(s.hashPath(recordsDir, keys[0])) || len(must[[]Pin](t)(s.Pins())) != 2 {
		t.Error("it is still pinned")
	}
	if err := s.Pin(PinBuild, "20200101T000000.000-abcdef"); !errors.Is(err, ErrMissing) {
		t.Errorf("Pin of an unknown build: %v", err)
	}
}

func TestTrimRemovesLeftovers(t *testing.T) {
	var k Key
	var named, unnamed Blob
	var layer Digest
	dir := storeOf(t, func(s *Store) {
		k = putSized(t, s, "a", 1000, 0)
		named, unnamed = must[Blob](t)(s.PutBytes([]byte("log"))), must[Blob](t)(s.PutBytes([]byte("nobody's")))
		check(t, s.PutBuild(&Build{Image: "x", Nodes: []BuildNode{{Name: "n", Log: named}}}))
		layer = testLayer(t, s, "nobody's")
		check(t, s.PutToken(Token{Name: "t"}))
		check(t, s.addShape(KeyOf("gone"), []string{"x"}))
		check(t, s.SetLast("web", "gone", KeyOf("gone")))
		check(t, s.SetLast("web", "n", k))
		check(t, os.MkdirAll(s.path(failedDir, "web", "n"), 0o700))
		check(t, os.WriteFile(s.path(quarantineDir, "x"), nil, 0o600))
	})
	s := openStore(t, dir, Options{})
	leftovers := []string{
		s.BlobPath(unnamed.Digest), s.hashPath(layersDir, layer), s.tokenPath("t"), s.hashPath(shapesDir, KeyOf("gone")),
		s.historyPath("web", "gone"), s.path(failedDir, "web", "n"), s.path(quarantineDir, "x"),
	}
	must[*TrimReport](t)(s.Trim(t.Context(), TrimOptions{}))
	for _, path := range leftovers {
		if !exists(path) {
			t.Errorf("%s is gone at once", path)
		}
	}
	must[*TrimReport](t)(s.Trim(t.Context(), TrimOptions{Now: time.Now().Add(askedFor + time.Hour)}))
	for _, path := range leftovers {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
	if _, there := s.HasBlob(named.Digest); !there || !hits(t, s, k) || !exists(s.historyPath("web", "n")) || !exists(s.hashPath(shapesDir, KeyOf("static"))) {
		t.Error("something of use is gone")
	}
}

func TestTrimOfAReadOnlyStore(t *testing.T) {
	dir := storeOf(t, func(s *Store) { putSized(t, s, "a", 1000, 0) })
	s := openStore(t, dir, Options{ReadOnly: true})
	if _, err := s.Trim(t.Context(), TrimOptions{}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Trim: %v", err)
	}
	held := must[[]Held](t)(s.Contents(t.Context()))
	if len(held) != 1 || held[0].Image != "image" || held[0].Bytes < 1000 || held[0].Pinned {
		t.Errorf("Contents = %+v", held)
	}
}

// Another store that is closed while a trim chooses deletes what is in the trash
// by then; what is chosen after that goes all the same.
func TestTrimWhileAnotherStoreEmptiesTheTrash(t *testing.T) {
	dir := t.TempDir() + "/store"
	s, other := openStore(t, dir, Options{}), openStore(t, dir, Options{})
	choosing := trim{s: s}
	for range 2 {
		victim := must[string](t)(s.TempDir("victim"))
		check(t, choosing.remove(victim))
		if _, err := os.Lstat(victim); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a victim is still there: %v", err)
		}
		check(t, other.emptyTrash())
	}
}
