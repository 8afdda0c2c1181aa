package wire

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache"
)

// A Decoded says of a layer what its tree does not.
type Decoded struct {
	// Volatile are the files whose content is no part of the digest.
	Volatile map[string]bool
}

// DecodeLayer makes the tree of a layer in dir, which is empty and seen by
// nobody else. Nothing is made outside of it whatever r gives: every name is made
// in a directory that was made before, by the decoder, and is no link. What no
// encoder writes is a *RefusedError; dir then holds what was made until then. It
// keeps less than 64 MiB in memory, beside a few hundred bytes for each entry.
func DecodeLayer(ctx context.Context, r io.Reader, dir string, limits Limits) (*Decoded, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	plain := &counting{r: z}
	d := layerDecoder{
		ctx: ctx, tar: tar.NewReader(plain), plain: plain, root: dir, left: limits, buffer: make([]byte, 256<<10),
		made: make(map[string]byte), dirs: make(map[string]time.Time), volatile: make(map[string]bool),
	}
	if err := d.run(); err != nil {
		return nil, fmt.Errorf("decode layer: %w", err)
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(z, 1)); err != nil || n > 0 {
		return nil, errors.Join(err, refuse("", "there is something behind its end"))
	}
	if len(d.made) == 0 {
		return nil, refuse("", "there is nothing in it")
	}
	return &Decoded{d.volatile}, nil
}

// counting counts what is read.
type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// trailer is how many bytes end a tar file: two blocks of zeros.
const trailer = 1024

type layerDecoder struct {
	ctx      context.Context
	tar      *tar.Reader
	plain    *counting // what tar reads
	root     string
	left     Limits
	buffer   []byte
	made     map[string]byte      // type by path
	dirs     map[string]time.Time // of directories, to be set last
	volatile map[string]bool
}

func (d *layerDecoder) run() error {
	for {
		before := d.plain.n
		h, err := d.tar.Next()
		switch {
		case errors.Is(err, io.EOF) && d.plain.n-before < trailer:
			return refuse("", "it was cut off: its end is missing")
		case errors.Is(err, io.EOF):
			return d.finish()
		case err != nil:
			return err
		case d.ctx.Err() != nil:
			return context.Cause(d.ctx)
		}
		if d.left.Entries--; d.left.Entries < 0 {
			return refuse(h.Name, "there are too many entries")
		}
		if err := d.entry(h); err != nil {
			return err
		}
	}
}

