package packages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// sqliteMagic begins every database of SQLite.
const sqliteMagic = "SQLite format 3\x00"

// The types of the pages of a table, as https://sqlite.org/fileformat2.html has
// them.
const (
	tableInterior = 0x05
	tableLeaf     = 0x0d
)

// A sqliteFile is a database that is only read, one table from its beginning to
// its end.
type sqliteFile struct {
	data             []byte
	pageSize, usable int
	left             int // pages that may still be visited, against damage
}

var errDamaged = errors.New("the database is damaged")

func openSQLite(data []byte) (*sqliteFile, error) {
	if len(data) < 100 || !bytes.HasPrefix(data, []byte(sqliteMagic)) {
		return nil, errors.New("it is no database of SQLite")
	}
	size := int(binary.BigEndian.Uint16(data[16:]))
	if size == 1 {
		size = 1 << 16
	}
	f := &sqliteFile{data: data, pageSize: size, usable: size - int(data[20])}
	if size < 512 || size&(size-1) != 0 || f.usable < 480 {
		return nil, errDamaged
	}
	f.left = 2 * (len(data)/size + 1)
	return f, nil
}

// rows calls f with the payload of every row of a table.
func (s *sqliteFile) rows(root int, f func(record []byte) error) error {
	page, err := s.page(root)
	if err != nil {
		return err
	}
	header := page
	if root == 1 {
		header = page[100:] // after the header of the file
	}
	kind, cells := header[0], int(binary.BigEndian.Uint16(header[3:]))
	pointers := header[8:]
	if kind == tableInterior {
		pointers = header[12:]
	}
	if len(pointers) < 2*cells {
		return errDamaged
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(pointers[2*i:]))
		if at+4 > len(page) {
			return errDamaged
		}
		switch kind {
		case tableInterior:
			err = s.rows(int(binary.BigEndian.Uint32(page[at:])), f)
		case tableLeaf:
			err = s.row(page[at:], f)
		default:
			err = errDamaged
		}
		if err != nil {
			return err
		}
	}
	if kind == tableInterior {
		return s.rows(int(binary.BigEndian.Uint32(header[8:])), f)
	}
	return nil
}

func (s *sqliteFile) page(number int) ([]byte, error) {
	if number < 1 || number > len(s.data)/s.pageSize || s.left == 0 {
		return nil, errDamaged
	}
	s.left--
	return s.data[(number-1)*s.pageSize : number*s.pageSize][:s.usable], nil
}

// row collects the payload of a cell, the rest of which may be in other pages.
func (s *sqliteFile) row(cell []byte, f func(record []byte) error) error {
	length, cell, ok := varint(cell)
	_, cell, okID := varint(cell)
	if !ok || !okID || length > uint64(len(s.data)) {
		return errDamaged
	}
	local, whole := s.local(int(length))
	if len(cell) < local {
		return errDamaged
	}
	record := bytes.Clone(cell[:local])
	if whole {
		return f(record)
	}
	if len(cell) < local+4 {
		return errDamaged
	}
	for next := int(binary.BigEndian.Uint32(cell[local:])); len(record) < int(length); {
		page, err := s.page(next)
		if err != nil {
			return err
		}
		next = int(binary.BigEndian.Uint32(page))
		record = append(record, page[4:4+min(len(page)-4, int(length)-len(record))]...)
	}
	return f(record)
}

// local returns how much of a payload is in the cell itself.
func (s *sqliteFile) local(length int) (n int, whole bool) {
	most := s.usable - 35
	if length <= most {
		return length, true
	}
	least := (s.usable-12)*32/255 - 23
	if n = least + (length-least)%(s.usable-4); n > most {
		n = least
	}
	return n, false
}

// columns returns the texts and blobs of a record, nil for other values, and
// the last four bytes of integers.
func columns(record []byte) (values [][]byte, numbers []uint32, err error) {
	size, rest, ok := varint(record)
	start := uint64(len(record) - len(rest))
	if !ok || size < start || size > uint64(len(record)) {
		return nil, nil, errDamaged
	}
	types, content := record[start:size], record[size:]
	for len(types) > 0 {
		var kind uint64
		if kind, types, ok = varint(types); !ok {
			return nil, nil, errDamaged
		}
		length := lengthOf(kind)
		if length > uint64(len(content)) {
			return nil, nil, errDamaged
		}
		value := content[:length]
		content = content[length:]
		var number uint32
		switch {
		case kind == 9:
			number = 1
		case kind < 7:
			for _, b := range value {
				number = number<<8 | uint32(b)
			}
		}
		if kind < 12 {
			value = nil
		}
		values, numbers = append(values, value), append(numbers, number)
	}
	return values, numbers, nil
}

// lengthOf returns how many bytes a value of a type takes.
func lengthOf(kind uint64) uint64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind >= 8:
		return 0
	case kind >= 6:
		return 8
	case kind == 5:
		return 6
	}
	return kind
}

// varint reads a number of one to nine bytes, the high ones first.
func varint(b []byte) (n uint64, rest []byte, ok bool) {
	for i := range min(len(b), 9) {
		if i == 8 {
			return n<<8 | uint64(b[i]), b[9:], true
		}
		n = n<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}

// table returns the first page of a table.
func (s *sqliteFile) table(name string) (root int, err error) {
	err = s.rows(1, func(record []byte) error {
		values, numbers, err := columns(record)
		if err == nil && len(values) >= 4 && string(values[0]) == "table" && string(values[1]) == name {
			root = int(numbers[3])
		}
		return err
	})
	if err == nil && root == 0 {
		err = fmt.Errorf("it has no table %q", name)
	}
	return root, err
}
