package cache

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// crash leaves the store as a power failure would, but for what it loses: the
// locks are gone, and nothing was cleared up.
func crash(t *testing.T, s *Store) {
	t.Helper()
	check(t, s.owner.lock.Close())
}

func openBoot(t *testing.T, dir, boot string) *Store {
	t.Helper()
	s, err := Open(dir, Options{bootID: boot})
	check(t, err)
	return s
}

func TestUncleanBootDropsWhatWasNotSynced(t *testing.T) {
	dir := t.TempDir() + "/store"
	s := openBoot(t, dir, "boot 1")
	durable, lost := testRecord(t, s, "durable"), testRecord(t, s, "lost")
	check(t, s.Put(durable))
	keptLog := must[Blob](t)(s.PutBytes([]byte("log of a failed node")))
	check(t, s.PutBuild(&Build{ID: "1-durable", Image: "i", Nodes: []BuildNode{{Log: keptLog}}}))
	check(t, s.Sync())
	// The content of lost is durable by now, which nobody can know later.
	check(t, s.Put(lost))
	check(t, s.PutBuild(&Build{ID: "2-lost", Image: "i"}))
	orphan := must[Blob](t)(s.PutBytes([]byte("orphan")))
	squashed := must[string](t)(s.Squash(t.Context(), []Digest{durable.Layers[0], lost.Layers[0]}))
	crash(t, s)

	reader := openStore(t, dir, Options{ReadOnly: true, bootID: "boot 2"})
	must[*Record](t)(reader.Lookup(durable.Key))
	if _, err := reader.Lookup(lost.Key); !errors.Is(err, ErrMiss) {
		t.Errorf("read-only Lookup of the lost record: %v, want a miss", err)
	}

	s = openBoot(t, dir, "boot 2")
	must[*Record](t)(s.Lookup(durable.Key))
	var miss *MissError
	for range 2 { // whoever asks
		if _, err := s.Lookup(lost.Key); !errors.As(err, &miss) || miss.Reason != Damaged || miss.Detail != lostDetail || miss.Record == nil {
			t.Errorf("Lookup of the lost record: %v, want that it was lost", err)
		}
	}
	if _, err := s.LayerDir(lost.Layers[0]); !errors.Is(err, ErrMissing) {
		t.Errorf("the layer of the lost record: %v, want ErrMissing", err)
	}
	for _, d := range []Digest{lost.Log.Digest, orphan.Digest} {
		if exists(s.BlobPath(d)) {
			t.Errorf("blob %s was trusted", d.Short())
		}
	}
	if exists(squashed) {
		t.Error("the squashed directory was trusted")
	}
	must[[]byte](t)(s.ReadBlob(keptLog.Digest))
	if ids := must[[]string](t)(s.Builds("")); len(ids) != 1 || ids[0] != "1-durable" {
		t.Errorf("Builds = %q", ids)
	}
	if names := must[[]string](t)(readNames(s.path(pendingDir))); len(names) != 0 {
		t.Errorf("pending has %q", names)
	}
	check(t, s.Verify(t.Context(), true, func(p Problem) { t.Error(p) }))

	// What was lost is put again, and now lasts.
	again := testRecord(t, s, "lost")
	check(t, s.Put(again))
	if exists(s.hashPath(lostDir, again.Key)) {
		t.Error("the lost record is still told of")
	}
	check(t, s.Sync())
	crash(t, s)
	s = openBoot(t, dir, "boot 3")
	must[*Record](t)(s.Lookup(again.Key))
	check(t, s.Close())
}

// Under the same kernel nothing is lost when a process dies.
func TestDeadOwnerOfThisBootIsSynced(t *testing.T) {
	dir := t.TempDir() + "/store"
	s := openBoot(t, dir, "boot 1")
	r := testRecord(t, s, "r")
	check(t, s.Put(r))
	crash(t, s)
	s = openBoot(t, dir, "boot 1")
	if names := must[[]string](t)(readNames(s.path(pendingDir))); len(names) != 0 {
		t.Errorf("pending has %q, want nothing after a sync", names)
	}
	crash(t, s)
	s = openBoot(t, dir, "boot 2")
	must[*Record](t)(s.Lookup(r.Key))
	check(t, s.Close())
}

