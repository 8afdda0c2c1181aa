package ext4

import (
	"strings"
)

// An attribute is an extended one in the form of the disk.
type attribute struct {
	index byte // stands for the beginning of the name
	name  string
	value []byte
}

var prefixes = []struct {
	prefix string
	index  byte
}{
	{"user.", 1}, {"trusted.", 4}, {"security.", 6},
}

const (
	attrMagic  = 0xEA020000
	attrEntry  = 16
	attrHeader = 32
	// attrRoom is what an inode has for attributes, behind its own fields and
	// the magic number.
	attrRoom = inodeSize - 128 - extraISize - 4
)

func newAttribute(full string, value []byte) (attribute, error) {
	switch full {
	case "system.posix_acl_access":
		value, err := diskACL(value)
		return attribute{2, "", value}, err
	case "system.posix_acl_default":
		value, err := diskACL(value)
		return attribute{3, "", value}, err
	}
	for _, p := range prefixes {
		if name, ok := strings.CutPrefix(full, p.prefix); ok && name != "" {
			return attribute{p.index, name, value}, nil
		}
	}
	return attribute{}, unsupported("the extended attribute %q", full)
}

// diskACL changes an access control list from the form of system calls, version 2,
// to that of the disk, version 1, in which only named users and groups have an
// identifier.
func diskACL(list []byte) ([]byte, error) {
	const user, group = 0x2, 0x8
	if len(list) < 4 || (len(list)-4)%8 != 0 || le.Uint32(list) != 2 {
		return nil, unsupported("an access control list of %d bytes", len(list))
	}
	disk := le.AppendUint32(nil, 1)
	for e := list[4:]; len(e) > 0; e = e[8:] {
		disk = append(disk, e[:4]...)
		if tag := le.Uint16(e); tag == user || tag == group {
			disk = append(disk, e[4:8]...)
		}
	}
	return disk, nil
}

// attrSize is what attributes take, with the end of the list.
func attrSize(all []attribute) int {
	size := 4
	for _, a := range all {
		size += attrEntry + pad(len(a.name)) + pad(len(a.value))
	}
	return size
}

func pad(n int) int { return (n + 3) &^ 3 }

// putAttributes writes entries to the beginning of an area and values to its end.
// Offsets count from base bytes before it. Only entries in blocks have hashes.
func putAttributes(area []byte, base int, all []attribute, hashes bool) (hash uint32) {
	at, end := 0, len(area)
	for _, a := range all {
		size := pad(len(a.value))
		end -= size
		copy(area[end:], a.value)
		e := area[at:]
		e[0], e[1] = byte(len(a.name)), a.index
		if len(a.value) > 0 {
			le.PutUint16(e[2:], uint16(base+end))
		}
		le.PutUint32(e[8:], uint32(len(a.value)))
		copy(e[attrEntry:], a.name)
		if hashes {
			one := attrHash(a.name, area[end:end+size])
			le.PutUint32(e[12:], one)
			hash = hash<<16 ^ hash>>16 ^ one
		}
		at += attrEntry + pad(len(a.name))
	}
	return hash
}

// attrHash is the hash of an entry: of its name and the padded value.
func attrHash(name string, value []byte) (hash uint32) {
	for i := range len(name) {
		hash = hash<<5 ^ hash>>(32-5) ^ uint32(name[i])
	}
	for ; len(value) >= 4; value = value[4:] {
		hash = hash<<16 ^ hash>>(32-16) ^ le.Uint32(value)
	}
	return hash
}

// attrBlock returns the block with attributes that the inode has no room for.
func (v *volume) attrBlock(block uint64, all []attribute) []byte {
	b := make([]byte, v.blockSize)
	le.PutUint32(b, attrMagic)
	le.PutUint32(b[4:], 1) // references
	le.PutUint32(b[8:], 1) // blocks
	le.PutUint32(b[12:], putAttributes(b[attrHeader:], attrHeader, all, true))
	if v.checksums {
		var number [8]byte
		le.PutUint64(number[:], block)
		le.PutUint32(b[16:], checksum(checksum(v.seed, number[:]), b))
	}
	return b
}
