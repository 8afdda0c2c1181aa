package deflate

// A header is how the lengths of the codes are written before a dynamic block.
type header struct {
	literals, distances, meta int // how many lengths there are of each
	code                      code
	lengths                   [literalSymbols + distanceSymbols]uint8
	symbols                   []metaSymbol
	cost                      int // in bits
}

// A metaSymbol is a code length, or a repetition with what follows it.
type metaSymbol struct{ symbol, extra uint8 }

const metaSymbols = 19

// metaOrder is the order in which the lengths of the code of the lengths come.
var metaOrder = [metaSymbols]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

var metaExtra = [metaSymbols]uint8{16: 2, 17: 3, 18: 7}

func (h *header) make(literals, distances *code) {
	h.literals, h.distances = literalSymbols, distanceSymbols
	for h.literals > 257 && literals.lengths[h.literals-1] == 0 {
		h.literals--
	}
	for h.distances > 1 && distances.lengths[h.distances-1] == 0 {
		h.distances--
	}
	n := copy(h.lengths[:], literals.lengths[:h.literals])
	n += copy(h.lengths[n:], distances.lengths[:h.distances])
	all := h.lengths[:n]
	h.symbols = h.symbols[:0]
	for len(all) > 0 {
		length, run := all[0], 1
		for run < len(all) && all[run] == length {
			run++
		}
		all = all[run:]
		if length == 0 {
			for ; run >= 11; run -= min(run, 138) {
				h.symbols = append(h.symbols, metaSymbol{18, uint8(min(run, 138) - 11)})
			}
			if run >= 3 {
				h.symbols = append(h.symbols, metaSymbol{17, uint8(run - 3)})
				run = 0
			}
		} else if run >= 4 {
			h.symbols = append(h.symbols, metaSymbol{length, 0})
			for run--; run >= 3; run -= min(run, 6) {
				h.symbols = append(h.symbols, metaSymbol{16, uint8(min(run, 6) - 3)})
			}
		}
		for range run {
			h.symbols = append(h.symbols, metaSymbol{length, 0})
		}
	}
	var counts [metaSymbols]uint32
	for _, s := range h.symbols {
		counts[s.symbol]++
	}
	h.code.make(counts[:], 7)
	h.meta = metaSymbols
	for h.meta > 4 && h.code.lengths[metaOrder[h.meta-1]] == 0 {
		h.meta--
	}
	h.cost = 5 + 5 + 4 + 3*h.meta
	for i, n := range counts {
		h.cost += int(n) * int(h.code.lengths[i]+metaExtra[i])
	}
}

func (h *header) write(w *writer) {
	w.put(uint64(h.literals-257), 5)
	w.put(uint64(h.distances-1), 5)
	w.put(uint64(h.meta-4), 4)
	for _, i := range metaOrder[:h.meta] {
		w.put(uint64(h.code.lengths[i]), 3)
	}
	for _, s := range h.symbols {
		w.put(uint64(h.code.codes[s.symbol]), uint(h.code.lengths[s.symbol]))
		w.put(uint64(s.extra), uint(metaExtra[s.symbol]))
	}
}

var fixedLiterals, fixedDistances = func() (*code, *code) {
	literals, distances := new(code), new(code)
	for i := range literals.lengths {
		switch {
		case i < 144, i >= 280:
			literals.lengths[i] = 8
		case i < 256:
			literals.lengths[i] = 9
		default:
			literals.lengths[i] = 7
		}
	}
	literals.assign(288)
	for i := range 32 {
		distances.lengths[i] = 5
	}
	distances.assign(32)
	return literals, distances
}()
