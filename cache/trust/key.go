package trust

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// GenerateKey returns a new key: the secret to sign with, and the public one that
// others trust. The name is shown to people, and is part of both.
func GenerateKey(name string) (secret, public string, err error) {
	if err := checkKeyName(name); err != nil {
		return "", "", err
	}
	return note.GenerateKey(rand.Reader, name)
}

// maxKeyName is the length of the longest name of a key: it stands in messages.
const maxKeyName = 100

func checkKeyName(name string) error {
	odd := func(r rune) bool { return r == '+' || unicode.IsSpace(r) || !unicode.IsPrint(r) }
	if name == "" || len(name) > maxKeyName || strings.ContainsFunc(name, odd) || !utf8.ValidString(name) {
		return fmt.Errorf(`%q cannot be the name of a key: want at most %d letters, without blanks and "+"`, name, maxKeyName)
	}
	return nil
}

// A Key is one that is trusted.
type Key struct {
	// ID is the name and the hash of the key, "ci+1a2b3c4d", as records keep it.
	ID string
	// Scopes are patterns of [path.Match] of the scopes that the key may sign
	// for, "main" or "pr/*"; none are all.
	Scopes []string

	public   string // to tell two keys of the same ID from one given twice
	verifier note.Verifier
	command  *Command // in place of a verifier
}

// secretPrefix begins a secret key.
const secretPrefix = "PRIVATE+KEY+"

var errSecret = errors.New("this is a secret key, which nobody but its owner may have; the public one is wanted here")

// ParseKey reads a public key as GenerateKey returns it. It may be followed by
// "@" and patterns of scopes with commas between them: "ci+1a2b3c4d+AbCd…@main,pr/*".
func ParseKey(text string) (Key, error) {
	if strings.HasPrefix(text, secretPrefix) {
		return Key{}, errSecret
	}
	public, scopes := text, []string(nil)
	// A name may have an @ in it; what follows the last plus has none.
	if at := strings.LastIndex(text, "@"); at > strings.LastIndex(text, "+") {
		public, scopes = text[:at], strings.Split(text[at+1:], ",")
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return Key{}, fmt.Errorf("%q is no public key (%w): want NAME+HASH+BASE64, as dibgraph cache keygen prints it", public, err)
	}
	if err := CheckScopes(scopes); err != nil {
		return Key{}, err
	}
	return Key{ID: keyID(verifier.Name(), verifier.KeyHash()), Scopes: scopes, public: public, verifier: verifier}, nil
}

// CommandKey returns a key whose signatures a command checks; [CommandSigner]
// makes them under the same name.
func CommandKey(name string, verify Command, scopes ...string) (Key, error) {
	if err := checkKeyName(name); err != nil {
		return Key{}, err
	}
	if len(verify.Args) == 0 {
		return Key{}, fmt.Errorf("the command that verifies signatures of %q is empty", name)
	}
	if err := CheckScopes(scopes); err != nil {
		return Key{}, err
	}
	return Key{ID: keyID(name, commandHash(name)), Scopes: scopes, command: &verify}, nil
}

func keyID(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

// commandHash is the hash of a key that only commands know. 0xff is the kind of
// signature, in the form of notes, that has no number of its own.
func commandHash(name string) uint32 {
	sum := sha256.Sum256([]byte(name + "\n\xffdibgraph command"))
	return binary.BigEndian.Uint32(sum[:])
}

// parseID reads the name and hash of a key, or a whole public key, as it is
// written to revoke one.
func parseID(text string) (string, error) {
	key, err := ParseKey(text)
	if err == nil {
		return key.ID, nil
	}
	if errors.Is(err, errSecret) {
		return "", err
	}
	name, rest, _ := strings.Cut(text, "+")
	var hash uint32
	if _, err := fmt.Sscanf(rest, "%08x", &hash); err != nil || keyID(name, hash) != text || checkKeyName(name) != nil {
		return "", fmt.Errorf("%q is neither a public key nor the NAME+HASH of one", text)
	}
	return text, nil
}

// CheckRevoked says whether a text is a public key, or the name and hash of one,
// as [Rule.Revoked] has them.
func CheckRevoked(text string) error {
	_, err := parseID(text)
	return err
}
