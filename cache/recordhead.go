package cache

import (
	"bytes"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// storedRecord has the fields that an inventory takes from the first line of a
// stored record. The description, most of it, is not looked at.
type storedRecord struct {
	Image    string          `json:"image"`
	Node     string          `json:"node"`
	Kind     string          `json:"kind"`
	Static   Key             `json:"static"`
	Below    Digest          `json:"below"`
	Layers   []Digest        `json:"layers"`
	Makers   []string        `json:"makers"`
	Outputs  map[string]Blob `json:"outputs"`
	Log      Blob            `json:"log"`
	Texts    []Blob          `json:"texts"`
	Duration time.Duration   `json:"duration"`
}

// A readRecord is what an inventory reads of one record. Without links it is not
// there any more; one that is not whole is damaged, and the next look-up deals
// with it.
type readRecord struct {
	stat   unix.Stat_t
	stored storedRecord
	whole  bool
}

// readRecordHead reads the first line of a record.
func (s *Store) readRecordHead(k Key) (r readRecord, err error) {
	path := s.hashPath(recordsDir, k)
	line, err := readLine(path, &r.stat)
	if errors.Is(err, fs.ErrNotExist) {
		return readRecord{}, nil
	}
	if err != nil {
		return r, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	r.whole = unmarshalRecord(line, &r.stored) == nil
	return r, nil
}

// readLine reads the first line of a small file, and its attributes, with as few
// system calls as it takes.
func readLine(path string, st *unix.Stat_t) ([]byte, error) {
	fd, err := again(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0) })
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.Fstat(fd, st); err != nil {
		return nil, err
	}
	line := make([]byte, 0, min(st.Size, 8<<10))
	for int64(len(line)) < st.Size {
		if len(line) == cap(line) {
			line = append(make([]byte, 0, min(st.Size, 4*int64(cap(line)))), line...)
		}
		n, err := again(func() (int, error) { return unix.Read(fd, line[len(line):cap(line)]) })
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		read := line[len(line) : len(line)+n]
		line = line[:len(line)+n]
		if end := bytes.IndexByte(read, '\n'); end >= 0 {
			return line[:len(line)-n+end], nil
		}
	}
	return line, nil
}

// again repeats a system call that a signal interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
