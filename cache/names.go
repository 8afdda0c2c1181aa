package cache

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// maxName keeps an escaped name within the 255 bytes that file systems allow,
// with room for what is put around it.
const maxName = 160

// escapeName makes a file name of any bytes. Different names stay different: a
// long name ends in "~" and its hash, and "~" itself is escaped.
func escapeName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; safeInName(c) && (c != '.' || i > 0) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	switch {
	case b.Len() == 0:
		return "%"
	case b.Len() > maxName:
		hash := DigestBytes([]byte(name))
		return b.String()[:maxName-33] + "~" + hex.EncodeToString(hash[:16])
	}
	return b.String()
}

func safeInName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-+.,:=@", c) >= 0
}
