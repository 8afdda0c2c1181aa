package packages

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rpm returns the versions of the packages in a database of rpm, of the kind
// that is a file of SQLite (rpmdb.sqlite). Where a package is there for several
// architectures the names have the architecture after a dot; where it is there
// in several versions, as kernels are, there are all of them.
func Rpm(database []byte) (map[string]string, error) {
	type key struct{ name, architecture string }
	versions := make(map[key][]string)
	architectures := make(map[string]int)
	file, err := openSQLite(database)
	if err != nil {
		return nil, err
	}
	root, err := file.table("Packages")
	if err != nil {
		return nil, err
	}
	err = file.rows(root, func(record []byte) error {
		values, _, err := columns(record)
		if err != nil || len(values) < 2 {
			return errDamaged
		}
		h, err := parseHeader(values[1])
		if err != nil {
			return err
		}
		k := key{h.name, h.architecture}
		if versions[k] == nil {
			architectures[k.name]++
		}
		versions[k] = append(versions[k], h.fullVersion())
		return nil
	})
	if err != nil {
		return nil, err
	}
	installed := make(map[string]string, len(versions))
	for k, all := range versions {
		name := k.name
		if architectures[name] > 1 {
			name += "." + k.architecture
		}
		slices.Sort(all)
		installed[name] = strings.Join(all, ", ")
	}
	return installed, nil
}

// The tags and types of a header that matter here, by their numbers in rpm's
// rpmtag.h.
const (
	tagName         = 1000
	tagVersion      = 1001
	tagRelease      = 1002
	tagEpoch        = 1003
	tagArchitecture = 1022

	typeInt32  = 4
	typeString = 6
)

// An rpmHeader is what a header says of its package.
type rpmHeader struct{ name, epoch, version, release, architecture string }

func (h rpmHeader) fullVersion() string {
	version := h.version + "-" + h.release
	if h.epoch != "" {
		version = h.epoch + ":" + version
	}
	return version
}

// parseHeader reads a header as databases have it: the number of entries, the
// number of bytes of their values, 16 bytes for each entry, the values.
func parseHeader(b []byte) (h rpmHeader, err error) {
	const intro, entrySize = 8, 16
	be := binary.BigEndian
	if len(b) < intro {
		return h, errDamaged
	}
	count := int64(be.Uint32(b))
	if int64(len(b)) < intro+count*entrySize {
		return h, errDamaged
	}
	values := b[intro+count*entrySize:]
	for entry := range slices.Chunk(b[intro:intro+count*entrySize], entrySize) {
		tag, kind, at := be.Uint32(entry), be.Uint32(entry[4:]), int64(be.Uint32(entry[8:]))
		if at > int64(len(values)) {
			continue // of a kind that is not looked at, or damaged
		}
		value := values[at:]
		switch {
		case kind == typeString:
			text, _, _ := bytes.Cut(value, []byte{0})
			h.set(tag, text)
		case kind == typeInt32 && tag == tagEpoch && len(value) >= 4:
			h.epoch = strconv.FormatUint(uint64(be.Uint32(value)), 10)
		}
	}
	if h.name == "" {
		return h, fmt.Errorf("%w: a package has no name", errDamaged)
	}
	return h, nil
}

func (h *rpmHeader) set(tag uint32, text []byte) {
	switch tag {
	case tagName:
		h.name = string(text)
	case tagVersion:
		h.version = string(text)
	case tagRelease:
		h.release = string(text)
	case tagArchitecture:
		h.architecture = string(text)
	}
}
