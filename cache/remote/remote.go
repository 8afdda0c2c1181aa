package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrNotFound says that a remote answered, and does not have what was asked for.
var ErrNotFound = errors.New("not found")

// ErrUnsupported says that a remote of this kind cannot do what was asked.
var ErrUnsupported = errors.New("this kind of remote cannot do that")

// A Sum is the SHA-256 of a content, as registries and caches of HTTP name it.
type Sum [sha256.Size]byte

// String returns 64 hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// ParseSum reads what String returns.
func ParseSum(text string) (s Sum, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(s) {
		return s, fmt.Errorf("%q is not a SHA-256 of %d hexadecimal digits", text, 2*len(s))
	}
	return Sum(b), nil
}

// MarshalText returns what String does.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText returns.
func (s *Sum) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSum(string(text))
	return err
}

// A Content is bytes as they are transferred: often compressed.
type Content struct {
	Sum Sum `json:"sha256"`
	// Size is in bytes.
	Size int64 `json:"size"`
}

// A Remote stores contents and named objects. All methods may be called
// concurrently. Their errors say what was asked for and where, without
// passwords and tokens; they wrap [ErrNotFound] if the answer was that there is
// none, and the cause of ctx if that ended.
//
// Names consist of the letters a to z, digits, ".", "-" and "_", begin with a
// letter or digit, and are at most 128 bytes long.
type Remote interface {
	// String is the address of the remote as the user wrote it, without what is
	// secret in it.
	String() string

	// Load returns a named object. One of more than limit bytes is an error,
	// and is not read to its end.
	Load(ctx context.Context, name string, limit int64) ([]byte, error)
	// Save stores a named object in place of an earlier one; readers see the old
	// or the new one, whole. The object is about the given contents, which were
	// uploaded: as long as it is there, they are kept.
	Save(ctx context.Context, name string, data []byte, about []Content) error

	// Open gives the bytes of a content from an offset up to another, where they
	// end; the caller closes it. There may be fewer or others than the content
	// has.
	Open(ctx context.Context, c Content, from, to int64) (io.ReadCloser, error)
	// Has reports whether a content is there.
	Has(ctx context.Context, c Content) (bool, error)
	// Upload stores a content. Others see it whole or not at all; one that is
	// there already stays. Body opens the bytes from their beginning, and is
	// called again if they have to be sent again.
	Upload(ctx context.Context, c Content, body func() (io.ReadCloser, error)) error
}

// First returns the first n bytes of a body: a server that knows no ranges gives
// more than it was asked for.
func First(body io.ReadCloser, n int64) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(body, n), body}
}

// An Item is something that a remote has.
type Item struct {
	// Name is that of a named object, empty for a content.
	Name string
	// Content is the content itself, if Name is empty.
	Content Content
	// Size is in bytes, of the content or of the named object.
	Size int64
	// Modified is when it was stored last.
	Modified time.Time
}

// A Keeper is a remote that can be cleared up: it can tell what it has, and
// remove it.
type Keeper interface {
	Remote
	// Items calls yield for everything there is, in no order, until it returns
	// false or something fails.
	Items(ctx context.Context, yield func(Item) bool) error
	// Remove removes an item. One that is not there is no error.
	Remove(ctx context.Context, i Item) error
}
