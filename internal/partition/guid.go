package partition

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A GUID is a globally unique identifier, its bytes in the order of its text
// form. The zero value is the GUID of an unused partition.
type GUID [16]byte

// ParseGUID reads the text form, 8-4-4-4-12 hexadecimal digits, in either case.
func ParseGUID(text string) (GUID, error) {
	var g GUID
	groups := strings.Split(text, "-")
	if len(text) != 36 || len(groups) != 5 || len(groups[0]) != 8 ||
		len(groups[1]) != 4 || len(groups[2]) != 4 || len(groups[3]) != 4 {
		return g, fmt.Errorf("guid %q: not five groups of 8, 4, 4, 4 and 12 hexadecimal digits", text)
	}
	if _, err := hex.Decode(g[:], []byte(strings.Join(groups, ""))); err != nil {
		return GUID{}, fmt.Errorf("guid %q: %w", text, err)
	}
	return g, nil
}

// String returns the text form in capitals, as partition tools print it.
func (g GUID) String() string {
	return fmt.Sprintf("%X-%X-%X-%X-%X", g[:4], g[4:6], g[6:8], g[8:10], g[10:])
}

// disk returns the form on disk: the first three groups little-endian.
func (g GUID) disk() [16]byte {
	return [16]byte{
		g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6],
		g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15],
	}
}
