package cache

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// fields reads the fields of a line from the left. After an error it reads zero
// values.
type fields struct {
	rest string
	done bool // nothing is left
	err  error
}

func (f *fields) next() string {
	if f.done {
		f.fail(errFields)
		return ""
	}
	field, rest, more := strings.Cut(f.rest, " ")
	f.rest, f.done = rest, !more
	return field
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// entry reads what follows the letter of an entry with attributes.
func (f *fields) entry(e *Entry, t FileType) error {
	e.Type = t
	e.Mode = uint32(f.number(8, 0o7777))
	e.UID = uint32(f.number(10, math.MaxUint32))
	e.GID = uint32(f.number(10, math.MaxUint32))
	e.ModTime = f.time()
	switch t {
	case TypeFile:
		e.Size = int64(f.number(10, math.MaxInt64))
		e.Digest = f.digest()
	case TypeSymlink:
		e.Link = f.text()
		if e.Link == "" || strings.IndexByte(e.Link, 0) >= 0 {
			f.fail(errors.New("invalid target of a symbolic link"))
		}
	case TypeChar, TypeBlock:
		e.Rdev = f.device()
		if t == TypeChar && e.Rdev == 0 {
			f.fail(errors.New("a whiteout that is not marked as one"))
		}
	case TypeDir, TypeFIFO:
	default:
		return fmt.Errorf("unknown type %q", byte(t))
	}
	e.Path = f.text()
	f.attributes(e)
	return nil
}

func (f *fields) attributes(e *Entry) {
	for f.err == nil && !f.done {
		field := f.next()
		switch {
		case field == "opaque" && e.Type == TypeDir && !e.Opaque && e.Xattrs == nil:
			e.Opaque = true
		case field == "volatile" && e.Type == TypeFile && !e.Volatile && e.Xattrs == nil:
			e.Volatile = true
		default:
			f.xattr(e, field)
		}
	}
}

func (f *fields) xattr(e *Entry, field string) {
	name, value, found := strings.Cut(field, "=")
	name, ok := unescape(name, true)
	bytes, okValue := parseHex(value)
	if !found || !ok || !okValue {
		f.fail(errSpelling)
		return
	}
	n := len(e.Xattrs)
	if !AllowedXattr(name) || strings.IndexByte(name, 0) >= 0 || n > 0 && e.Xattrs[n-1].Name >= name {
		f.fail(errXattr)
		return
	}
	e.Xattrs = append(e.Xattrs, Xattr{Name: name, Value: bytes})
}

func (f *fields) text() string {
	s, ok := unescape(f.next(), false)
	if !ok {
		f.fail(errSpelling)
	}
	return s
}

func (f *fields) number(base int, limit uint64) uint64 {
	n, ok := parseNumber(f.next(), base, limit)
	if !ok {
		f.fail(errSpelling)
	}
	return n
}

func (f *fields) digest() Digest {
	hash, ok := parseHash(f.next())
	if !ok {
		f.fail(errSpelling)
	}
	return hash
}

func (f *fields) device() uint64 {
	major, minor, _ := strings.Cut(f.next(), ":")
	a, ok := parseNumber(major, 10, math.MaxUint32)
	b, ok2 := parseNumber(minor, 10, math.MaxUint32)
	if !ok || !ok2 {
		f.fail(errSpelling)
	}
	return unix.Mkdev(uint32(a), uint32(b))
}

func (f *fields) time() time.Time {
	s := f.next()
	dot := len(s) - 10
	if dot < 1 || s[dot] != '.' {
		f.fail(errSpelling)
		return time.Time{}
	}
	digits, negative := strings.CutPrefix(s[:dot], "-")
	sec, ok := parseNumber(digits, 10, math.MaxInt64)
	nsec, err := strconv.ParseUint(s[dot+1:], 10, 32)
	if !ok || err != nil || negative && sec == 0 {
		f.fail(errSpelling)
	}
	if negative {
		return time.Unix(-int64(sec), int64(nsec)).UTC()
	}
	return time.Unix(int64(sec), int64(nsec)).UTC()
}

// parseNumber accepts no sign and no leading zeros.
func parseNumber(s string, base int, limit uint64) (n uint64, ok bool) {
	if s == "" || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	for i := range len(s) {
		digit := uint64(s[i] - '0')
		if digit >= uint64(base) || n > (math.MaxUint64-digit)/uint64(base) {
			return 0, false
		}
		n = n*uint64(base) + digit
	}
	return n, n <= limit
}

func parseHex(s string) (string, bool) {
	for i := range len(s) {
		if hexValue[s[i]] > 15 {
			return "", false
		}
	}
	b, err := hex.DecodeString(s)
	return string(b), err == nil
}

// unescape is the inverse of appendEscaped. Nearly all fields have nothing to
// replace and are returned as they are.
func unescape(s string, inName bool) (string, bool) {
	plain := 0
	for plain < len(s) && plainByte(s[plain], inName) {
		plain++
	}
	if plain == len(s) {
		return s, true
	}
	b := []byte(s[:plain])
	for i := plain; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			if len(s) < i+4 || s[i+1] != 'x' || hexValue[s[i+2]]|hexValue[s[i+3]] > 15 {
				return "", false
			}
			c = hexValue[s[i+2]]<<4 | hexValue[s[i+3]]
			if plainByte(c, inName) {
				return "", false
			}
			i += 3
		} else if !plainByte(c, inName) {
			return "", false
		}
		b = append(b, c)
	}
	return string(b), true
}
