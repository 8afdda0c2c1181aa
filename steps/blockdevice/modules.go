package blockdevice

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/internal/partition"
)

func (v values) meta() meta {
	return meta{name: v.item.name, kind: v.item.module, line: v.item.line, bases: v.item.bases}
}

func (v values) disk(p Params) *disk {
	d := &disk{
		meta:      v.meta(),
		size:      v.absolute("size", 0),
		blockSize: v.number("block_size", 512),
	}
	if p.BlockSize != 0 {
		d.blockSize = p.BlockSize
	}
	if directory := v.text("directory", ""); directory != "" {
		v.notice(d.line, "local_loop %q: the directory %q is not used: the file is a result of the build, and kept where these are", d.name, directory)
	}
	if d.blockSize != 512 && d.blockSize != 4096 {
		v.add(d.line, "local_loop %q: block size %d is neither 512 nor 4096", d.name, d.blockSize)
	}
	if len(d.bases) != 0 {
		v.add(d.line, "local_loop %q: stands on nothing, and has base %q", d.name, d.bases)
	}
	if d.name != path.Base(d.name) || d.name == ".." || d.name == "." {
		v.add(d.line, "local_loop %q: cannot be a file name", d.name)
	}
	return d
}

func (v values) table() *table {
	t := &table{name: v.item.name, line: v.item.line, disk: v.oneBase(), align: v.absolute("align", 1<<20)}
	switch label := v.required("label"); label {
	case "mbr", "":
	case "gpt":
		t.gpt = true
	default:
		v.add(v.item.line, "partitioning %q: label %q is neither mbr nor gpt", v.item.name, label)
	}
	if t.align <= 0 {
		v.add(v.item.line, "partitioning %q: align must not be 0", v.item.name)
		t.align = 1 << 20
	}
	v.lists("partitions")
	return t
}

func (v values) part(t *table) *part {
	p := &part{meta: v.meta(), table: t}
	if _, ok := v.item.values["size"]; !ok {
		v.add(p.line, "partition %q: the key \"size\" is missing", p.name)
	}
	p.size = v.amount("size", size{})
	for _, flag := range v.strings("flags") {
		switch {
		case flag == "boot":
			p.boot = true
		case flag == "primary" && !t.gpt:
			p.primary = true
		case flag == "primary":
			v.add(p.line, "partition %q: gpt has no primary partitions", p.name)
		default:
			v.add(p.line, "partition %q: unknown flag %q; flags are boot and primary", p.name, flag)
		}
	}
	var err error
	if t.gpt {
		p.gptType, err = partition.GPTType(v.text("type", "8300"))
	} else {
		p.mbrType, err = mbrType(v.text("type", "0x83"))
	}
	if err != nil {
		v.add(p.line, "partition %q: %v", p.name, err)
	}
	return p
}

func mbrType(text string) (byte, error) {
	digits := strings.TrimPrefix(strings.ToLower(text), "0x")
	value, err := strconv.ParseUint(digits, 16, 8)
	if err != nil || value == 0 {
		return 0, fmt.Errorf("partition type %q: not a hexadecimal number from 0x01 to 0xff", text)
	}
	return byte(value), nil
}

// rootName is the node that takes its properties from the parameters.
const rootName = "mkfs_root"

func (v values) filesystem(p Params) *filesystem {
	f := &filesystem{meta: v.meta()}
	v.oneBase()
	opts := ""
	if f.name == rootName {
		f.fstype = v.text("type", p.rootFSType())
		f.label = v.text("label", p.rootLabel(f.fstype))
		opts = p.RootFSOpts
	} else {
		f.fstype = v.required("type")
		f.label = v.text("label", f.name)
	}
	for word := range strings.SplitSeq(v.text("opts", opts), " ") {
		if word != "" {
			f.opts = append(f.opts, word)
		}
	}
	f.uuid = v.text("uuid", "")
	v.checkFilesystem(f)
	return f
}

// labelLengths has the longest label that filesystems take, in bytes. "fat" is another
// name of vfat. Of others it is not known.
var labelLengths = map[string]int{"ext2": 16, "ext3": 16, "ext4": 16, "xfs": 12, "vfat": 11, "fat": 11, "swap": 16}

// fstypeName is what a type can be: a part of the name of a program.
var fstypeName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

func (v values) checkFilesystem(f *filesystem) {
	longest, ok := labelLengths[f.fstype]
	switch {
	case ok || f.fstype == "":
	case !fstypeName.MatchString(f.fstype):
		v.add(f.line, "mkfs %q: type %q is not the name of a filesystem, such as ext4", f.name, f.fstype)
	default:
		v.notice(f.line, "mkfs %q: how long a label %s takes is not known; %q is taken as it is", f.name, f.fstype, f.label)
	}
	if f.fstype == "vfat" || f.fstype == "fat" {
		f.label = strings.ToUpper(f.label)
	}
	if ok && len(f.label) > longest {
		v.add(f.line, "mkfs %q: label %q has %d characters; %s takes %d", f.name, f.label, len(f.label), f.fstype, longest)
	}
	if strings.ContainsAny(f.label, " \t\n\"") {
		v.add(f.line, "mkfs %q: label %q has characters that /etc/fstab cannot hold", f.name, f.label)
	}
	if f.uuid != "" {
		if _, err := partition.ParseGUID(f.uuid); err != nil {
			v.add(f.line, "mkfs %q: uuid: %v", f.name, err)
		}
	}
}

func (v values) mountPoint() *mountPoint {
	v.oneBase()
	point := v.required("mount_point")
	if len(point) > 1 {
		point = strings.TrimSuffix(point, "/")
	}
	return &mountPoint{meta: v.meta(), point: point}
}

func (v values) fstabLine() *fstabLine {
	v.oneBase()
	f := &fstabLine{meta: v.meta(), options: v.text("options", "defaults")}
	f.dump = strconv.Itoa(v.number("dump-freq", 0))
	f.pass = strconv.Itoa(v.number("fsck-passno", 2))
	if strings.ContainsAny(f.options, " \t\n") || f.options == "" {
		v.add(f.line, "fstab %q: options %q must be words joined by commas", f.name, f.options)
	}
	return f
}
