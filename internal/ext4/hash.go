package ext4

import "math/bits"

// hash returns the hash of a name that indexes of directories are sorted by: half
// of MD4, with the seed of the filesystem.
func (v *volume) hash(name string) uint32 {
	const unsigned = 2 // of the superblock's flags: how bytes are taken
	state := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	var seed [4]uint32
	for i := range seed {
		seed[i] = le.Uint32(v.super[0xEC+4*i:])
	}
	if seed != [4]uint32{} {
		state = seed
	}
	signed := le.Uint32(v.super[0x160:])&unsigned == 0
	for rest := name; len(rest) > 0; rest = rest[min(32, len(rest)):] {
		halfMD4(&state, words(rest, signed))
	}
	hash := state[1] &^ 1
	const end = 1<<31 - 1 // stands for the end of a directory
	if hash == end<<1 {
		hash = (end - 1) << 1
	}
	return hash
}

// words returns the next 32 bytes of a name, padded with its length.
func words(name string, signed bool) (w [8]uint32) {
	fill := uint32(len(name)) | uint32(len(name))<<8
	fill |= fill << 16
	for i := range w {
		w[i] = fill
	}
	value := fill
	for i := range min(len(name), 32) {
		c := uint32(name[i])
		if signed {
			c = uint32(int32(int8(name[i])))
		}
		value = c + value<<8
		w[i/4] = value
		if i%4 == 3 {
			value = fill
		}
	}
	return w
}

func halfMD4(state *[4]uint32, in [8]uint32) {
	a, b, c, d := state[0], state[1], state[2], state[3]
	round := func(f func(x, y, z uint32) uint32, constant uint32, order [8]int, shifts [4]int) {
		for i, at := range order {
			a += f(b, c, d) + in[at] + constant
			a = bits.RotateLeft32(a, shifts[i%4])
			a, b, c, d = d, a, b, c
		}
	}
	round(func(x, y, z uint32) uint32 { return z ^ x&(y^z) }, 0, [8]int{0, 1, 2, 3, 4, 5, 6, 7}, [4]int{3, 7, 11, 19})
	round(func(x, y, z uint32) uint32 { return x&y + (x^y)&z }, 0x5A827999, [8]int{1, 3, 5, 7, 0, 2, 4, 6}, [4]int{3, 5, 9, 13})
	round(func(x, y, z uint32) uint32 { return x ^ y ^ z }, 0x6ED9EBA1, [8]int{3, 7, 2, 6, 1, 5, 0, 4}, [4]int{3, 9, 11, 15})
	state[0], state[1], state[2], state[3] = state[0]+a, state[1]+b, state[2]+c, state[3]+d
}
