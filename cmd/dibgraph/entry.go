package main

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache"
)

// imageRoot is the root of the image in the build tree.
const imageRoot = "mnt"

// shownPath writes a path of the build tree: absolute if it is in the image, as
// it is there, else relative to the build tree.
func shownPath(path string) string {
	if path == imageRoot {
		return "/"
	}
	if rest, ok := strings.CutPrefix(path, imageRoot+"/"); ok {
		path = "/" + rest
	}
	return pathText(path)
}

// An entryJSON is what is at a path, for programs.
type entryJSON struct {
	Type     string        `json:"type"`
	Mode     string        `json:"mode"`
	UID      uint32        `json:"uid"`
	GID      uint32        `json:"gid"`
	Size     *int64        `json:"size,omitempty"`
	Digest   *cache.Digest `json:"digest,omitempty"`
	Target   string        `json:"target,omitempty"`
	Device   string        `json:"device,omitempty"`
	HardLink string        `json:"hard_link,omitempty"`
	Xattrs   []string      `json:"xattrs,omitempty"`
}

func entryForJSON(e *cache.Entry) *entryJSON {
	if e == nil {
		return nil
	}
	j := &entryJSON{Type: typeNames[e.Type], Mode: mode(e), UID: e.UID, GID: e.GID, Target: e.Link}
	switch e.Type {
	case cache.TypeFile:
		j.Size, j.Digest = &e.Size, &e.Digest
	case cache.TypeChar, cache.TypeBlock:
		j.Device = device(e)
	}
	if e.HardLink != "" {
		j.HardLink = shownPath(e.HardLink)
	}
	for _, x := range e.Xattrs {
		j.Xattrs = append(j.Xattrs, x.Name)
	}
	return j
}

func mode(e *cache.Entry) string  { return fmt.Sprintf("%04o", e.Mode) }
func owner(e *cache.Entry) string { return fmt.Sprintf("%d:%d", e.UID, e.GID) }
func device(e *cache.Entry) string {
	return fmt.Sprintf("%d:%d", unix.Major(e.Rdev), unix.Minor(e.Rdev))
}

// describeEntry says on one line what is at a path.
func describeEntry(e *cache.Entry) string {
	text := typeNames[e.Type]
	switch e.Type {
	case cache.TypeFile:
		text += ", " + bytesOf(e.Size)
	case cache.TypeSymlink:
		text += " to " + pathText(e.Link)
	case cache.TypeChar, cache.TypeBlock:
		text += " " + device(e)
	}
	if e.Type != cache.TypeSymlink {
		text += ", mode " + mode(e)
	}
	text += ", owner " + owner(e)
	if e.Type == cache.TypeFile {
		text += ", content " + e.Digest.Short()
	}
	if len(e.Xattrs) > 0 {
		text += ", with " + xattrNames(e)
	}
	return text
}

func xattrNames(e *cache.Entry) string {
	if len(e.Xattrs) == 0 {
		return "none"
	}
	var names []string
	for _, x := range e.Xattrs {
		names = append(names, pathText(x.Name))
	}
	return strings.Join(names, " ")
}

// describeAspect says what was and what is, of one thing that differs.
func describeAspect(a cache.Aspect, before, after *cache.Entry) string {
	change := func(value func(*cache.Entry) string) string {
		return fmt.Sprintf("%s %s → %s", a, value(before), value(after))
	}
	switch a {
	case cache.AspectType:
		return fmt.Sprintf("was a %s, is a %s", describeEntry(before), describeEntry(after))
	case cache.AspectContent:
		return change(func(e *cache.Entry) string { return fmt.Sprintf("%s (%s)", e.Digest.Short(), bytesOf(e.Size)) })
	case cache.AspectTarget:
		return change(func(e *cache.Entry) string { return pathText(e.Link) })
	case cache.AspectDevice:
		return change(device)
	case cache.AspectMode:
		return change(mode)
	case cache.AspectOwner:
		return change(owner)
	case cache.AspectXattrs:
		return change(xattrNames)
	case cache.AspectHardLink:
		return change(func(e *cache.Entry) string {
			if e.HardLink == "" {
				return "none"
			}
			return shownPath(e.HardLink)
		})
	}
	return string(a)
}

// bytesOf writes a size for people.
func bytesOf(n int64) string {
	switch {
	case n < 10_000:
		return plural(int(n), "byte")
	case n < 10_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 10_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
