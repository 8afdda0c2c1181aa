package blockdevice

import (
	"context"

	"github.com/dibgraph/dibgraph/internal/partition"
)

// A node is one thing to make. Nodes are made in an order in which every node
// comes after those it stands on.
type node interface {
	// common returns what all nodes have.
	common() *meta
	// create makes the thing, and records it in s.
	create(ctx context.Context, s *State) error
}

type meta struct {
	name  string
	kind  string // the module
	line  int
	bases []string
}

func (m *meta) common() *meta { return m }

// A disk is a raw file on a loop device (local_loop).
type disk struct {
	meta
	size      int64 // 0: that of the parameters
	blockSize int
}

// A table is a partition table (partitioning). It is not a node: the first of
// its partitions writes it.
type table struct {
	name  string
	line  int
	disk  string
	gpt   bool
	align int64
	parts []*part
}

// A part is a partition.
type part struct {
	meta
	table   *table
	number  int
	size    size
	boot    bool
	primary bool // of an mbr: not logical
	mbrType byte
	gptType partition.GUID
}

// A filesystem is made by a mkfs module. Swap counts as one.
type filesystem struct {
	meta
	fstype, label, uuid string
	opts                []string
}

// A mountPoint is where a filesystem is mounted.
type mountPoint struct {
	meta
	point string
}

// A fstabLine is the entry of a mount in /etc/fstab.
type fstabLine struct {
	meta
	options, dump, pass string
}

// A volumes node stands for an lvm module as a whole: all its physical volumes
// exist before the first group is made.
type volumes struct{ meta }

// A physical volume, on a partition or disk.
type physical struct {
	meta
	options []string
}

// A group of physical volumes.
type group struct {
	meta
	options []string
}

// A logical volume in a group.
type logical struct {
	meta
	size     int64  // bytes; 0 with extents
	extents  string // such as "23%VG"
	thin     bool
	pool     bool
	thinPool string
	options  []string
}
