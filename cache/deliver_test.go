package cache

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDeliver(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "store"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := filepath.Join(t.TempDir(), "image.raw")
	first := deliverable(t, s, "first")
	second := deliverable(t, s, "second")
	check := func(d Digest, wantOurs, wantSame bool) {
		t.Helper()
		ours, same, err := s.Delivered(out, d)
		if err != nil || ours != wantOurs || same != wantSame {
			t.Errorf("Delivered = %t, %t, %v; want %t, %t", ours, same, err, wantOurs, wantSame)
		}
	}
	check(first, false, false)
	for _, d := range []Digest{first, second} { // onto nothing, and over a file
		if err := s.Deliver(d, out); err != nil {
			t.Fatal(err)
		}
		check(d, true, true)
		want, err := s.ReadBlob(d)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
			t.Errorf("delivered %d bytes, want %d: %v", len(got), len(want), err)
		}
	}
	check(first, true, false)
	entries, err := os.ReadDir(filepath.Dir(out))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files in the output directory, want 1 (%v)", len(entries), err)
	}
	var st unix.Stat_t
	if err := unix.Stat(out, &st); err != nil || st.Blocks*512 >= st.Size {
		t.Errorf("the copy takes %d bytes of %d: it is not sparse (%v)", st.Blocks*512, st.Size, err)
	}
	if err := os.WriteFile(out, []byte("edited"), 0o644); err != nil {
		t.Fatal(err)
	}
	check(second, false, false)
	if err := s.Deliver(Digest{1}, out); err == nil {
		t.Error("a blob that is not there was delivered")
	}
	if got, err := os.ReadFile(out); err != nil || string(got) != "edited" {
		t.Errorf("a failed delivery left %q, %v", got, err)
	}
	// After another boot the file is ours, but may not be whole.
	if err := s.Deliver(second, out); err != nil {
		t.Fatal(err)
	}
	s.bootID = "another"
	check(second, true, false)
}

// A kill can come between the receipt and the name, or the name and the
// receipt: what is at the path is known as ours in both cases.
func TestDeliverKilled(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "store"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := filepath.Join(t.TempDir(), "image.raw")
	first, second := deliverable(t, s, "first"), deliverable(t, s, "second")
	if err := s.Deliver(first, out); err != nil {
		t.Fatal(err)
	}
	from, err := s.OpenBlob(second)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	killed := errors.New("killed")
	err = deliver(from, out, func(f *os.File) error { return errors.Join(s.announce(out, second, f), killed) })
	if !errors.Is(err, killed) {
		t.Fatal(err)
	}
	if ours, same, err := s.Delivered(out, first); !ours || !same || err != nil {
		t.Errorf("before the name: %t, %t, %v; want the first delivery as it was", ours, same, err)
	}
	if err := deliver(from, out, func(f *os.File) error { return s.announce(out, second, f) }); err != nil {
		t.Fatal(err)
	}
	for _, d := range []Digest{first, second} {
		if ours, same, err := s.Delivered(out, d); !ours || same || err != nil {
			t.Errorf("before the second receipt: %t, %t, %v; want a file of ours to be written again", ours, same, err)
		}
	}
}

// deliverable puts a sparse blob with text at both ends.
func deliverable(t *testing.T, s *Store, text string) Digest {
	t.Helper()
	dir, err := s.TempDir("blob")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "blob")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, at := range []int64{0, 4 << 20} {
		if _, err := f.WriteAt([]byte(text), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(8 << 20); err != nil {
		t.Fatal(err)
	}
	b, err := s.PutFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b.Digest
}
