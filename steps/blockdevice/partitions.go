package blockdevice

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/partition"
)

// create makes the kernel know the partition. The first one of a table writes
// that before.
func (p *part) create(_ context.Context, s *State) error {
	on := s.disks[p.table.disk]
	if on.places == nil {
		if err := p.table.write(on, s.layout.params); err != nil {
			return err
		}
	}
	path, err := s.attachPartition(on, on.places[p.name])
	if err != nil {
		return err
	}
	s.add(p.name, path)
	return nil
}

func (t *table) write(on *attached, params Params) error {
	places, err := t.places(on.size, int64(on.sectorSize))
	if err != nil {
		return err
	}
	on.places = map[string]place{}
	for _, at := range places {
		on.places[at.part.name] = at
	}
	if t.gpt {
		return t.guidTable(places, on.size, on.sectorSize, params).Write(on.loop.File())
	}
	return t.mbr(places, on.size, on.sectorSize, params).Write(on.loop.File())
}

// attachPartition returns a device for one partition. That is a partition of
// the loop device, which boot loaders recognise as part of the disk. In a
// container whose devices are restricted it may not be opened; then it is a loop
// device of its own on a window of the raw file.
func (s *State) attachPartition(on *attached, at place) (string, error) {
	path, err := partition.Add(on.loop.File(), at.part.number, at.start, at.length)
	if err == nil {
		if err = openable(path); err == nil {
			return path, nil
		}
		err = errors.Join(err, partition.Delete(on.loop.File(), at.part.number))
	}
	window, failed := loop.Attach(on.raw, loop.Options{BlockSize: on.sectorSize, Offset: at.start, SizeLimit: at.length})
	if failed != nil {
		return "", fmt.Errorf("neither a partition (%w) nor a loop device of its own can be used: %w", err, failed)
	}
	s.undo.Add(window.Close)
	return window.Path, nil
}

func openable(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return file.Close()
}
