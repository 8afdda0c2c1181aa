package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Names (argv[0]) under which this test binary runs as a child of a test.
const (
	unprivilegedName = "observe-unprivileged"
	openerName       = "observe-opener"
)

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case unprivilegedName:
		if _, err := Start(os.Args[1]); !errors.Is(err, ErrUnavailable) {
			fmt.Println("Start =", err)
			os.Exit(1)
		}
	case openerName:
		if err := openAll(os.Args[1]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// openAll opens, reads and closes every file of a directory.
func openAll(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for _, entry := range entries {
		fd, err := unix.Open(filepath.Join(dir, entry.Name()), unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		if _, err := unix.Read(fd, buf); err != nil {
			return err
		}
		unix.Close(fd)
	}
	return nil
}

func TestHandleRefusesOtherFormats(t *testing.T) {
	for _, test := range []struct {
		name    string
		size    uint32
		version byte
		mask    uint64
		lost    string // empty: nothing is lost
	}{
		{"good, without a file", metadataSize, unix.FANOTIFY_METADATA_VERSION, 0, ""},
		{"version", metadataSize, 4, 0, "format 4"},
		{"too short", 8, unix.FANOTIFY_METADATA_VERSION, 0, "8 bytes"},
		{"too long", 25, unix.FANOTIFY_METADATA_VERSION, 0, "25 bytes"},
		{"overflow", metadataSize, unix.FANOTIFY_METADATA_VERSION, unix.FAN_Q_OVERFLOW, "queue is full"},
	} {
		buf := make([]byte, metadataSize)
		binary.NativeEndian.PutUint32(buf, test.size)
		buf[4] = test.version
		binary.NativeEndian.PutUint64(buf[8:], test.mask)
		binary.NativeEndian.PutUint32(buf[16:], 1<<32-1) // fd -1
		var o Observer
		o.handle(buf)
		if test.lost == "" && o.lost != nil {
			t.Errorf("%s: lost %v", test.name, o.lost)
		}
		if test.lost != "" && (!errors.Is(o.lost, ErrOverflow) || !strings.Contains(o.lost.Error(), test.lost)) {
			t.Errorf("%s: lost %v, want %q", test.name, o.lost, test.lost)
		}
	}
}
