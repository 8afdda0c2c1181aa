package wire

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// An extent is where a file has data.
type extent struct{ offset, length int64 }

// extents are in order, and do not touch.
type extents []extent

// extentsOf returns where a file of that size has data. Small files have no
// holes that would be worth the question.
func extentsOf(f *os.File, size int64) (extents, error) {
	const block = 4096
	if size <= block {
		return whole(size), nil
	}
	var list extents
	for at := int64(0); at < size; {
		data, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // nothing but a hole up to the end
		}
		if err != nil {
			return nil, err
		}
		hole, err := unix.Seek(int(f.Fd()), data, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		hole = min(hole, size)
		list = append(list, extent{data, hole - data})
		at = hole
	}
	return list, nil
}

func whole(size int64) extents {
	if size == 0 {
		return nil
	}
	return extents{{0, size}}
}

func (x extents) bytes() (n int64) {
	for _, e := range x {
		n += e.length
	}
	return n
}

// text returns the size of a sparse file, and offset and length of its extents.
func (x extents) text(size int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", size)
	for _, e := range x {
		fmt.Fprintf(&b, ",%d,%d", e.offset, e.length)
	}
	return b.String()
}

// parseExtents reads what text returns, and nothing that is not in order.
func parseExtents(text string) (x extents, size int64, err error) {
	words := strings.Split(text, ",")
	numbers := make([]int64, len(words))
	for i, word := range words {
		if numbers[i], err = strconv.ParseInt(word, 10, 64); err != nil || numbers[i] < 0 {
			return nil, 0, fmt.Errorf("%q is no list of extents", text)
		}
	}
	size = numbers[0]
	if len(numbers)%2 == 0 {
		return nil, 0, fmt.Errorf("%q is no list of extents", text)
	}
	for i := 1; i < len(numbers); i += 2 {
		e := extent{numbers[i], numbers[i+1]}
		if !x.goesOn(e, size) {
			return nil, 0, fmt.Errorf("the extents %q are not in order in a file of %d bytes", text, size)
		}
		x = append(x, e)
	}
	return x, size, nil
}

// goesOn reports whether e can come next in a file of that size: it is not empty,
// behind the others, and within the file.
func (x extents) goesOn(e extent, size int64) bool {
	end := int64(0)
	if len(x) > 0 {
		last := x[len(x)-1]
		end = last.offset + last.length
	}
	return e.length > 0 && e.offset >= end && e.length <= size-e.offset
}
