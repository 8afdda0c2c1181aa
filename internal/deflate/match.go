package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	// The table of what came before takes 16 KiB. One of 32 KiB made images 0.06 %
	// smaller, but is all of the first cache of many processors.
	hashBits = 12
	minMatch = 4   // what a hash covers
	maxMatch = 258 // of the format
	// A byte more is skipped at each step for each 64 bytes without a match.
	skipLog = 6
	// Of the bytes of a match after the first four, one in so many is remembered.
	rememberEvery = 4
)

// A bucket has the last two positions of a hash, the newer one in the lower half.
// Positions that were never set are 0, and as good as others: what is there
// is compared.
type bucket = uint32

// A token is a run of literals and a match after it: from the lowest bit, the
// length of the run (12 bits), that of the match less 3 (8), and the distance
// less 1 (12). A run of runOnly has no match.
type token = uint32

const (
	runOnly = 1<<12 - 1
	// A block has fewer tokens than this power of two: a match takes 3 bytes or more.
	maxTokens = blockSize / 2
)

// load reads 8 bytes. The mask, which changes nothing for positions that are in
// the chunk, saves the checks of bounds.
func (e *Encoder) load(at int) uint64 {
	at &= chunkSize - 1
	return binary.LittleEndian.Uint64(e.data[at : at+word])
}

func hash(v uint64) uint32 { return uint32(v) * 0x9E3779B1 >> (32 - hashBits) }

// find makes the tokens of a block, and counts its symbols.
//
// Candidates are compared and chosen without branches. The second one of a
// bucket takes 6 % of the encoder's time, and makes images 1.1 % smaller.
func (e *Encoder) find(start, end int) {
	clear(e.literals[:])
	clear(e.distances[:])
	e.literals[endOfBlock] = 1
	n := 0
	literal := start // where the run of literals begins
	s := start
	if s == 0 && end > 0 { // candidates have to be before s
		e.literals[e.data[0]]++
		s = 1
	}
	for s <= end-minMatch {
		v := e.load(s)
		b := &e.recent[hash(v)]
		c := *b
		*b = c<<16 | bucket(s)
		k := max(e.candidate(v, s, c), e.candidate(v, s, c>>16))
		if k < minMatch<<16 {
			e.literals[byte(v)]++
			s++
			if skip := (s - literal) >> skipLog; skip > 0 {
				s = e.countLiterals(s, min(s+skip, end))
			}
			continue
		}
		from, length, at := s, k>>16, k&(chunkSize-1)
		if length < word { // one that is longer may start one byte later
			v2 := e.load(s + 1)
			b = &e.recent[hash(v2)]
			c = *b
			*b = c<<16 | bucket(s+1)
			k2 := max(e.candidate(v2, s+1, c), e.candidate(v2, s+1, c>>16))
			length2 := k2 >> 16
			later := (length - length2) >> 63 & 1
			e.literals[byte(v)] += uint32(later)
			from += later
			if later != 0 {
				length, at = length2, k2&(chunkSize-1)
			}
		}
		if length == word {
			length = e.extend(from, at)
		}
		length = min(length, end-from)
		// Not all of a match is remembered, so that others are found late.
		for from > literal && at > 0 && e.data[(from-1)&(chunkSize-1)] == e.data[(at-1)&(chunkSize-1)] && length < maxMatch {
			from--
			at--
			length++
			e.literals[e.data[from&(chunkSize-1)]]--
		}
		run := from - literal
		for ; run >= runOnly; run -= runOnly {
			e.tokens[n&(maxTokens-1)] = runOnly
			n++
		}
		e.tokens[n&(maxTokens-1)] = token(run | (length-3)<<12 | (from-at-1)<<20)
		n++
		e.literals[257+int(lengthSymbols[(length-3)&255])]++
		e.distances[distanceTable[distanceIndex(from-at-1)]&31]++
		literal = from + length // at least s+4
		e.remember(s + 2)
		e.remember(s + 3)
		for i := s + 3 + rememberEvery; i < literal; i += rememberEvery {
			e.remember(i)
		}
		s = literal
	}
	e.countLiterals(s, end)
	run := end - literal
	for ; run >= runOnly; run -= runOnly {
		e.tokens[n&(maxTokens-1)] = runOnly
		n++
	}
	e.found, e.tail = n, run
}

// candidate returns how many bytes, at most 8, agree at s, which has v, and at the
// position in the low bits of c, then in its own low 16 bits that position: the
// larger the better. It is 0 if that is out of the window.
func (e *Encoder) candidate(v uint64, s int, c bucket) int {
	at := int(uint16(c))
	same := bits.TrailingZeros64(e.load(at)^v) >> 3
	return (same<<16 | at) & ((s - at - Window - 1) >> 63)
}

// extend returns how long a match is that has 8 bytes. It looks past the end of
// a block, or even wraps around: the caller cuts that off.
func (e *Encoder) extend(from, at int) int {
	for length := word; length < maxMatch; length += word {
		if x := e.load(from+length) ^ e.load(at+length); x != 0 {
			return min(length+bits.TrailingZeros64(x)>>3, maxMatch)
		}
	}
	return maxMatch
}

func (e *Encoder) remember(s int) {
	b := &e.recent[hash(e.load(s))]
	*b = *b<<16 | bucket(s)
}

// countLiterals counts those from s to end, and returns end, or s if that is
// beyond.
func (e *Encoder) countLiterals(s, end int) int {
	for ; s < end; s++ {
		e.literals[e.data[s&(chunkSize-1)]]++
	}
	return s
}
