package cache

import (
	"bytes"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// fullStore returns a store on a filesystem of its own, and what fills that but
// for so many bytes.
func fullStore(t *testing.T) (s *Store, leave func(bytes int64)) {
	t.Helper()
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	check(t, mount.Type("tmpfs", "none", dir, 0, "size=4m"))
	t.Cleanup(func() { check(t, mount.Unmount(dir)) })
	s = openStore(t, dir+"/store", Options{})
	ballast := must[*os.File](t)(os.Create(dir + "/ballast"))
	t.Cleanup(func() { check(t, ballast.Close()) })
	return s, func(bytes int64) {
		t.Helper()
		check(t, ballast.Truncate(0))
		var st unix.Statfs_t
		check(t, unix.Statfs(dir, &st))
		check(t, unix.Fallocate(int(ballast.Fd()), 0, 0, int64(st.Bfree)*st.Bsize-bytes))
	}
}

// A marker that is not whole would be taken for that of another boot, and
// whoever opens the store would drop what others are just writing.
func TestNoRoomForAMarker(t *testing.T) {
	s, leave := fullStore(t)
	leave(0)
	if _, err := s.PutBytes([]byte("text")); !OutOfRoom(err) {
		t.Errorf("PutBytes on a full filesystem: %v", err)
	}
	if names := must[[]string](t)(readNames(s.path(pendingDir))); len(names) != 0 {
		t.Errorf("pending has %q", names)
	}
	if names := must[[]string](t)(readNames(s.owner.dir)); len(names) != 1 {
		t.Errorf("the owner has %q, want its lock only", names)
	}
	if err := s.Room(); !OutOfRoom(err) {
		t.Errorf("Room of a full filesystem: %v", err)
	}
	leave(3 << 20)
	check(t, s.Room())
	must[Blob](t)(s.PutBytes([]byte("text")))
}

// What was thrown away makes room before it is missed.
func TestTrashMakesRoom(t *testing.T) {
	s, leave := fullStore(t)
	big := bytes.Repeat([]byte("big"), 200<<10)
	dir := must[string](t)(s.TempDir("node"))
	check(t, os.WriteFile(dir+"/file", big, 0o600))
	leave(64 << 10)
	if _, err := s.PutBlob(bytes.NewReader(big)); !OutOfRoom(err) {
		t.Fatalf("PutBlob on a full filesystem: %v", err)
	}
	s.Discard(dir)
	b := must[Blob](t)(s.PutBytes(big[:400<<10]))
	if got := must[[]byte](t)(s.ReadBlob(b.Digest)); !bytes.Equal(got, big[:400<<10]) {
		t.Error("it is not what was put")
	}
}
