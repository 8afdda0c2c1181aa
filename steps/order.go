package steps

import (
	"cmp"
	"strings"
)

// CompareHooks compares the names of two hooks as the runner orders them, as
// "sort -n" does in the C locale: by the number they start with, then
// byte-wise. A number is optional blanks, an optional minus, digits and an
// optional fraction; a name without one counts as 0. So 9-a is before 10-b,
// and 009-z before 9-a.
func CompareHooks(a, b string) int {
	return cmp.Or(leadingNumber(a).compare(leadingNumber(b)), strings.Compare(a, b))
}

// A number is kept as its digits: it can have any number of them.
type number struct {
	negative bool
	whole    string // without leading zeros
	fraction string // without trailing zeros
}

// leadingNumber returns the number that name starts with.
func leadingNumber(name string) number {
	// sort takes a line break for a blank too.
	rest := strings.TrimLeft(name, " \t\n")
	rest, negative := strings.CutPrefix(rest, "-")
	n := number{negative: negative}
	n.whole, rest = cutDigits(rest)
	n.whole = strings.TrimLeft(n.whole, "0")
	if fraction, ok := strings.CutPrefix(rest, "."); ok {
		n.fraction, _ = cutDigits(fraction)
		n.fraction = strings.TrimRight(n.fraction, "0")
	}
	if n.whole == "" && n.fraction == "" {
		n.negative = false // there is one zero only
	}
	return n
}

// cutDigits splits s after the digits it starts with.
func cutDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}

func (n number) compare(o number) int {
	switch {
	case n.negative && o.negative:
		return o.compareSize(n)
	case n.negative:
		return -1
	case o.negative:
		return 1
	}
	return n.compareSize(o)
}

// compareSize compares without the sign.
func (n number) compareSize(o number) int {
	return cmp.Or(
		cmp.Compare(len(n.whole), len(o.whole)),
		strings.Compare(n.whole, o.whole),
		strings.Compare(n.fraction, o.fraction),
	)
}
