package cache

import (
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"github.com/zeebo/blake3"
)

// hashSize is the size of a digest or key in bytes. 256 bits leave no room for
// accidental or made collisions.
const hashSize = 32

// bufferSize is how much is read at a time. BLAKE3 reaches its full speed from
// 64 KiB on; 1 MiB saves system calls.
const bufferSize = 1 << 20

// A Digest names bytes: it is their BLAKE3 hash. The zero Digest names nothing.
type Digest [hashSize]byte

// A Key names work: it is the BLAKE3 hash of a description. The zero Key names
// nothing.
type Key [hashSize]byte

// DigestBytes returns the digest of b.
func DigestBytes(b []byte) Digest { return sum(b) }

// DigestReader reads r to its end and returns the digest and the number of the
// bytes read.
func DigestReader(r io.Reader) (Digest, int64, error) {
	return copyDigest(io.Discard, r)
}

// KeyOf returns the key of a description.
func KeyOf[T string | []byte](description T) Key { return sum(description) }

// smallHashers are hashers for what is in memory. A new one has 10 KiB to clear,
// which for a file of the usual size costs more than to hash it.
var smallHashers = sync.Pool{New: func() any { return blake3.New() }}

func sum[T string | []byte](data T) (hash [hashSize]byte) {
	h := smallHashers.Get().(*blake3.Hasher)
	defer smallHashers.Put(h)
	h.Reset()
	switch data := any(data).(type) {
	case string:
		h.WriteString(data)
	case []byte:
		h.Write(data)
	}
	h.Sum(hash[:0])
	return hash
}

// ParseDigest is the inverse of [Digest.String].
func ParseDigest(s string) (Digest, error) {
	d, ok := parseHash(s)
	if !ok {
		return Digest{}, fmt.Errorf("%q is not a digest: want %d lower-case hexadecimal digits", s, 2*hashSize)
	}
	return d, nil
}

// ParseKey is the inverse of [Key.String].
func ParseKey(s string) (Key, error) {
	k, ok := parseHash(s)
	if !ok {
		return Key{}, fmt.Errorf("%q is not a key: want %d lower-case hexadecimal digits", s, 2*hashSize)
	}
	return k, nil
}

// String returns d as 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Short returns the first 12 digits of String, for people.
func (d Digest) Short() string { return hex.EncodeToString(d[:6]) }

// IsZero reports whether d names nothing.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText returns String, and no text for the zero Digest.
func (d Digest) MarshalText() ([]byte, error) { return marshalHash(d) }

// UnmarshalText is the inverse of MarshalText.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	var ok bool
	if *d, ok = parseHash(text); ok || len(text) == 0 {
		return nil
	}
	_, err = ParseDigest(string(text)) // says what is wrong
	return err
}

// String returns k as 64 lower-case hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Short returns the first 12 digits of String, for people.
func (k Key) Short() string { return hex.EncodeToString(k[:6]) }

// IsZero reports whether k names nothing.
func (k Key) IsZero() bool { return k == Key{} }

// MarshalText returns String, and no text for the zero Key.
func (k Key) MarshalText() ([]byte, error) { return marshalHash(k) }

// UnmarshalText is the inverse of MarshalText.
func (k *Key) UnmarshalText(text []byte) (err error) {
	var ok bool
	if *k, ok = parseHash(text); ok || len(text) == 0 {
		return nil
	}
	_, err = ParseKey(string(text)) // says what is wrong
	return err
}

// A Hasher computes the digest of what is written to it. The zero Hasher is
// ready for use. It must not be used concurrently.
type Hasher struct{ h *blake3.Hasher }

// Write adds p. It never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	if h.h == nil {
		h.h = blake3.New()
	}
	return h.h.Write(p)
}

// Sum returns the digest of what was written since the last Reset. More may be
// written after it.
func (h *Hasher) Sum() (d Digest) {
	if h.h == nil {
		h.h = blake3.New()
	}
	h.h.Sum(d[:0])
	return d
}

// Reset forgets what was written.
func (h *Hasher) Reset() {
	if h.h != nil {
		h.h.Reset()
	}
}

// A hashBuffer is what reading and hashing a file needs. A hasher is 10 KiB and
// the buffer a hundred times that, so both are used again.
type hashBuffer struct {
	hasher Hasher
	bytes  [bufferSize]byte
}

var hashBuffers = sync.Pool{New: func() any { return new(hashBuffer) }}

// copyDigest copies r to w and returns digest and number of what was copied.
func copyDigest(w io.Writer, r io.Reader) (Digest, int64, error) {
	b := hashBuffers.Get().(*hashBuffer)
	defer hashBuffers.Put(b)
	b.hasher.Reset()
	// The wrappers hide WriterTo and ReaderFrom, which would pass by the buffer.
	n, err := io.CopyBuffer(onlyWriter{io.MultiWriter(&b.hasher, w)}, onlyReader{r}, b.bytes[:])
	return b.hasher.Sum(), n, err
}

type onlyWriter struct{ io.Writer }

type onlyReader struct{ io.Reader }

func marshalHash(hash [hashSize]byte) ([]byte, error) {
	if hash == [hashSize]byte{} {
		return []byte{}, nil
	}
	return hex.AppendEncode(make([]byte, 0, 2*hashSize), hash[:]), nil
}

func parseHash[T string | []byte](s T) (hash [hashSize]byte, ok bool) {
	if len(s) != 2*hashSize {
		return hash, false
	}
	for i := range hash {
		high, low := hexValue[s[2*i]], hexValue[s[2*i+1]]
		if high|low > 15 {
			return [hashSize]byte{}, false
		}
		hash[i] = high<<4 | low
	}
	return hash, true
}

// hexValue maps a lower-case hexadecimal digit to its value, anything else to
// 255. Upper case is refused: one hash has one spelling.
var hexValue = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
	}
	for i, c := range []byte("0123456789abcdef") {
		table[c] = byte(i)
	}
	return table
}()
