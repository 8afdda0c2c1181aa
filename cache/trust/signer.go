package trust

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A Signer signs notes. It may be used concurrently.
type Signer interface {
	// Key returns the name and hash of the key, "ci+1a2b3c4d"; of a command that
	// writes lines of its own this is not the key that signs.
	Key() string

	sign(ctx context.Context, text []byte) (lines []byte, err error)
}

// KeySigner returns the signer of a secret key, as GenerateKey returns it. Blanks
// around it do not matter. Errors do not show the key.
func KeySigner(secret string) (Signer, error) {
	signer, err := note.NewSigner(strings.TrimSpace(secret))
	if err != nil {
		return nil, errors.New("it is no key to sign with: want PRIVATE+KEY+NAME+HASH+BASE64, as dibgraph cache keygen writes it")
	}
	return keySigner{signer}, nil
}

type keySigner struct{ note.Signer }

func (s keySigner) Key() string { return keyID(s.Name(), s.KeyHash()) }

func (s keySigner) sign(_ context.Context, text []byte) ([]byte, error) {
	signature, err := s.Sign(text)
	if err != nil {
		return nil, err
	}
	return signatureLine(s.Name(), s.KeyHash(), signature), nil
}

// signatureStart begins each line of a signature.
const signatureStart = "— "

func signatureLine(name string, hash uint32, signature []byte) []byte {
	all := append(binary.BigEndian.AppendUint32(nil, hash), signature...)
	return []byte(signatureStart + name + " " + base64.StdEncoding.EncodeToString(all) + "\n")
}

// CommandSigner returns a signer that is a command. It gets the text on its
// standard input and writes the signature to its standard output: either any
// bytes, for which those who read need the [CommandKey] of the same name, or
// lines as notes have them ("— NAME BASE64"), which have their own names.
func CommandSigner(name string, command Command) (Signer, error) {
	if err := checkKeyName(name); err != nil {
		return nil, err
	}
	if len(command.Args) == 0 {
		return nil, errors.New("the command to sign with is empty")
	}
	return commandSigner{name, command}, nil
}

type commandSigner struct {
	name    string
	command Command
}

func (s commandSigner) Key() string { return keyID(s.name, commandHash(s.name)) }

func (s commandSigner) sign(ctx context.Context, text []byte) ([]byte, error) {
	out, err := s.command.output(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s wrote no signature", s.command)
	}
	if !bytes.HasPrefix(out, []byte(signatureStart)) {
		return signatureLine(s.name, commandHash(s.name), out), nil
	}
	if _, err := parseNote(append(append(bytes.Clone(text), '\n'), out...)); err != nil {
		return nil, fmt.Errorf("%s wrote no lines of signatures: %w", s.command, err)
	}
	return out, nil
}
