package cache

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// overlayPrefix begins the attributes that overlayfs writes into an upper
// directory.
const overlayPrefix = "trusted.overlay."

// An attributeReader reads extended attributes with buffers that it keeps.
type attributeReader struct {
	names, value []byte
}

// attributes are those of one path, sorted out.
type attributes struct {
	keep   []Xattr  // of the allow-list
	strip  []string // not to stay in a layer
	opaque bool
}

// read sorts out the attributes of a path, not following a symbolic link. It
// fails on what would tie the tree to the layers below it, or to a nested
// overlay.
func (r *attributeReader) read(path string) (attributes, error) {
	var a attributes
	names, err := r.list(path)
	if err != nil {
		return a, err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(names, "\x00"), "\x00") {
		switch {
		case name == "":
		case AllowedXattr(name):
			value, err := r.get(path, name)
			if err != nil {
				return a, err
			}
			a.keep = append(a.keep, Xattr{name, value})
		case strings.HasPrefix(name, overlayPrefix):
			if err := r.overlay(&a, path, name); err != nil {
				return a, err
			}
		case strings.HasPrefix(name, "trusted."):
			a.strip = append(a.strip, name)
		}
		// The rest (security.selinux and the like) is put on every file by the
		// machine, and it may refuse to let go of it.
	}
	slices.SortFunc(a.keep, func(x, y Xattr) int { return strings.Compare(x.Name, y.Name) })
	return a, nil
}

// overlay deals with an attribute of overlayfs. Those not named here say where
// a file was copied up from, which means nothing in another mount.
func (r *attributeReader) overlay(a *attributes, path, name string) error {
	switch kind := name[len(overlayPrefix):]; {
	case kind == "opaque":
		value, err := r.get(path, name)
		if err != nil {
			return err
		}
		// "x" would announce whiteouts that are files with an attribute, which
		// only tools write, never the kernel.
		if value != "y" {
			return fmt.Errorf("attribute %s is %q, not %q", name, value, "y")
		}
		a.opaque = true
	case kind == "redirect", kind == "metacopy", kind == "whiteout":
		return fmt.Errorf("attribute %s: a layer cannot depend on the layers below it", name)
	case strings.HasPrefix(kind, "overlay."):
		return fmt.Errorf("attribute %s: it was set as %s inside the tree, and a layer cannot hold that",
			name, overlayPrefix+strings.TrimPrefix(kind, "overlay."))
	default:
		a.strip = append(a.strip, name)
	}
	return nil
}

func (r *attributeReader) list(path string) (string, error) {
	if r.names == nil {
		r.names = make([]byte, 1<<10)
	}
	for {
		n, err := unix.Llistxattr(path, r.names)
		switch {
		case errors.Is(err, unix.ENOTSUP):
			return "", nil
		case errors.Is(err, unix.ERANGE) && len(r.names) < maxXattr:
			r.names = make([]byte, maxXattr)
		case err != nil:
			return "", fmt.Errorf("list attributes: %w", err)
		default:
			return string(r.names[:n]), nil
		}
	}
}

// maxXattr is the kernel's limit on a list of names and on a value, 64 KiB
// (XATTR_LIST_MAX, XATTR_SIZE_MAX).
const maxXattr = 64 << 10

func (r *attributeReader) get(path, name string) (string, error) {
	if r.value == nil {
		r.value = make([]byte, maxXattr)
	}
	n, err := unix.Lgetxattr(path, name, r.value)
	if err != nil {
		return "", fmt.Errorf("attribute %s: %w", name, err)
	}
	return string(r.value[:n]), nil
}
