package trust

import (
	"bytes"
	"fmt"
)

// Limits of what is read: far above what builds make, and little enough to be
// held in memory.
const (
	maxNote    = 64 << 10
	maxPayload = 64 << 20

	// MaxObject is the size of the largest object that Unpack takes.
	MaxObject = maxPayload + maxNote + maxHeader
	maxHeader = 64
)

const (
	frameMagic  = "dibgraph-pack "
	frameFormat = 1
)

// Pack returns the object of a note and its payload, as a remote stores it.
func Pack(note, payload []byte) []byte {
	object := frameHeader(len(note), len(payload))
	return append(append(object, note...), payload...)
}

func frameHeader(note, payload int) []byte {
	return fmt.Appendf(nil, "%s%d %d %d\n", frameMagic, frameFormat, note, payload)
}

// Unpack is the inverse of Pack. It checks nothing but the frame; note and
// payload are parts of the object. The error is a *RefusedError.
func Unpack(object []byte) (note, payload []byte, err error) {
	line, _, ok := bytes.Cut(object[:min(len(object), maxHeader)], []byte("\n"))
	if !ok || !bytes.HasPrefix(line, []byte(frameMagic)) {
		return nil, nil, refuse(Damaged, "it is no pack: it does not begin as one does")
	}
	rest := object[len(line)+1:]
	var format, noteSize, payloadSize int
	if _, err := fmt.Sscanf(string(line[len(frameMagic):]), "%d %d %d", &format, &noteSize, &payloadSize); err != nil {
		return nil, nil, refuse(Damaged, "its first line is damaged")
	}
	switch {
	case format != frameFormat:
		return nil, nil, refuse(UnknownFormat, "it is a pack of format %d, and this dibgraph reads format %d", format, frameFormat)
	case noteSize > maxNote || payloadSize > maxPayload:
		return nil, nil, refuse(Oversized, "it is larger than any pack: a note of %d bytes and a payload of %d", noteSize, payloadSize)
	// Written again it has to be the same: there is one way to write a frame.
	case !bytes.Equal(object[:len(line)+1], frameHeader(noteSize, payloadSize)) || noteSize < 0 || payloadSize < 0:
		return nil, nil, refuse(Damaged, "its first line is damaged")
	case len(rest) != noteSize+payloadSize:
		return nil, nil, refuse(Damaged, "it has %d bytes after its first line, which says %d", len(rest), noteSize+payloadSize)
	}
	return rest[:noteSize], rest[noteSize:], nil
}
