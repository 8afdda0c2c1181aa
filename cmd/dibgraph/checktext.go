package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// maxCheckLines is how many differences of a node are listed for people.
const maxCheckLines = 20

// checkText says what came of running a node again, the differences below it.
func checkText(r *graph.Result) string {
	c := r.Recheck
	switch {
	case c.Failed != nil:
		return fmt.Sprintf("diff  %s failed when run again: %v\n%s", r.Node.Name, c.Failed, indented(strings.Split(strings.TrimRight(c.Output, "\n"), "\n")))
	case c.Agrees() && len(c.Outputs) == 0:
		return fmt.Sprintf("same  %s in %s%s", r.Node.Name, seconds(c.Took), maskedText(c.Layer.Masked))
	case c.Agrees():
		return fmt.Sprintf("same  %s in %s%s\n%s", r.Node.Name, seconds(c.Took), maskedText(c.Layer.Masked), indented(checkLines(c)))
	}
	lines := checkLines(c)
	if onlyDiskImage(r) {
		lines = append(lines,
			"that is so for any disk image: the kernel fills its filesystems, and puts times and blocks where it likes;",
			"the files in it were not compared, since this kernel cannot mount all of it")
	}
	if more := len(lines) - maxCheckLines; more > 0 {
		lines = append(lines[:maxCheckLines], fmt.Sprintf("… and %d lines more; --progress json lists all differences", more))
	}
	return fmt.Sprintf("diff  %s in %s: %s%s\n%s", r.Node.Name, seconds(c.Took), checkShort(c), maskedText(c.Layer.Masked), indented(lines))
}

func maskedText(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s with other content that does not count)", plural(n, "file"))
}

func indented(lines []string) string { return "      " + strings.Join(lines, "\n      ") }

// checkShort says in a few words how a node differs.
func checkShort(c *graph.Recheck) string {
	if c.Failed != nil {
		return "failed when run again"
	}
	var parts []string
	if n := len(c.Layer.Differences); n > 0 {
		parts = append(parts, plural(n, "file"))
	}
	for _, o := range c.Outputs {
		switch {
		case o.Agrees():
		case o.Inside != nil:
			parts = append(parts, o.Name+": "+plural(len(o.Inside.Differences), "file"))
		default:
			parts = append(parts, o.Name)
		}
	}
	if c.Mounts {
		parts = append(parts, "mounts")
	}
	return strings.Join(parts, ", ")
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// checkLines lists what differs from the record.
func checkLines(c *graph.Recheck) []string {
	var lines []string
	for _, d := range c.Layer.Differences {
		lines = append(lines, differenceText(d))
		for _, l := range c.Texts[d.Path] {
			lines = append(lines, "    "+l)
		}
	}
	for _, o := range c.Outputs {
		lines = append(lines, outputText(o))
		if o.Inside == nil {
			continue
		}
		for _, d := range o.Inside.Differences {
			lines = append(lines, "    "+differenceText(d))
		}
	}
	if c.Mounts {
		lines = append(lines, "it left other mounts")
	}
	return lines
}

// differenceText says how a path differs: what the record has, and what the
// run that was just made.
func differenceText(d cache.Difference) string {
	path := pathText(d.Path)
	switch {
	case d.Before == nil:
		return path + ": only this time: " + entryText(d.After)
	case d.After == nil:
		return path + ": not this time: " + entryText(d.Before)
	}
	var parts []string
	for _, a := range d.Aspects {
		before, after := aspectText(a, d.Before), aspectText(a, d.After)
		parts = append(parts, fmt.Sprintf("%s was %s, is %s", a, before, after))
	}
	return path + ": " + strings.Join(parts, "; ")
}

// pathText quotes paths that would not be seen as they are.
func pathText(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(path)
	}
	return path
}

// typeNames are the words for what an entry is.
var typeNames = map[cache.FileType]string{
	cache.TypeFile: "file", cache.TypeDir: "directory", cache.TypeSymlink: "link", cache.TypeChar: "character device",
	cache.TypeBlock: "block device", cache.TypeFIFO: "named pipe",
}

func entryText(e *cache.Entry) string {
	switch {
	case e.Whiteout:
		return "removed"
	case e.HardLink != "":
		return "hard link to " + pathText(e.HardLink)
	case e.Type == cache.TypeFile:
		return fmt.Sprintf("file of %s", plural(int(e.Size), "byte"))
	case e.Type == cache.TypeSymlink:
		return "link to " + pathText(e.Link)
	}
	return typeNames[e.Type]
}

// aspectText writes what one entry has where two differ.
func aspectText(a cache.Aspect, e *cache.Entry) string {
	switch a {
	case cache.AspectType:
		return entryText(e)
	case cache.AspectContent:
		return fmt.Sprintf("%s (%s)", plural(int(e.Size), "byte"), e.Digest.Short())
	case cache.AspectTarget:
		return pathText(e.Link)
	case cache.AspectDevice:
		return fmt.Sprintf("%#x", e.Rdev)
	case cache.AspectMode:
		return fmt.Sprintf("%04o", e.Mode)
	case cache.AspectOwner:
		return fmt.Sprintf("%d:%d", e.UID, e.GID)
	case cache.AspectHardLink:
		if e.HardLink == "" {
			return "none"
		}
		return pathText(e.HardLink)
	case cache.AspectXattrs:
		return xattrsText(e.Xattrs)
	case cache.AspectOpaque:
		return strconv.FormatBool(e.Opaque)
	case cache.AspectVolatile:
		return strconv.FormatBool(e.Volatile)
	}
	panic("dibgraph: unknown aspect " + string(a))
}

func xattrsText(xattrs []cache.Xattr) string {
	if len(xattrs) == 0 {
		return "none"
	}
	var list []string
	for _, x := range xattrs {
		list = append(list, fmt.Sprintf("%s=%q", x.Name, x.Value))
	}
	return strings.Join(list, " ")
}

// outputText says how an output differs.
func outputText(o graph.OutputDifference) string {
	c := o.Content
	switch {
	case o.Missing:
		return fmt.Sprintf("output %s: not this time: %s", o.Name, plural(int(c.Before), "byte"))
	case o.New:
		return fmt.Sprintf("output %s: only this time: %s", o.Name, plural(int(c.After), "byte"))
	}
	text := fmt.Sprintf("output %s: %s in %s of 4 KiB differ, the first at offset %d", o.Name, plural(int(c.Bytes), "byte"), plural(int(c.Blocks), "block"), c.First)
	if o.Agrees() {
		text += "; the files in it are the same" + maskedText(o.Inside.Masked)
	}
	if c.Before != c.After {
		text += fmt.Sprintf("; it had %s, now %d", plural(int(c.Before), "byte"), c.After)
	}
	return text
}
