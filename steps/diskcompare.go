package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/partition"
	"github.com/dibgraph/dibgraph/internal/sandbox"
)

// CompareOutput implements [graph.OutputComparer]. A disk image that the kernel
// filled is another one bit by bit each time, and a tar file of it has times: what
// is compared is the files. Paths are those of the build tree where there is one
// filesystem, else they begin with the partition.
func (s *Disk) CompareOutput(ctx context.Context, name, before, after, dir string) (graph.Comparison, bool, error) {
	switch name {
	case RawOutput:
		in := imageComparison{Before: before, After: after, Dir: dir, Volatile: s.Volatile}
		var out imageReport
		err := sandbox.Run(ctx, sandbox.Config{Program: "compare", Input: in}, &out)
		return out.Comparison, out.Able, err
	case TarOutput:
		a, err := listTar(before, s.Volatile)
		if err != nil {
			return graph.Comparison{}, false, err
		}
		b, err := listTar(after, s.Volatile)
		if err != nil {
			return graph.Comparison{}, false, err
		}
		return graph.CompareListings(a, b), true, nil
	}
	return graph.Comparison{}, false, nil
}

// An imageComparison travels into the sandbox, an imageReport back.
type imageComparison struct {
	Before, After, Dir string
	Volatile           []string
}

type imageReport struct {
	Able       bool
	Comparison graph.Comparison
}

func init() {
	sandbox.Register("compare", func(_ context.Context, in []byte) (any, error) {
		var c imageComparison
		if err := json.Unmarshal(in, &c); err != nil {
			return nil, err
		}
		return c.inSandbox()
	})
}

// inSandbox mounts both images. Nothing is undone: mounts and loop devices go
// with the namespace.
func (c imageComparison) inSandbox() (report imageReport, err error) {
	var lists [2]*imageList
	for i, image := range []string{c.Before, c.After} {
		lists[i] = &imageList{dir: filepath.Join(c.Dir, fmt.Sprint(i)), blind: make(map[string]bool)}
		if err := lists[i].read(image); err != nil {
			return report, fmt.Errorf("list the files of %q: %w", image, err)
		}
		if err := lists[i].MarkVolatile(c.Volatile); err != nil {
			return report, err
		}
	}
	report.Comparison = graph.CompareListings(&lists[0].Listing, &lists[1].Listing)
	all := len(report.Comparison.Differences)
	// What is no filesystem here may be one that this kernel does not know, and
	// that its bytes differ says nothing then.
	report.Comparison.Differences = slices.DeleteFunc(report.Comparison.Differences, func(d graph.PathDifference) bool {
		return lists[0].blind[d.Path] || lists[1].blind[d.Path]
	})
	files := len(report.Comparison.Differences)
	report.Able = files > 0 || files == all
	return report, nil
}

// An imageList lists the files of a disk image. What has no filesystem that can
// be mounted is a file of its own, and blind has its path.
type imageList struct {
	graph.Listing
	dir   string
	blind map[string]bool
}

func (l *imageList) read(image string) error {
	f, err := os.Open(image)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	parts, err := partition.Read(f)
	if err != nil && !errors.Is(err, partition.ErrNotRead) {
		return err
	}
	if len(parts) == 0 { // there is no table, or none that can be read
		parts = []partition.Extent{{Length: info.Size()}}
	}
	first := info.Size()
	for _, p := range parts {
		if err := l.part(f, fmt.Sprintf("partition%d", p.Number), p); err != nil {
			return fmt.Errorf("partition %d: %w", p.Number, err)
		}
		first = min(first, p.Start)
	}
	if first > 0 { // the table, and what a boot loader has behind it
		if err := l.bytes(f, "before-partitions", partition.Extent{Length: first}); err != nil {
			return err
		}
	}
	l.Sort()
	return nil
}

// part lists one partition.
func (l *imageList) part(f *os.File, name string, p partition.Extent) error {
	fstype, options, err := filesystemOf(f, p.Start)
	if err != nil {
		return err
	}
	dir := filepath.Join(l.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if fstype == "" {
		return l.bytes(f, name, p)
	}
	device, err := loop.AttachFile(f, loop.Options{ReadOnly: true, Offset: p.Start, SizeLimit: p.Length})
	if err != nil {
		return err
	}
	defer device.Close()
	if err := mount.Type(fstype, device.Path, dir, unix.MS_RDONLY, options); err != nil {
		return l.bytes(f, name, p) // this kernel does not know it, or something of it
	}
	return l.files(dir, name)
}

// files adds the files of a mounted filesystem; those of the root have the paths
// that they have in the build tree.
func (l *imageList) files(dir, name string) error {
	listing, err := graph.ListTree(dir)
	if err != nil {
		return err
	}
	if listing.Find("etc") != nil {
		name = filepath.Base(TargetDir)
	}
	for _, e := range listing.Entries {
		e.Path = name + "/" + e.Path
		if e.HardLink != "" {
			e.HardLink = name + "/" + e.HardLink
		}
		l.Entries = append(l.Entries, e)
	}
	return nil
}

// bytes adds a part of the disk as a file.
func (l *imageList) bytes(f *os.File, name string, p partition.Extent) error {
	digest, err := graph.DigestReader(io.NewSectionReader(f, p.Start, p.Length))
	l.Entries = append(l.Entries, graph.Entry{Path: name, Type: graph.TypeFile, Size: p.Length, Digest: digest})
	l.blind[name] = true
	return err
}

// filesystemOf returns the type of the filesystem at an offset and the options
// to mount it with, which must not write, or mind that another one has its
// identifier. The type is empty if there is none, or one that is not known.
func filesystemOf(f *os.File, offset int64) (fstype, options string, err error) {
	var start [2048]byte
	if _, err := f.ReadAt(start[:], offset); err != nil && !errors.Is(err, io.EOF) {
		return "", "", err
	}
	switch {
	case start[0x438] == 0x53 && start[0x439] == 0xEF:
		return "ext4", "noload", nil // of ext2 and ext3 too
	case string(start[:4]) == "XFSB":
		return "xfs", "norecovery,nouuid", nil
	case string(start[82:87]) == "FAT32" || string(start[54:58]) == "FAT1":
		return "vfat", "utf8", nil
	}
	return "", "", nil
}
