package blockdevice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/dibgraph/dibgraph/internal/cleanup"
	"github.com/dibgraph/dibgraph/internal/loop"
)

// A Runner runs a host tool to its end, and shows what it writes. It returns
// an error that names the tool when the tool fails.
type Runner func(ctx context.Context, name string, args ...string) error

// A State is a layout that has been made, with its filesystems mounted. It
// belongs to one goroutine.
type State struct {
	layout *Layout
	run    Runner
	tree   *Tree         // what it is filled with; nil if it stays empty
	undo   cleanup.Stack // detaches what is attached
	raws   []string

	disks   map[string]*attached
	devices []device // in the order in which they were made
	mounted []*mounted
}

// An attached disk is a raw file with its loop device.
type attached struct {
	raw        string
	loop       *loop.Device
	size       int64
	sectorSize int
	places     map[string]place // of partitions, by name; nil without a table
}

// A device is what a node that makes block devices has made.
type device struct{ node, path string }

// Create makes the layout: raw files, loop devices, partition tables, empty
// filesystems without journals, and mounts below MountBase. On an error it
// undoes all of it, raw files too.
//
// Mounts are made in the namespace of the calling process. The caller ends
// with Umount and FinishFilesystems, or with Close.
func (l *Layout) Create(ctx context.Context, run Runner) (*State, error) {
	return l.create(ctx, run, nil)
}

func (l *Layout) create(ctx context.Context, run Runner, tree *Tree) (_ *State, err error) {
	s := &State{layout: l, run: run, tree: tree, disks: map[string]*attached{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.abandon())
		}
	}()
	for _, n := range l.order {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := n.create(ctx, s); err != nil {
			m := n.common()
			return nil, fmt.Errorf("block device layout: %s %q: %w", m.kind, m.name, err)
		}
	}
	return s, nil
}

func (d *disk) create(_ context.Context, s *State) error {
	size := d.size
	if size == 0 {
		var err error
		if size, err = ParseSize(s.layout.params.ImageSize); err != nil {
			return fmt.Errorf("image size: %w", err)
		}
	}
	// The size a loop device has is in whole sectors.
	size = down(size, int64(d.blockSize))
	path := s.layout.rawFile(d)
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	s.raws = append(s.raws, path)
	if err := errors.Join(file.Truncate(size), file.Close()); err != nil {
		return err
	}
	dev, err := loop.Attach(path, loop.Options{BlockSize: d.blockSize})
	if err != nil {
		return err
	}
	s.undo.Add(dev.Close)
	s.disks[d.name] = &attached{raw: path, loop: dev, size: size, sectorSize: d.blockSize}
	s.add(d.name, dev.Path)
	return nil
}

func (s *State) add(node, path string) { s.devices = append(s.devices, device{node, path}) }

// path returns the block device that a node has made.
func (s *State) path(node string) string {
	for _, d := range s.devices {
		if d.node == node {
			return d.path
		}
	}
	return ""
}

// Value answers like [Layout.Value], and also image-block-device, the
// device of the whole disk, and image-block-devices, all of them, each as
// " [name]=device ".
func (s *State) Value(key string) string {
	switch key {
	case "image-block-device":
		return s.path(MainDisk)
	case "image-block-devices":
		var all strings.Builder
		for _, d := range s.devices {
			fmt.Fprintf(&all, " [%s]=%s ", d.node, d.path)
		}
		return all.String()
	}
	return s.layout.Value(key)
}

// Close unmounts and detaches what still is, without finishing it. After
// FinishFilesystems, and a second time, it does nothing.
func (s *State) Close() error {
	return errors.Join(s.unmountAll(context.Background(), false), s.undo.Close())
}

// abandon is Close for a disk that nobody wants.
func (s *State) abandon() error {
	errs := []error{s.Close()}
	for _, raw := range s.raws {
		errs = append(errs, os.Remove(raw))
	}
	return errors.Join(errs...)
}
