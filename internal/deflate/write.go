package deflate

import "encoding/binary"

const (
	stored  = 0
	fixed   = 1
	dynamic = 2
)

// codeLimit is how long codes may be: with 7 bits that wait, four literals
// fit into 64 bits. The format allows 15.
const codeLimit = 14

// Where the parts of what stands for a symbol are: at most 19 bits with lengths, 14
// with distances.
const (
	numberShift = 24
	extraShift  = 16
	extraMask   = 15
)

// A writer collects bits, the first one in the lowest.
type writer struct {
	to   []byte
	n    int // bytes in to
	bits uint64
	used uint // bits in bits, less than 8 between blocks

	// What stands for a symbol: bits, and from numberShift on their number. With
	// lengths, that is with the extra bits; with distances, by distanceIndex, how
	// many follow is from extraShift on.
	literals  [endOfBlock + 1]uint32
	lengths   [256]uint32
	distances [len(distanceTable)]uint32
	// A block: less than if it were stored.
	block [chunkSize + word]byte
}

func (w *writer) reset(to []byte) {
	w.to, w.n, w.bits, w.used = to, 0, 0, 0
}

// finish writes the last bits, for which there was room, and returns how many
// bytes there are.
func (w *writer) finish() int {
	if w.used > 0 {
		w.to[w.n] = byte(w.bits)
		w.n++
	}
	w.to = nil // it is the caller's
	return w.n
}

// room reports whether so many more bits fit.
func (w *writer) room(bits int) bool {
	return w.n+(int(w.used)+bits+7)/8 <= len(w.to)
}

// writeBlock writes the tokens of the data from start to end in the cheapest
// way, unless they do not fit.
func (e *Encoder) writeBlock(start, end int, last bool) bool {
	e.literalCode.make(e.literals[:], codeLimit)
	e.distanceCode.make(e.distances[:distanceSymbols], codeLimit)
	extra := e.extraBits()
	e.header.make(&e.literalCode, &e.distanceCode)
	kind, cost := dynamic, 3+e.header.cost+extra+total(e.literals[:], e.literalCode.lengths[:])+total(e.distances[:distanceSymbols], e.distanceCode.lengths[:])
	if c := 3 + extra + total(e.literals[:], fixedLiterals.lengths[:]) + total(e.distances[:distanceSymbols], fixedDistances.lengths[:]); c <= cost {
		kind, cost = fixed, c
	}
	w := &e.w
	if c := w.storedCost(end - start); c <= cost {
		kind, cost = stored, c
	}
	if !w.room(cost) {
		return false
	}
	first := uint64(kind) << 1
	if last {
		first |= 1
	}
	w.put(first, 3)
	switch kind {
	case stored:
		w.store(e.data[start:end])
		return true
	case fixed:
		w.tables(fixedLiterals, fixedDistances)
	case dynamic:
		e.header.write(w)
		w.tables(&e.literalCode, &e.distanceCode)
	}
	e.writeTokens(start)
	return true
}

// extraBits is how many bits follow the symbols of the block.
func (e *Encoder) extraBits() int {
	sum := 0
	for i, n := range e.literals[257:] {
		sum += int(n) * int(lengthExtra(uint8(i)))
	}
	for i, n := range e.distances[:distanceSymbols] {
		sum += int(n) * int(distanceExtra(i))
	}
	return sum
}

func total(counts []uint32, lengths []uint8) int {
	sum := uint32(0)
	lengths = lengths[:len(counts)]
	for i, n := range counts {
		sum += n * uint32(lengths[i])
	}
	return int(sum)
}

// storedCost is how many bits it takes to store n bytes, at most 65535.
func (w *writer) storedCost(n int) int {
	return 3 + int(-(w.used+3)&7) + 32 + 8*n
}

func (w *writer) store(data []byte) {
	w.put(0, -w.used&7)
	to := w.to[w.n:w.n]
	to = binary.LittleEndian.AppendUint16(to, uint16(len(data)))
	to = binary.LittleEndian.AppendUint16(to, ^uint16(len(data)))
	to = append(to, data...)
	w.n += len(to)
}

