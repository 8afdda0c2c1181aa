package elements

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// embeddedTime is the time of every embedded file, which has none of its own.
// Not 1970: tar complains about that.
var embeddedTime = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// files is where an element's files are: a directory or the program itself.
// It is not an fs.FS because that cannot hold names that are not UTF-8.
type files interface {
	// list returns the entries of a directory, links not followed.
	list(dir string) ([]fs.FileInfo, error)
	// readlink returns the target of a link.
	readlink(name string) (string, error)
	// open opens a file.
	open(name string) (io.ReadCloser, error)
	// read returns the content of a file.
	read(name string) ([]byte, error)
	// mode returns the mode of a file that lists as listed, starting with start.
	mode(listed fs.FileMode, start []byte) fs.FileMode
	// written returns when a file was written.
	written(info fs.FileInfo) time.Time
}

// diskFiles is a directory.
type diskFiles string

func (d diskFiles) path(name string) string { return filepath.Join(string(d), name) }

func (d diskFiles) list(dir string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(d.path(dir))
	return infos(entries, err)
}

func (d diskFiles) readlink(name string) (string, error)    { return os.Readlink(d.path(name)) }
func (d diskFiles) open(name string) (io.ReadCloser, error) { return os.Open(d.path(name)) }
func (d diskFiles) read(name string) ([]byte, error)        { return wholefile.Read(d.path(name)) }

func (d diskFiles) mode(listed fs.FileMode, _ []byte) fs.FileMode { return listed }
func (d diskFiles) written(info fs.FileInfo) time.Time            { return info.ModTime() }

// embeddedFiles is a directory in the program.
type embeddedFiles struct{ fs.FS }

func (e embeddedFiles) list(dir string) ([]fs.FileInfo, error) {
	entries, err := fs.ReadDir(e, dir)
	return infos(entries, err)
}

func (e embeddedFiles) readlink(name string) (string, error)    { return fs.ReadLink(e, name) }
func (e embeddedFiles) open(name string) (io.ReadCloser, error) { return e.Open(name) }
func (e embeddedFiles) read(name string) ([]byte, error)        { return fs.ReadFile(e, name) }

func (e embeddedFiles) mode(listed fs.FileMode, start []byte) fs.FileMode {
	switch {
	case listed.IsDir():
		return fs.ModeDir | 0o755
	case !listed.IsRegular():
		return listed
	case bytes.HasPrefix(start, []byte("#!")):
		return 0o755
	}
	return 0o644
}

func (e embeddedFiles) written(fs.FileInfo) time.Time { return embeddedTime }

// infos looks at the entries of a directory, links not followed.
func infos(entries []fs.DirEntry, err error) ([]fs.FileInfo, error) {
	if err != nil {
		return nil, err
	}
	infos := make([]fs.FileInfo, len(entries))
	for i, entry := range entries {
		if infos[i], err = entry.Info(); err != nil {
			return nil, err
		}
	}
	return infos, nil
}

// isAbsent reports whether err says that there is no such file.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// cause returns what went wrong without the path, which the caller names.
func cause(err error) string {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err.Error()
	}
	return err.Error()
}
