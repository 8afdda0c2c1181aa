package trust

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dibgraph/dibgraph/cache/remote"
)

// A Statement is what the note of a pack says.
type Statement struct {
	Scope string
	// Name is that of the object on the remote.
	Name string
	Salt Salt
	// Image, Arch and Builder are for people: nothing is decided by them.
	Image, Arch, Builder string
	// Time is when the pack was made; a note has whole seconds.
	Time time.Time
	// Payload is what follows the note.
	Payload remote.Content
}

const (
	noteFormat = "dibgraph pack 1"
	noteWord   = "dibgraph pack "
	fieldCount = 8
)

// Seal returns the note of a pack, signed with each of the signers; without any
// it is unsigned.
func Seal(ctx context.Context, s Statement, signers ...Signer) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("seal pack %q: %w", s.Name, err)
	}
	text := s.text()
	note := append([]byte(text), '\n')
	for _, signer := range signers {
		lines, err := signer.sign(ctx, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("sign pack %q: %w", s.Name, err)
		}
		note = append(note, lines...)
	}
	if len(note) > maxNote {
		return nil, fmt.Errorf("seal pack %q: its note has %d bytes; at most %d are possible", s.Name, len(note), maxNote)
	}
	return note, nil
}

func (s Statement) check() error {
	for _, f := range s.fields() {
		if !utf8.ValidString(f[1]) || strings.ContainsFunc(f[1], unicode.IsControl) {
			return fmt.Errorf("%s %q is not a line of text", f[0], f[1])
		}
	}
	switch {
	case s.Name == "":
		return errors.New("it has no name")
	case s.Salt == "":
		return errors.New("it has no salt")
	case s.Payload.Size < 0 || s.Payload.Size > maxPayload:
		return fmt.Errorf("its payload has %d bytes; at most %d are possible", s.Payload.Size, maxPayload)
	}
	return CheckScope(s.Scope)
}

// fields are the lines of the note in their order.
func (s Statement) fields() [fieldCount][2]string {
	return [fieldCount][2]string{
		{"scope", s.Scope}, {"name", s.Name}, {"salt", string(s.Salt)},
		{"image", s.Image}, {"arch", s.Arch}, {"builder", s.Builder},
		{"time", s.Time.UTC().Format(time.RFC3339)},
		{"payload", fmt.Sprintf("sha256 %s %d", s.Payload.Sum, s.Payload.Size)},
	}
}

// text is what is signed.
func (s Statement) text() string {
	var b strings.Builder
	b.WriteString(noteFormat + "\n")
	for _, f := range s.fields() {
		b.WriteString(f[0] + ": " + f[1] + "\n")
	}
	return b.String()
}

// parseStatement reads what text returns, and nothing else.
func parseStatement(text string) (s Statement, err error) {
	lines := strings.Split(text, "\n")
	if lines[0] != noteFormat && strings.HasPrefix(lines[0], noteWord) {
		return s, refuse(UnknownFormat, "its note is a %q, and this dibgraph reads %q", lines[0], noteFormat)
	}
	damaged := refuse(Damaged, "its note is damaged")
	if len(lines) != fieldCount+2 {
		return s, damaged
	}
	var when, payload string
	into := [fieldCount]*string{&s.Scope, &s.Name, (*string)(&s.Salt), &s.Image, &s.Arch, &s.Builder, &when, &payload}
	for i, f := range (Statement{}).fields() {
		value, ok := strings.CutPrefix(lines[i+1], f[0]+": ")
		if !ok {
			return s, damaged
		}
		*into[i] = value
	}
	if s.Time, err = time.Parse(time.RFC3339, when); err != nil {
		return s, damaged
	}
	if s.Payload, err = parsePayload(payload); err != nil {
		return s, damaged
	}
	// There is one way to write a statement, and it is one that Seal writes.
	if s.check() != nil || s.text() != text {
		return s, damaged
	}
	return s, nil
}

func parsePayload(text string) (c remote.Content, err error) {
	words := strings.Split(text, " ")
	if len(words) != 3 || words[0] != "sha256" {
		return c, errors.New("no sha256 and size")
	}
	if c.Sum, err = remote.ParseSum(words[1]); err != nil {
		return c, err
	}
	c.Size, err = strconv.ParseInt(words[2], 10, 64)
	return c, err
}
