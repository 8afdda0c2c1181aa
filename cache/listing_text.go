package cache

import (
	"encoding/hex"
	"strconv"

	"golang.org/x/sys/unix"
)

// listingFormat is the first line of a stored listing.
const listingFormat = "dibgraph listing 1\n"

// AppendText appends the listing as text. After a line with the format there is
// a line for each entry:
//
//	d MODE UID GID TIME PATH [opaque] [NAME=VALUE]...
//	f MODE UID GID TIME SIZE DIGEST PATH [volatile] [NAME=VALUE]...
//	l MODE UID GID TIME TARGET PATH [NAME=VALUE]...
//	c MODE UID GID TIME MAJOR:MINOR PATH [NAME=VALUE]...    (and b)
//	p MODE UID GID TIME PATH [NAME=VALUE]...
//	h FIRST PATH       the same file as the earlier path FIRST
//	w PATH             whiteout
//
// MODE is octal, UID, GID, SIZE and the device numbers are decimal, TIME is
// seconds and nine digits of nanoseconds since 1970, DIGEST is 64 and VALUE any
// even number of hexadecimal digits. In PATH, TARGET and NAME every byte but the
// visible ASCII ones is written \xNN, as are the backslash and, in NAME, "=".
// Every listing has one spelling only.
//
// What is hashed for the layer's digest are the same lines without TIME, and
// with "-" for SIZE and DIGEST of volatile files.
//
// The error is always nil; it makes the Listing an encoding.TextAppender.
func (l *Listing) AppendText(b []byte) ([]byte, error) {
	b = append(b, listingFormat...)
	for i := range l.Entries {
		b = appendEntry(b, &l.Entries[i], false)
	}
	return b, nil
}

// appendEntry appends the line of an entry, or what is hashed of it.
func appendEntry(b []byte, e *Entry, masked bool) []byte {
	switch {
	case e.Whiteout:
		b = append(b, "w "...)
		b = appendEscaped(b, e.Path, false)
		return append(b, '\n')
	case e.HardLink != "":
		b = append(b, "h "...)
		b = appendEscaped(b, e.HardLink, false)
		b = append(b, ' ')
		b = appendEscaped(b, e.Path, false)
		return append(b, '\n')
	}
	b = append(b, byte(e.Type), ' ')
	b = strconv.AppendUint(b, uint64(e.Mode), 8)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(e.UID), 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(e.GID), 10)
	b = append(b, ' ')
	if !masked {
		b = appendTime(b, e)
	}
	b = appendContent(b, e, masked && e.Volatile)
	b = appendEscaped(b, e.Path, false)
	return appendAttributes(b, e)
}

// appendContent appends what is particular to the type.
func appendContent(b []byte, e *Entry, mask bool) []byte {
	switch e.Type {
	case TypeFile:
		if mask {
			return append(b, "- - "...)
		}
		b = strconv.AppendInt(b, e.Size, 10)
		b = append(b, ' ')
		b = hex.AppendEncode(b, e.Digest[:])
		return append(b, ' ')
	case TypeSymlink:
		b = appendEscaped(b, e.Link, false)
		return append(b, ' ')
	case TypeChar, TypeBlock:
		b = strconv.AppendUint(b, uint64(unix.Major(e.Rdev)), 10)
		b = append(b, ':')
		b = strconv.AppendUint(b, uint64(unix.Minor(e.Rdev)), 10)
		return append(b, ' ')
	}
	return b
}

func appendAttributes(b []byte, e *Entry) []byte {
	if e.Opaque {
		b = append(b, " opaque"...)
	}
	if e.Volatile {
		b = append(b, " volatile"...)
	}
	for _, x := range e.Xattrs {
		b = append(b, ' ')
		b = appendEscaped(b, x.Name, true)
		b = append(b, '=')
		b = hex.AppendEncode(b, []byte(x.Value))
	}
	return append(b, '\n')
}

func appendTime(b []byte, e *Entry) []byte {
	b = strconv.AppendInt(b, e.ModTime.Unix(), 10)
	nsec := e.ModTime.Nanosecond()
	b = append(b, '.')
	for unit := 100_000_000; unit > 0; unit /= 10 {
		b = append(b, '0'+byte(nsec/unit%10))
	}
	return append(b, ' ')
}

// appendEscaped appends a field. inName escapes "=", too.
func appendEscaped(b []byte, s string, inName bool) []byte {
	const digits = "0123456789abcdef"
	for i := range len(s) {
		if c := s[i]; plainByte(c, inName) {
			b = append(b, c)
		} else {
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
		}
	}
	return b
}

// plainByte reports whether a byte of a field stands for itself.
func plainByte(c byte, inName bool) bool {
	return '!' <= c && c <= '~' && c != '\\' && !(inName && c == '=')
}
