package wholefile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRead(t *testing.T) {
	for _, size := range []int{0, 1, readSize - 1, readSize, readSize + 1, 3*readSize + 7} {
		path := filepath.Join(t.TempDir(), "file")
		want := bytes.Repeat([]byte("0123456"), size/7+1)[:size]
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time with a buffer that was used
			if got, err := Read(path); err != nil || !bytes.Equal(got, want) || got == nil {
				t.Errorf("Read of %d bytes = %d bytes, %v", size, len(got), err)
			}
		}
	}
}

// Callers tell by the error, as that of os.ReadFile, what is the matter.
func TestReadCannot(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		path, op string
		want     error
	}{
		{filepath.Join(dir, "none"), "open", fs.ErrNotExist},
		{dir, "read", unix.EISDIR},
	} {
		_, err := Read(test.path)
		failed, ok := errors.AsType[*fs.PathError](err)
		if !errors.Is(err, test.want) || !ok || failed.Op != test.op || failed.Path != test.path {
			t.Errorf("Read(%q): %v, want %v", test.path, err, test.want)
		}
	}
}