// finish sets the times of directories, which change while they are filled.
func (d *layerDecoder) finish() error {
	for _, name := range slices.Sorted(maps.Keys(d.dirs)) {
		if err := setTime(d.root+"/"+name, d.dirs[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d *layerDecoder) entry(h *tar.Header) error {
	name, err := d.name(h)
	if err != nil {
		return err
	}
	if err := checkRecords(h); err != nil {
		return err
	}
	full := d.root + "/" + name
	switch {
	case h.PAXRecords[opaqueRecord] != "":
		return d.opaque(h, name)
	case h.PAXRecords[whiteoutRecord] != "":
		return d.whiteout(h, name)
	}
	if err := d.claim(name, h.Typeflag); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg:
		return d.file(h, name, full)
	case tar.TypeLink:
		return d.link(h, name, full)
	case tar.TypeDir:
		if err := os.Mkdir(full, 0o700); err != nil {
			return err
		}
		d.dirs[name] = h.ModTime
	case tar.TypeSymlink:
		if len(h.Linkname) == 0 || len(h.Linkname) >= maxPath || strings.ContainsRune(h.Linkname, 0) {
			return refuse(name, "its target is no path")
		}
		if err := os.Symlink(h.Linkname, full); err != nil {
			return err
		}
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		if err := d.node(h, name, full); err != nil {
			return err
		}
	default:
		return refuse(name, "entries of type %q are in no layer", h.Typeflag)
	}
	return d.dress(h, full)
}

// name returns the path of an entry, which must be as an encoder writes it.
func (d *layerDecoder) name(h *tar.Header) (string, error) {
	name := h.Name
	if h.Typeflag == tar.TypeDir {
		name = strings.TrimSuffix(name, "/")
	}
	switch {
	case name == "" || name == ".":
		return "", refuse(h.Name, "it has no name")
	case strings.HasPrefix(name, "/"):
		return "", refuse(h.Name, "its name is absolute")
	case strings.ContainsRune(name, 0):
		return "", refuse(h.Name, "there is a NUL in its name")
	case len(name) >= maxPath:
		return "", refuse(h.Name[:64]+"…", "its name is too long")
	}
	longest := maxName
	if h.PAXRecords[whiteoutRecord] != "" {
		longest += len(whiteoutPrefix) // which is not in the name on disk
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "..":
			return "", refuse(h.Name, `its name leads out of the tree`)
		case part == "" || part == ".":
			return "", refuse(h.Name, "its name is not in the form that a listing has")
		case len(part) > longest:
			return "", refuse(h.Name, "a part of its name is too long")
		}
	}
	if dir := path.Dir(name); dir != "." && d.made[dir] != tar.TypeDir {
		if d.made[dir] == tar.TypeSymlink {
			return "", refuse(h.Name, "it is below a symbolic link")
		}
		return "", refuse(h.Name, "it is below what is no directory")
	}
	return name, nil
}

// claim takes a path for one entry.
func (d *layerDecoder) claim(name string, kind byte) error {
	if d.made[name] != 0 {
		return refuse(name, "it is there twice")
	}
	d.made[name] = kind
	return nil
}

// checkRecords refuses what would have a meaning that the decoder does not know.
func checkRecords(h *tar.Header) error {
	size := 0
	for key, value := range h.PAXRecords {
		switch key {
		case "path", "linkpath", "size", "uid", "gid", "mtime", whiteoutRecord, opaqueRecord, volatileRecord, sparseRecord:
			continue
		}
		attribute, ok := attributeOf(key)
		switch {
		case !ok:
			return refuse(h.Name, "it has the record %q, which has no meaning here", key)
		case !cache.AllowedXattr(attribute):
			return refuse(h.Name, "it has the attribute %q, which is in no layer", attribute)
		}
		if size += len(key) + len(value); size > maxXattrs {
			return refuse(h.Name, "its attributes are too large")
		}
	}
	if h.Mode&^0o7777 != 0 {
		return refuse(h.Name, "its mode is %o", h.Mode)
	}
	return nil
}

func (d *layerDecoder) opaque(h *tar.Header, name string) error {
	dir := path.Dir(name)
	if path.Base(name) != opaqueName || d.made[dir] != tar.TypeDir || h.Typeflag != tar.TypeReg || h.Size != 0 {
		return refuse(h.Name, "it marks no directory")
	}
	return unix.Lsetxattr(d.root+"/"+dir, "trusted.overlay.opaque", []byte("y"), 0)
}

func (d *layerDecoder) whiteout(h *tar.Header, name string) error {
	base, ok := strings.CutPrefix(path.Base(name), whiteoutPrefix)
	if !ok || base == "" || base == "." || base == ".." || h.Typeflag != tar.TypeReg || h.Size != 0 {
		return refuse(h.Name, "it is no whiteout")
	}
	hidden := path.Join(path.Dir(name), base)
	if err := d.claim(hidden, 'w'); err != nil {
		return err
	}
	return unix.Mknod(d.root+"/"+hidden, unix.S_IFCHR, 0)
}

func (d *layerDecoder) file(h *tar.Header, name, full string) error {
	x, size := whole(h.Size), h.Size
	if text, sparse := h.PAXRecords[sparseRecord]; sparse {
		var err error
		if x, size, err = parseExtents(text); err != nil {
			return refuse(name, "%v", err)
		}
		if x.bytes() != h.Size {
			return refuse(name, "it has %d bytes of data, and its extents %d", h.Size, x.bytes())
		}
	}
	if d.left.Bytes -= size; size < 0 || d.left.Bytes < 0 {
		return refuse(name, "there is too much content")
	}
	f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(d.fill(f, x, size), f.Close()); err != nil {
		return err
	}
	if h.PAXRecords[volatileRecord] != "" {
		d.volatile[name] = true
	}
	return d.dress(h, full)
}

func (d *layerDecoder) fill(f *os.File, x extents, size int64) error {
	if err := f.Truncate(size); err != nil {
		return err
	}
	for _, e := range x {
		n, err := io.CopyBuffer(struct{ io.Writer }{io.NewOffsetWriter(f, e.offset)}, io.LimitReader(d.tar, e.length), d.buffer)
		if err != nil {
			return err
		}
		if n < e.length {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

func (d *layerDecoder) link(h *tar.Header, name, full string) error {
	switch d.made[h.Linkname] {
	case tar.TypeReg, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
	default:
		return refuse(name, "it is a link to %q, which is no file before it", h.Linkname)
	}
	// A link to a link is one to the same file, but no encoder writes it.
	if h.Size != 0 {
		return refuse(name, "it is a link with content")
	}
	return unix.Linkat(unix.AT_FDCWD, d.root+"/"+h.Linkname, unix.AT_FDCWD, full, 0)
}

func (d *layerDecoder) node(h *tar.Header, name, full string) error {
	kind := map[byte]uint32{tar.TypeChar: unix.S_IFCHR, tar.TypeBlock: unix.S_IFBLK, tar.TypeFifo: unix.S_IFIFO}[h.Typeflag]
	if h.Devmajor < 0 || h.Devminor < 0 || h.Devmajor > 1<<12-1 || h.Devminor > 1<<20-1 {
		return refuse(name, "there is no device %d:%d", h.Devmajor, h.Devminor)
	}
	dev := unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))
	if kind == unix.S_IFCHR && dev == 0 {
		return refuse(name, "it is a device that an overlay takes for a whiteout")
	}
	return unix.Mknod(full, kind|0o600, int(dev))
}

// dress gives a path its owner, mode, attributes and time, in the order in which
// none undoes another.
func (d *layerDecoder) dress(h *tar.Header, full string) error {
	if err := os.Lchown(full, h.Uid, h.Gid); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeSymlink {
		if err := unix.Chmod(full, uint32(h.Mode)); err != nil {
			return &os.PathError{Op: "chmod", Path: full, Err: err}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		name, ok := attributeOf(key)
		if !ok {
			continue
		}
		if err := unix.Lsetxattr(full, name, []byte(h.PAXRecords[key]), 0); err != nil {
			return &os.PathError{Op: "setxattr " + name, Path: full, Err: err}
		}
	}
	return setTime(full, h.ModTime)
}

func setTime(full string, t time.Time) error {
	spec, err := unix.TimeToTimespec(t)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, full, []unix.Timespec{spec, spec}, unix.AT_SYMLINK_NOFOLLOW)
}
