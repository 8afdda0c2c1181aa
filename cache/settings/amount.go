package settings

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// An Amount is a size or a part of a filesystem. The zero Amount is none.
type Amount struct {
	Bytes   int64
	Percent int
}

// String returns what ParseAmount reads.
func (a Amount) String() string {
	if a.Percent > 0 {
		return fmt.Sprintf("%d%%", a.Percent)
	}
	return strconv.FormatInt(a.Bytes, 10)
}

var (
	sizeForm    = regexp.MustCompile(`^([0-9]{1,15})([KMGT]?)i?B?$`)
	percentForm = regexp.MustCompile(`^([0-9]{1,2})%$`)
)

// ParseSize reads a size: bytes, or with one of the letters K, M, G and T, which
// are powers of 1024.
func ParseSize(text string) (int64, error) {
	m := sizeForm.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is no size; want a number with K, M, G or T, as in 50G", text)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := map[string]int64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}[m[2]]
	if err != nil || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is larger than any disk", text)
	}
	return n * unit, nil
}

// ParseAmount reads a size, or a number of percent below 100.
func ParseAmount(text string) (a Amount, err error) {
	if m := percentForm.FindStringSubmatch(text); m != nil {
		a.Percent, err = strconv.Atoi(m[1])
		return a, err
	}
	if a.Bytes, err = ParseSize(text); err != nil {
		return a, errors.New(err.Error() + ", or with % for a part of the filesystem")
	}
	return a, nil
}
