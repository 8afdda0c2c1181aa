package blockdevice

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units are the factors of sizes in layouts. Case matters; one letter is a
// power of 1000.
var units = map[string]float64{
	"":    1,
	"B":   1,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
}

// maxSize is beyond every disk (4 EiB), and leaves room to add in int64.
const maxSize = 1 << 62

// A size is an amount of bytes, or a share of what is left of the disk.
type size struct {
	bytes    int64
	percent  float64
	relative bool
}

// of returns the size in bytes where left bytes are left.
func (s size) of(left int64) int64 {
	if s.relative {
		return int64(float64(left) * s.percent / 100)
	}
	return s.bytes
}

// ParseSize reads an absolute size, such as "8MiB", "1.5 GiB", "40G" or "512".
// A unit without a number means one of it. A fraction of a byte is cut off.
func ParseSize(text string) (int64, error) {
	s, err := parseSize(text)
	if err == nil && s.relative {
		err = fmt.Errorf("size %q: a share of the disk, where an amount is needed", text)
	}
	return s.bytes, err
}

// parseSize reads an absolute size, or a relative one such as "100%".
func parseSize(text string) (size, error) {
	fail := func(format string, args ...any) (size, error) {
		return size{}, fmt.Errorf("size %q: "+format, append([]any{text}, args...)...)
	}
	if text == "" {
		return fail("empty")
	}
	rest := strings.TrimLeft(text, "0123456789.")
	number, unit := text[:len(text)-len(rest)], strings.TrimPrefix(rest, " ")
	value, err := parseNumber(number)
	if err != nil || number == "" && (unit == "" || unit == "%") {
		return fail("%q is not a number", number)
	}
	if unit == "%" {
		if value > 100 {
			return fail("more than the whole")
		}
		return size{percent: value, relative: true}, nil
	}
	factor, ok := units[unit]
	if !ok {
		return fail("unknown unit %q; use TiB GiB MiB KiB, TB GB MB KB, T G M K, B or none", unit)
	}
	bytes := math.Trunc(value * factor)
	if bytes > maxSize {
		return fail("too big")
	}
	return size{bytes: int64(bytes)}, nil
}

func parseNumber(text string) (float64, error) {
	if text == "" {
		return 1, nil
	}
	if text == "." || strings.Count(text, ".") > 1 {
		return 0, errors.New("not a number")
	}
	return strconv.ParseFloat(text, 64)
}
