// Package deflate compresses data that is whole and in memory into raw deflate
// (RFC 1951) for readers with a window of 4 KiB, as those of qcow2 have.
//
// With so little to look back at, and positions of 16 bits, all that the search
// for matches touches fits into the first cache of a processor. Inputs of more
// than 64 KiB are taken in chunks that know nothing of each other.
package deflate

// Window is how far back matches reach at most, in bytes.
const Window = 1 << 12

const (
	// Positions in a chunk are 16 bits.
	chunkSize = 1 << 16
	// A block has one Huffman code. On images of programs and documents, 32 KiB
	// took 0.5 % less than a block for 64 KiB.
	blockSize = 32 << 10
	// What is read at once, past the end of a chunk too.
	word = 8
)

// An Encoder compresses one input at a time. The zero value is ready, and takes
// about 225 KiB.
type Encoder struct {
	data   [chunkSize + word]byte
	recent [1 << hashBits]bucket

	// The block: its tokens, literals after them, and how often symbols occur.
	tokens    [maxTokens]token
	found     int
	tail      int
	literals  [literalSymbols]uint32
	distances [32]uint32 // of distanceSymbols, with room for all of 5 bits

	literalCode  code
	distanceCode code
	header       header
	w            writer
}

// Encode compresses from into to and returns how many bytes that took, or false
// if to is too small; its content is of no use then. The result depends on
// nothing but from.
func (e *Encoder) Encode(to, from []byte) (n int, ok bool) {
	e.w.reset(to)
	for {
		size := copy(e.data[:chunkSize], from)
		from = from[size:]
		clear(e.data[size:][:word])
		clear(e.recent[:])
		for start := 0; ; start += blockSize {
			end := min(start+blockSize, size)
			e.find(start, end)
			last := end == size
			if !e.writeBlock(start, end, last && len(from) == 0) {
				return 0, false
			}
			if last {
				break
			}
		}
		if len(from) == 0 {
			return e.w.finish(), true
		}
	}
}
