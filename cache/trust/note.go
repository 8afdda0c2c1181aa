package trust

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
)

// A parsedNote is a note of which nothing has been verified.
type parsedNote struct {
	text       string
	signatures []signature
}

// A signature is one line of a note.
type signature struct {
	id        string // of the key that is said to have made it
	signature []byte
}

var errNote = errors.New("it is not a text, an empty line and signatures")

// maxSignatures is how many signatures package note reads, too.
const maxSignatures = 100

// parseNote takes a note apart, also one without signatures, which package note
// does not read.
func parseNote(whole []byte) (n parsedNote, err error) {
	split := bytes.LastIndex(whole, []byte("\n\n"))
	if split < 0 || whole[len(whole)-1] != '\n' {
		return n, errNote
	}
	n.text = string(whole[:split+1])
	for line := range strings.Lines(string(whole[split+2:])) {
		name, text, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(line, signatureStart), "\n"), " ")
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !ok || !strings.HasPrefix(line, signatureStart) || len(raw) < 5 || checkKeyName(name) != nil || len(n.signatures) == maxSignatures {
			return n, errNote
		}
		n.signatures = append(n.signatures, signature{keyID(name, binary.BigEndian.Uint32(raw)), raw[4:]})
	}
	return n, nil
}
