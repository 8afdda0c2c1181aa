package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/partition"
)

// kpartx stands in for the program of that name, which needs a device mapper: the
// kernel is told of the partitions of a loop device, and links to them are where
// diskimage-builder looks. It takes the forms that diskimage-builder calls,
// "kpartx -uvs DEVICE", in containers "kpartx -av DEVICE", and "kpartx -d DEVICE".
func kpartx() {
	if len(os.Args) != 3 || !slices.Contains([]string{"-uvs", "-av", "-d"}, os.Args[1]) {
		fmt.Fprintf(os.Stderr, "kpartx: unexpected arguments %q\n", os.Args[1:])
		os.Exit(2)
	}
	if err := mapPartitions(os.Args[2], os.Args[1] != "-d"); err != nil {
		fmt.Fprintln(os.Stderr, "kpartx:", err)
		os.Exit(1)
	}
}

// mapPartitions forgets the partitions of a device and, if asked for, adds those
// of its present table.
func mapPartitions(device string, add bool) error {
	disk, err := os.Open(device)
	if err != nil {
		return err
	}
	defer disk.Close()
	links, err := filepath.Glob(filepath.Join("/dev/mapper", filepath.Base(device)+"p*"))
	if err != nil {
		return err
	}
	for _, link := range links {
		err = errors.Join(err, os.Remove(link))
	}
	if err := errors.Join(err, partition.DeleteAll(disk)); err != nil || !add {
		return err
	}
	table, err := partition.Read(disk)
	if err != nil {
		return err
	}
	if err := os.MkdirAll("/dev/mapper", 0o755); err != nil {
		return err
	}
	for _, p := range table {
		path, err := partition.Add(disk, p.Number, p.Start, p.Length)
		if err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join("/dev/mapper", strings.TrimPrefix(path, "/dev/"))); err != nil {
			return err
		}
	}
	return nil
}
