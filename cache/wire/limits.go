package wire

import "fmt"

// Limits bound what a decoder takes from somebody who may want to fill the disk.
type Limits struct {
	// Entries is how many paths there may be.
	Entries int
	// Bytes is how many bytes of content all files together may have.
	Bytes int64
}

const (
	maxName   = 255       // NAME_MAX
	maxPath   = 4096      // PATH_MAX
	maxXattrs = 256 << 10 // bytes of all attributes of one path, four times what ext4 can hold
	maxWindow = 32 << 20  // of zstd, bytes; ours is below 8 MiB
)

// DefaultLimits are far above any layer of an image.
func DefaultLimits() Limits { return Limits{Entries: 20_000_000, Bytes: 1 << 40} }

// A RefusedError says why a layer was not taken.
type RefusedError struct {
	Path string // empty if it is about no single path
	Why  string
}

func (e *RefusedError) Error() string {
	if e.Path == "" {
		return "refused: " + e.Why
	}
	return fmt.Sprintf("refused %q: %s", e.Path, e.Why)
}

func refuse(path, why string, args ...any) error {
	return &RefusedError{path, fmt.Sprintf(why, args...)}
}
