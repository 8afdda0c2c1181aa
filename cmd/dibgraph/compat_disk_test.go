package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/compat"
)

// diskEntry is the name that the description of a disk has among the files of an
// image.
const diskEntry = "disk"

// ext4Facts are the lines of dumpe2fs that tell how a filesystem was made.
var ext4Facts = []string{
	"Filesystem volume name", "Filesystem features", "Default mount options", "Inode count", "Block count", "Block size",
	"Inode size", "Reserved block count", "Filesystem revision", "Errors behavior", "Total journal size", "Journal size", "Reserved GDT blocks",
}

// disk describes the disk of an image, if it has one: its partitions and how
// their filesystems were made, but no ids.
func (s *compatSite) disk(side string) *compat.Entry {
	s.t.Helper()
	raw := s.outputOf(side, "raw")
	if _, err := os.Stat(raw); err != nil {
		return nil
	}
	var out strings.Builder
	offsets := []int64{0}
	if table := partitionTable(raw); table != nil {
		offsets = nil
		fmt.Fprintf(&out, "table %s\n", table.Label)
		for i, p := range table.Partitions {
			fmt.Fprintf(&out, "partition %d start %d\npartition %d size %d\npartition %d type %s name %q bootable %t\n", i+1, p.Start, i+1, p.Size, i+1, p.Type, p.Name, p.Bootable)
			offsets = append(offsets, p.Start*512)
		}
	}
	for i, offset := range offsets {
		blkid := s.tool("sh", "-c", fmt.Sprintf("blkid -p -O %d -o export %s || true", offset, raw))
		for line := range strings.Lines(blkid) {
			if name, _, _ := strings.Cut(line, "="); slices.Contains([]string{"TYPE", "LABEL", "VERSION"}, name) {
				fmt.Fprintf(&out, "filesystem %d %s", i+1, line)
			}
		}
		if !strings.Contains(blkid, "TYPE=ext4") {
			continue
		}
		for line := range strings.Lines(s.tool("dumpe2fs", "-h", fmt.Sprintf("%s?offset=%d", raw, offset))) {
			if name, _, _ := strings.Cut(line, ":"); slices.Contains(ext4Facts, name) {
				fmt.Fprintf(&out, "filesystem %d %s", i+1, line)
			}
		}
	}
	text := out.String()
	return &compat.Entry{Type: '-', Digest: text, Text: []byte(text), Size: int64(len(text))}
}

// A table is what sfdisk says of a disk.
type table struct {
	Label      string
	Partitions []struct {
		Start, Size int64
		Type, Name  string
		Bootable    bool
	}
}

// partitionTable reads the table of a disk; it is nil without one.
func partitionTable(raw string) *table {
	out, err := exec.Command("sfdisk", "--json", raw).Output()
	if err != nil {
		return nil
	}
	var parsed struct{ PartitionTable table }
	if err := json.Unmarshal(out, &parsed); err != nil {
		return nil
	}
	return &parsed.PartitionTable
}
