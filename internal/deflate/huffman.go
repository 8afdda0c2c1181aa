package deflate

import "math/bits"

// A code is a canonical Huffman code, codes being in the order of the bits in
// deflate.
type code struct {
	lengths [literalSymbols + 2]uint8
	codes   [literalSymbols + 2]uint16

	sorted, other [literalSymbols]uint32
}

// make chooses the lengths, up to limit, for symbols that occur so often. Those
// that do not occur have none. One or two symbols have a bit each: some
// readers refuse a code that is not complete.
func (c *code) make(counts []uint32, limit int) {
	clear(c.lengths[:])
	n := 0
	for symbol, count := range counts {
		if count > 0 {
			c.sorted[n] = count<<9 | uint32(symbol)
			n++
		}
	}
	switch n {
	case 0: // a code has at least one
		c.lengths[0], c.lengths[1] = 1, 1
		c.assign(2)
		return
	case 1:
		symbol := c.sorted[0] & 511
		c.lengths[symbol] = 1
		if symbol == 0 {
			c.lengths[1] = 1
		} else {
			c.lengths[0] = 1
		}
		c.assign(len(counts))
		return
	}
	sorted := c.sort(n)
	// In place, after Moffat and Katajainen: counts become parents, then depths.
	var w [literalSymbols]uint32
	for i, s := range sorted {
		w[i] = s >> 9
	}
	leaf, root := 0, 0
	for next := range n - 1 {
		sum := uint32(0)
		for range 2 {
			if leaf >= n || root < next && w[root] < w[leaf] {
				sum += w[root]
				w[root] = uint32(next)
				root++
			} else {
				sum += w[leaf]
				leaf++
			}
		}
		w[next] = sum
	}
	w[n-2] = 0
	for i := n - 3; i >= 0; i-- {
		w[i] = w[w[i]] + 1
	}
	// How many codes there are of each length, those that are too long at the
	// limit.
	var number [16]int
	avail, used, depth := 1, 0, uint32(0)
	node := n - 2
	for avail > 0 {
		for ; node >= 0 && w[node] == depth; node-- {
			used++
		}
		number[min(int(depth), limit)] += avail - used
		avail, used = 2*used, 0
		depth++
	}
	// A code of the limit that is too many is made room for by a shorter one: that
	// becomes one bit longer, and has the other place beside it.
	sum := 0
	for length := 1; length <= limit; length++ {
		sum += number[length] << (limit - length)
	}
	for ; sum > 1<<limit; sum-- {
		length := limit - 1
		for number[length] == 0 {
			length--
		}
		number[length]--
		number[length+1] += 2
		number[limit]--
	}
	i := 0
	for length := limit; length > 0; length-- {
		for range number[length] {
			c.lengths[sorted[i]&511] = uint8(length)
			i++
		}
	}
	c.assign(len(counts))
}

// sort orders by count and symbol: by the two bytes of the count, as the symbols
// are in order.
func (c *code) sort(n int) []uint32 {
	from, to := c.sorted[:n], c.other[:n]
	for shift := 9; shift < 25; shift += 8 {
		var at [256]uint32
		for _, v := range from {
			at[byte(v>>shift)]++
		}
		sum := uint32(0)
		for i, count := range at {
			at[i] = sum
			sum += count
		}
		for _, v := range from {
			to[at[byte(v>>shift)]] = v
			at[byte(v>>shift)]++
		}
		from, to = to, from
	}
	return from
}

// assign gives the first symbols their codes.
func (c *code) assign(symbols int) {
	var next [17]uint16
	for _, length := range c.lengths[:symbols] {
		next[length+1]++
	}
	next[1] = 0
	for length := 2; length < len(next); length++ {
		next[length] = (next[length-1] + next[length]) << 1
	}
	for symbol, length := range c.lengths[:symbols] {
		if length > 0 {
			c.codes[symbol] = bits.Reverse16(next[length]) >> (16 - length)
			next[length]++
		}
	}
}
