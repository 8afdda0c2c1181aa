package deflate

import "math/bits"

const (
	endOfBlock      = 256
	literalSymbols  = 286
	distanceSymbols = 30
)

// lengthSymbols has the symbol, less 257, of each length less 3.
var lengthSymbols = func() (symbols [256]uint8) {
	for i := range symbols {
		switch {
		case i < 8:
			symbols[i] = uint8(i)
		default:
			n := bits.Len(uint(i)) - 3
			symbols[i] = uint8(4*n + i>>n)
		}
	}
	symbols[255] = 28
	return symbols
}()

// lengthExtra returns how many bits follow a length's symbol.
func lengthExtra(symbol uint8) uint {
	if symbol < 8 || symbol == 28 {
		return 0
	}
	return uint(symbol/4 - 1)
}

// distanceTable has the symbols of distances less 1, those from 256 on by their
// higher bits.
var distanceTable = func() (symbols [256 + Window>>7]uint8) {
	for i := range symbols {
		d := uint(i)
		if i >= 256 {
			d = uint(i-256) << 7
		}
		switch {
		case d < 4:
			symbols[i] = uint8(d)
		default:
			n := bits.Len(d) - 2
			symbols[i] = uint8(uint(2*n) + d>>n)
		}
	}
	return symbols
}()

// distanceIndex returns where a distance less 1 is in distanceTable.
func distanceIndex(d int) int {
	i := 256 + d>>7&(Window>>7-1)
	if d < 256 { // this way round it is no branch
		i = d & 255
	}
	return i
}

// distanceExtra returns how many bits follow a distance's symbol.
func distanceExtra(symbol int) uint {
	return uint(max(symbol>>1-1, 0))
}
