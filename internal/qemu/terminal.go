package qemu

// A terminal makes readable text of what is sent to one: escape sequences and
// carriage returns are left out, and so are other control characters but tab and
// newline. It may be given a sequence in any number of pieces.
type terminal struct {
	text  []byte
	state state
}

// A state says what the next byte belongs to.
type state int

const (
	inText     state = iota
	afterESC         // ESC
	inControl        // ESC [ …, up to a letter or the like
	inString         // ESC ] … and its kin, up to BEL or ESC \
	atEnd            // the ESC at the end of such a string
	inSelector       // one more byte to go: ESC ( B
)

const esc, bell, del = 0x1b, 0x07, 0x7f

func (t *terminal) Write(p []byte) (int, error) {
	for _, c := range p {
		t.state = t.next(c)
	}
	return len(p), nil
}

func (t *terminal) next(c byte) state {
	switch t.state {
	case afterESC:
		return stateAfterESC(c)
	case inControl:
		if c >= 0x40 && c <= 0x7e { // a final byte of ECMA-48
			return inText
		}
		return inControl
	case inString:
		switch c {
		case bell:
			return inText
		case esc:
			return atEnd
		}
		return inString
	case atEnd, inSelector:
		return inText
	}
	switch {
	case c == esc:
		return afterESC
	case c == '\t' || c == '\n' || c >= ' ' && c != del:
		t.text = append(t.text, c)
	}
	return inText
}

func stateAfterESC(c byte) state {
	switch c {
	case '[':
		return inControl
	case ']', 'P', 'X', '^', '_':
		return inString
	case '(', ')', '*', '+', '#', ' ', '%':
		return inSelector
	case esc:
		return afterESC
	}
	return inText
}
