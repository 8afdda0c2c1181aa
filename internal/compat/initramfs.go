package compat

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// isInitramfs tells by its path a file that has a tree of its own in it.
func isInitramfs(name string) bool {
	return strings.HasPrefix(name, "boot/initrd.img-") || strings.HasPrefix(name, "boot/initramfs-") || path.Ext(name) == ".initramfs"
}

// addInitramfs adds what is in an initramfs to the tree, as if its name were
// that of a directory. It returns false, and adds nothing, if it cannot be read:
// then its bytes are compared.
func (t Tree) addInitramfs(name string, content io.Reader) bool {
	inside := make(Tree)
	if err := inside.readInitramfs(bufio.NewReader(content)); err != nil || len(inside) == 0 {
		return false
	}
	for within, e := range inside {
		t[path.Join(name, within)] = e
	}
	return true
}

// readInitramfs reads archives of cpio, one after the other, until the first
// that is compressed, which is the last.
func (t Tree) readInitramfs(from *bufio.Reader) error {
	for {
		magic, err := from.Peek(2)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case magic[0] == 0:
			if _, err := from.Discard(1); err != nil { // padding between archives
				return err
			}
		case magic[0] == 0x1f && magic[1] == 0x8b:
			unpacked, err := gzip.NewReader(from)
			if err != nil {
				return err
			}
			return t.readInitramfs(bufio.NewReader(unpacked))
		default:
			if err := t.readCPIO(from); err != nil {
				return err
			}
		}
	}
}

// readCPIO reads one archive in the format "newc", see cpio(5).
func (t Tree) readCPIO(from io.Reader) error {
	for {
		var header [110]byte
		if _, err := io.ReadFull(from, header[:]); err != nil {
			return fmt.Errorf("read a header of cpio: %w", err)
		}
		if string(header[:6]) != "070701" {
			return fmt.Errorf("%q is no header of cpio", header[:6])
		}
		var fields [13]int64
		for i := range fields {
			value, err := strconv.ParseInt(string(header[6+8*i:14+8*i]), 16, 64)
			if err != nil {
				return fmt.Errorf("read a header of cpio: %w", err)
			}
			fields[i] = value
		}
		mode, size, nameSize := fields[1], fields[6], fields[11]
		name := make([]byte, nameSize+padding(110+nameSize))
		if _, err := io.ReadFull(from, name); err != nil {
			return err
		}
		within := strings.TrimRight(string(name), "\x00")
		if within == "TRAILER!!!" {
			return nil
		}
		e := &Entry{Type: letter(mode), Mode: uint32(mode & 0o7777), UID: int(fields[2]), GID: int(fields[3])}
		if e.Type == 'c' || e.Type == 'b' {
			e.Device = fmt.Sprintf("%d:%d", fields[9], fields[10])
		}
		if err := e.read(io.LimitReader(from, size)); err != nil {
			return err
		}
		if e.Type == 'l' {
			e.Target, e.Digest = string(e.Text), ""
		}
		if _, err := io.CopyN(io.Discard, from, padding(size)); err != nil {
			return err
		}
		t[clean(within)] = e
	}
}

// padding is how much brings a size to a multiple of four.
func padding(size int64) int64 { return -size & 3 }

// letter gives the type of a mode as ls does.
func letter(mode int64) byte {
	switch mode & 0o170000 {
	case 0o040000:
		return 'd'
	case 0o120000:
		return 'l'
	case 0o020000:
		return 'c'
	case 0o060000:
		return 'b'
	case 0o010000:
		return 'p'
	}
	return '-'
}
