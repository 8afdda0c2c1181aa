package blockdevice

import (
	"path/filepath"
	"strings"
)

// Value answers what elements ask of the block device layer, as far as the
// layout says it: root-label, root-fstype, boot-label, mount-points
// (joined by "|", in the order of the file) and image-path. Other keys give "".
func (l *Layout) Value(key string) string {
	switch key {
	case "root-label":
		return l.at("/").label
	case "root-fstype":
		return l.at("/").fstype
	case "boot-label":
		return l.at("/boot").label
	case "mount-points":
		return strings.Join(l.mountPoints(), "|")
	case "image-path":
		return l.rawFile(l.byName[MainDisk].(*disk))
	}
	return ""
}

// at returns the filesystem mounted at point, or an empty one.
func (l *Layout) at(point string) filesystem {
	for _, m := range mounts(l.order) {
		if m.point == point {
			return *l.filesystemOf(m)
		}
	}
	return filesystem{}
}

// mountPoints returns where filesystems will be mounted, in the order of the file.
// Swap is not mounted.
func (l *Layout) mountPoints() []string {
	var points []string
	for _, n := range l.written {
		if m, ok := n.(*mountPoint); ok && l.filesystemOf(m).fstype != "swap" {
			points = append(points, m.point)
		}
	}
	return points
}

func (l *Layout) rawFile(d *disk) string {
	return filepath.Join(l.params.ImageDir, d.name+".raw")
}

// A Node is one thing that Create makes, for display.
type Node struct {
	Kind, Name string
	Bases      []string
	Detail     string // what is special about it, in a few words
}

// Nodes returns what Create makes, in that order.
func (l *Layout) Nodes() []Node {
	var nodes []Node
	for _, n := range l.order {
		m := n.common()
		nodes = append(nodes, Node{Kind: m.kind, Name: m.name, Bases: m.bases, Detail: detail(n)})
	}
	return nodes
}

func detail(n node) string {
	switch n := n.(type) {
	case *part:
		if n.table.gpt {
			return "gpt"
		}
		return "mbr"
	case *filesystem:
		return n.fstype + " " + n.label
	case *mountPoint:
		return n.point
	case *fstabLine:
		return n.options
	}
	return ""
}
