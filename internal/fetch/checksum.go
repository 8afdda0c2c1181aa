package fetch

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
)

// A Checksum names the content of a file so that nobody can make another of
// the same name: md5 and sha1 are not known for that reason.
type Checksum struct {
	Algorithm string // sha256 or sha512
	Hex       string // in lower case
}

// digits is the length of a checksum by its algorithm.
var digits = map[string]int{"sha256": 2 * sha256.Size, "sha512": 2 * sha512.Size}

// weak are the lengths of checksums that are no proof of anything.
var weak = map[int]string{32: "md5", 40: "sha1"}

// ParseChecksum reads "sha256:HEX" or "sha512:HEX".
func ParseChecksum(text string) (Checksum, error) {
	algorithm, sum, ok := strings.Cut(text, ":")
	if !ok {
		return Checksum{}, fmt.Errorf("checksum %q: want sha256:HEX or sha512:HEX", text)
	}
	algorithm = strings.ToLower(algorithm)
	length, known := digits[algorithm]
	switch {
	case algorithm == "md5" || algorithm == "sha1":
		return Checksum{}, fmt.Errorf("checksum %q: files of the same %s can be made on purpose; use sha256 or sha512", text, algorithm)
	case !known:
		return Checksum{}, fmt.Errorf("checksum %q: %q is not known; want sha256 or sha512", text, algorithm)
	case !isHex(sum) || len(sum) != length:
		return Checksum{}, fmt.Errorf("checksum %q: a %s has %d digits of 0-9 and a-f", text, algorithm, length)
	}
	return Checksum{algorithm, strings.ToLower(sum)}, nil
}

// String returns the form that ParseChecksum reads.
func (c Checksum) String() string { return c.Algorithm + ":" + c.Hex }

// A MismatchError says that a file has another checksum than it should have.
type MismatchError struct{ Want, Got Checksum }

func (e *MismatchError) Error() string {
	return fmt.Sprintf("the checksum is wrong: want %s, got %s", e.Want, e.Got)
}

// Check reads r to its end. The error is a [*MismatchError] if what is read is
// not what the checksum names.
func (c Checksum) Check(r io.Reader) error {
	var h hash.Hash = sha256.New()
	if c.Algorithm == "sha512" {
		h = sha512.New()
	}
	if _, err := io.Copy(h, r); err != nil {
		return fmt.Errorf("compute the checksum: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != c.Hex {
		return &MismatchError{Want: c, Got: Checksum{c.Algorithm, got}}
	}
	return nil
}

func isHex(text string) bool {
	return text != "" && strings.Trim(strings.ToLower(text), "0123456789abcdef") == ""
}
