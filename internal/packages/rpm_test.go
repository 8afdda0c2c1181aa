package packages

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// The database was written by rpm 4.18; tables other than that of the packages
// were dropped to make it small. Its rows are in several pages, and one goes on
// in others.
func database(t testing.TB) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "rpmdb.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestRpm(t *testing.T) {
	want := map[string]string{
		"alpha": "1.0-1", "beta": "2:3.4-5.el9", "kernel": "5.1-1, 5.2-1", "libc.i686": "2.34-1", "libc.x86_64": "2.34-1",
	}
	got, err := Rpm(database(t))
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("Rpm = %v, %v, want %v", got, err, want)
	}
}

func TestRpmDamaged(t *testing.T) {
	whole := database(t)
	for name, content := range map[string][]byte{
		"empty": nil, "of another kind": make([]byte, 8192), "cut off": whole[:len(whole)-4096], "only the beginning": whole[:4096],
	} {
		if got, err := Rpm(content); err == nil {
			t.Errorf("%s: got %v, want an error", name, got)
		}
	}
}

func TestColumnsDamaged(t *testing.T) {
	for _, record := range [][]byte{nil, {0}, {5, 1}, {2, 1}, {2, 0x81}, {3, 14, 14, 'a'}} {
		if values, _, err := columns(record); err == nil {
			t.Errorf("columns(%v) = %q, want an error", record, values)
		}
	}
}

func FuzzRpm(f *testing.F) {
	f.Add(database(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		packages, err := Rpm(content)
		if _, unnamed := packages[""]; err != nil && packages != nil || unnamed {
			t.Errorf("got %v, %v", packages, err)
		}
	})
}

func TestVarint(t *testing.T) {
	for _, test := range []struct {
		bytes []byte
		want  uint64
		rest  int
		ok    bool
	}{
		{[]byte{0x7f, 1}, 0x7f, 1, true},
		{[]byte{0x81, 0x00}, 0x80, 0, true},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 1}, 1<<64 - 2, 1, true},
		{[]byte{0x81}, 0, 0, false},
		{nil, 0, 0, false},
	} {
		n, rest, ok := varint(test.bytes)
		if n != test.want || len(rest) != test.rest || ok != test.ok {
			t.Errorf("varint(%x) = %x, %d left, %t", test.bytes, n, len(rest), ok)
		}
	}
}