// A filesystem that failed under this kernel, and was mounted anew, has lost some of what
// was written last. What is whole stays.
func TestAnotherMountDropsTornBlobs(t *testing.T) {
	dir := t.TempDir() + "/store"
	open := func(mount string) *Store {
		return must[*Store](t)(Open(dir, Options{bootID: "boot 1", mountID: mount}))
	}
	s := open("1")
	old := must[Blob](t)(s.PutBytes([]byte("old")))
	check(t, s.Sync())
	past := time.Now().Add(-time.Hour)
	check(t, os.Chtimes(s.BlobPath(old.Digest), past, past))
	r := testRecord(t, s, "r")
	check(t, s.Put(r))
	torn, whole := must[Blob](t)(s.PutBytes([]byte("torn"))), must[Blob](t)(s.PutBytes([]byte("whole")))
	tear := func(b Blob) {
		t.Helper()
		check(t, os.Chmod(s.BlobPath(b.Digest), 0o600))
		check(t, os.Truncate(s.BlobPath(b.Digest), 0))
	}
	tear(torn)
	// Of a mount that was the same, nothing is looked at.
	crash(t, s)
	s = open("1")
	if !exists(s.BlobPath(torn.Digest)) {
		t.Error("a blob was dropped after a process died")
	}
	other := must[Blob](t)(s.PutBytes([]byte("other"))) // another epoch
	tear(other)
	tear(old)
	check(t, os.Chtimes(s.BlobPath(old.Digest), past, past))
	crash(t, s)
	s = open("2")
	if exists(s.BlobPath(other.Digest)) {
		t.Error("the torn blob is still there")
	}
	for _, b := range []Blob{whole, old} {
		if !exists(s.BlobPath(b.Digest)) {
			t.Errorf("blob %s is gone", b.Digest.Short())
		}
	}
	must[*Record](t)(s.Lookup(r.Key))
	if names := must[[]string](t)(readNames(s.path(pendingDir))); len(names) != 0 {
		t.Errorf("pending has %q", names)
	}
	check(t, s.Close())
}

// An owner may end between the moment in which its marker is listed and that in which it
// is read: a link to nowhere is listed, and not there to be read.
func TestMarkerIsGoneWhenRead(t *testing.T) {
	dir := t.TempDir() + "/store"
	check(t, openBoot(t, dir, "boot 1").Close())
	check(t, os.Symlink("nowhere", dir+"/pending/1-gone.1"))
	check(t, openBoot(t, dir, "boot 1").Close())
	openStore(t, dir, Options{ReadOnly: true, bootID: "boot 1"})
}

// A marker need not say which mount it was.
func TestReadMarker(t *testing.T) {
	for content, want := range map[string][2]string{"boot 1\n": {"boot 1", ""}, "boot 1\n7\n": {"boot 1", "7"}, "boot 1\n\n": {"boot 1", ""}, "": {"", ""}} {
		if boot, mount := readMarker([]byte(content)); boot != want[0] || mount != want[1] {
			t.Errorf("readMarker(%q) = %q, %q, want %q", content, boot, mount, want)
		}
	}
}

// A living owner deals with its epochs itself.
func TestLivingOwnerKeepsItsEpochs(t *testing.T) {
	dir := t.TempDir() + "/store"
	a := openStore(t, dir, Options{bootID: "boot 1"})
	r := testRecord(t, a, "r")
	check(t, a.Put(r))
	b := openStore(t, dir, Options{bootID: "boot 1"})
	if names := must[[]string](t)(readNames(b.path(pendingDir))); len(names) != 1 {
		t.Errorf("pending has %q, want the epoch of the living owner", names)
	}
	must[*Record](t)(b.Lookup(r.Key))
}

func TestEpochs(t *testing.T) {
	s := openStore(t, t.TempDir()+"/store", Options{bootID: "boot 1", mountID: "7"})
	pending := func() []string { return must[[]string](t)(readNames(s.path(pendingDir))) }
	if got := pending(); len(got) != 0 {
		t.Errorf("pending has %q before anything was written", got)
	}
	must[Blob](t)(s.PutBytes([]byte("a")))
	must[Blob](t)(s.PutBytes([]byte("b")))
	first := pending()
	if len(first) != 1 || !strings.HasPrefix(first[0], s.owner.id+".") {
		t.Fatalf("pending has %q, want one epoch of %s", first, s.owner.id)
	}
	if b := must[[]byte](t)(os.ReadFile(s.path(pendingDir, first[0]))); string(b) != "boot 1\n7\n" {
		t.Errorf("the marker is %q", b)
	}
	check(t, s.Sync())
	check(t, s.Sync())
	if got := pending(); len(got) != 0 {
		t.Errorf("pending has %q after a sync", got)
	}
	must[Blob](t)(s.PutBytes([]byte("c")))
	if got := pending(); len(got) != 1 || got[0] == first[0] {
		t.Errorf("pending has %q, want another epoch than %q", got, first)
	}
}

// Sync waits for writes that began before it, and their epoch ends with it.
func TestSyncWaitsForWriters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		e, err := s.begin()
		check(t, err)
		done := make(chan error, 1)
		go func() { done <- s.Sync() }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("Sync did not wait (%v)", err)
		default:
		}
		if !exists(s.path(pendingDir, e.name)) {
			t.Error("the marker is gone before the write has ended")
		}
		e.end()
		check(t, <-done)
		if exists(s.path(pendingDir, e.name)) {
			t.Error("the marker is left")
		}
	})
}

func TestKernelBootID(t *testing.T) {
	a, b := must[string](t)(kernelBootID()), must[string](t)(kernelBootID())
	if a != b || len(a) != 36 {
		t.Errorf("boot ids %q and %q", a, b)
	}
}
