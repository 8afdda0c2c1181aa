// Package inflate helps tests: it inflates as readers do that have a small window.
package inflate

import (
	"bytes"
	"errors"
	"fmt"
)

// Data decodes raw deflate (RFC 1951), refusing matches further back than
// window. It returns how many bytes of from it used.
func Data(from []byte, window int) (data []byte, used int, err error) {
	d := &inflater{from: from, window: window}
	defer func() {
		if recover() != nil {
			err = errors.New("deflate data ends too early")
		}
	}()
	for last := false; !last; {
		last = d.bits(1) == 1
		switch kind := d.bits(2); kind {
		case 0:
			d.at, d.bit = d.at+(d.bit+7)/8, 0
			n := int(d.from[d.at]) | int(d.from[d.at+1])<<8
			d.out = append(d.out, d.from[d.at+4:][:n]...)
			d.at += 4 + n
		case 1:
			literals := make([]int, 288)
			for i := range literals {
				switch {
				case i < 144, i >= 280:
					literals[i] = 8
				case i < 256:
					literals[i] = 9
				default:
					literals[i] = 7
				}
			}
			distances := bytesToInts(bytes.Repeat([]byte{5}, 30))
			err = d.block(huffman(literals), huffman(distances))
		case 2:
			err = d.block(d.tables())
		default:
			err = errors.New("block type 3")
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return d.out, d.at + (d.bit+7)/8, nil
}

type inflater struct {
	from    []byte
	at, bit int
	out     []byte
	window  int
}

func (d *inflater) bits(n int) (value int) {
	for i := range n {
		value |= int(d.from[d.at]>>d.bit&1) << i
		if d.bit++; d.bit == 8 {
			d.at, d.bit = d.at+1, 0
		}
	}
	return value
}

// codes are canonical Huffman codes: how many there are of each length, and their
// symbols in order.
type codes struct {
	count   [16]int
	symbols []int
}

func huffman(lengths []int) *codes {
	c := new(codes)
	for length := 1; length <= 15; length++ {
		for symbol, l := range lengths {
			if l == length {
				c.count[length]++
				c.symbols = append(c.symbols, symbol)
			}
		}
	}
	return c
}

func (d *inflater) symbol(c *codes) int {
	bits, first, index := 0, 0, 0
	for length := 1; length <= 15; length++ {
		bits |= d.bits(1)
		if bits-first < c.count[length] {
			return c.symbols[index+bits-first]
		}
		index += c.count[length]
		first = (first + c.count[length]) << 1
		bits <<= 1
	}
	panic("no such code")
}

func (d *inflater) tables() (literals, distances *codes) {
	nl, nd, nc := d.bits(5)+257, d.bits(5)+1, d.bits(4)+4
	order := []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	lengths := make([]int, 19)
	for _, i := range order[:nc] {
		lengths[i] = d.bits(3)
	}
	meta := huffman(lengths)
	var all []int
	for len(all) < nl+nd {
		value, times := 0, 1
		switch s := d.symbol(meta); s {
		case 16:
			value, times = all[len(all)-1], 3+d.bits(2)
		case 17:
			times = 3 + d.bits(3)
		case 18:
			times = 11 + d.bits(7)
		default:
			value = s
		}
		for range times {
			all = append(all, value)
		}
	}
	return huffman(all[:nl]), huffman(all[nl:])
}

func (d *inflater) block(literals, distances *codes) error {
	for {
		s := d.symbol(literals)
		switch {
		case s < 256:
			d.out = append(d.out, byte(s))
			continue
		case s == 256:
			return nil
		}
		length := 3
		switch s -= 257; {
		case s == 28:
			length = 258
		case s < 8:
			length += s
		default:
			extra := s/4 - 1
			length += (4+s%4)<<extra + d.bits(extra)
		}
		distance := d.symbol(distances)
		if distance >= 4 {
			extra := distance/2 - 1
			distance = (2+distance%2)<<extra + d.bits(extra)
		}
		distance++
		if distance > d.window || distance > len(d.out) {
			return fmt.Errorf("match %d bytes back, with %d there and a window of %d", distance, len(d.out), d.window)
		}
		for range length {
			d.out = append(d.out, d.out[len(d.out)-distance])
		}
	}
}

func bytesToInts(b []byte) []int {
	ints := make([]int, len(b))
	for i, v := range b {
		ints[i] = int(v)
	}
	return ints
}