// put writes a few bits, which fit.
func (w *writer) put(bits uint64, n uint) {
	w.bits |= bits << w.used
	for w.used += n; w.used >= 8; w.used -= 8 {
		w.to[w.n] = byte(w.bits)
		w.n++
		w.bits >>= 8
	}
}

// tables makes what stands for symbols in a code.
func (w *writer) tables(literals, distances *code) {
	for i := range w.literals {
		w.literals[i] = literals.symbol(i)
	}
	for i := range w.lengths {
		symbol := lengthSymbols[i]
		c := literals.symbol(257 + int(symbol))
		extra := uint32(lengthExtra(symbol))
		w.lengths[i] = c + uint32(i)&(1<<extra-1)<<(c>>numberShift) + extra<<numberShift
	}
	for i := range w.distances {
		symbol := int(distanceTable[i])
		w.distances[i] = distances.symbol(symbol) | uint32(distanceExtra(symbol))<<extraShift
	}
}

func (c *code) symbol(i int) uint32 {
	return uint32(c.codes[i]) | uint32(c.lengths[i])<<numberShift
}

// writeTokens writes the tokens of the data from start on, by way of w.block,
// which has room to write whole words.
func (e *Encoder) writeTokens(start int) {
	w := &e.w
	bits, used, n := w.bits, w.used, uint(0)
	at := start
	for _, t := range e.tokens[:e.found] {
		run := int32(t & runOnly)
		v := e.load(at)
		at += int(run)
		for ; run > 4; run -= 4 {
			bits, used = push(bits, used, w.literals[byte(v)])
			bits, used = push(bits, used, w.literals[byte(v>>8)])
			bits, used = push(bits, used, w.literals[byte(v>>16)])
			bits, used = push(bits, used, w.literals[byte(v>>24)])
			bits, used, n = w.flush(bits, used, n)
			v = e.load(at - int(run) + 4)
		}
		// Short runs of all lengths are common: those past the end push nothing, but
		// there is no branch.
		bits, used = push(bits, used, w.literals[byte(v)]&uint32(-run>>31))
		bits, used = push(bits, used, w.literals[byte(v>>8)]&uint32((1-run)>>31))
		bits, used = push(bits, used, w.literals[byte(v>>16)]&uint32((2-run)>>31))
		bits, used = push(bits, used, w.literals[byte(v>>24)]&uint32((3-run)>>31))
		bits, used, n = w.flush(bits, used, n)
		if t&runOnly == runOnly {
			continue
		}
		length, distance := int(t>>12&255), int(t>>20)
		bits, used = push(bits, used, w.lengths[length])
		c := w.distances[distanceIndex(distance)]
		bits, used = push(bits, used, c&^(extraMask<<extraShift))
		extra := c >> extraShift & extraMask
		bits, used = push(bits, used, uint32(distance)&(1<<extra-1)|extra<<numberShift)
		bits, used, n = w.flush(bits, used, n)
		at += length + 3
	}
	for range e.tail {
		bits, used = push(bits, used, w.literals[e.data[at]])
		bits, used, n = w.flush(bits, used, n)
		at++
	}
	bits, used = push(bits, used, w.literals[endOfBlock])
	w.bits, w.used, n = w.flush(bits, used, n)
	w.n += copy(w.to[w.n:], w.block[:n])
}

// push adds what stands for a symbol to the used bits.
func push(bits uint64, used uint, c uint32) (uint64, uint) {
	return bits | uint64(c&(1<<numberShift-1))<<(used&63), used + uint(c>>numberShift)
}

// flush writes whole bytes to n bytes into the block, and returns what is left.
func (w *writer) flush(bits uint64, used, n uint) (uint64, uint, uint) {
	at := n & (chunkSize - 1)
	binary.LittleEndian.PutUint64(w.block[at:at+word], bits)
	return bits >> (used & 0x38), used & 7, n + used>>3
}
