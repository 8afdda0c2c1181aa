package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A byteSize is a flag that takes a number of bytes with a unit.
type byteSize int64

var byteUnits = map[string]float64{
	"": 1, "B": 1,
	"K": 1e3, "KB": 1e3, "M": 1e6, "MB": 1e6, "G": 1e9, "GB": 1e9, "T": 1e12, "TB": 1e12,
	"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
}

// String returns the number as it can be given again.
func (b *byteSize) String() string { return strconv.FormatInt(int64(*b), 10) }

// Type is what help calls the value.
func (b *byteSize) Type() string { return "size" }

// Set parses such as 20GB, 1.5TiB or 500M.
func (b *byteSize) Set(text string) error {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit, known := byteUnits[strings.ToUpper(strings.TrimSpace(text[len(digits):]))]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !known || !(n >= 0) || n*unit > math.MaxInt64/2 {
		return fmt.Errorf("%q is no size: want a number and a unit, such as 20GB, 1.5TiB or 500M", text)
	}
	*b = byteSize(n * unit)
	return nil
}
