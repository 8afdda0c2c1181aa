package trust

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseKey(t *testing.T) {
	m := newMaker(t, "ci@example.org")
	for text, scopes := range map[string][]string{
		m.public:                   nil,
		m.public + "@main":         {"main"},
		m.public + "@main,pr/*":    {"main", "pr/*"},
		m.public + "@release-[12]": {"release-[12]"},
	} {
		key, err := ParseKey(text)
		if err != nil || key.ID != m.signer.Key() || !slices.Equal(key.Scopes, scopes) {
			t.Errorf("ParseKey(%q) = %+v, %v", text, key, err)
		}
	}
	for _, text := range []string{"", "ci", m.public + "@", m.public + "@a,", m.public + "@[", m.public[:len(m.public)-2], "x" + m.public, m.secret} {
		_, err := ParseKey(text)
		if err == nil {
			t.Errorf("ParseKey(%q) succeeds", text)
		}
		if err != nil && strings.Contains(err.Error(), m.secret[len(m.secret)-20:]) {
			t.Errorf("the secret key is shown: %v", err)
		}
	}
}

func TestNewPolicyRefuses(t *testing.T) {
	m := newMaker(t, "ci")
	command, err := CommandKey("ci", Command{Args: []string{"true"}})
	if err != nil {
		t.Fatal(err)
	}
	other := command
	other.command = &Command{Args: []string{"false"}}
	for name, rule := range map[string]Rule{
		"no key":           {Keys: []Key{{ID: "ci+00000000"}}},
		"two commands":     {Keys: []Key{command, other}},
		"revoked nonsense": {Revoked: []string{"ci"}},
		"revoked secret":   {Revoked: []string{m.secret}},
		"a bad pattern":    {Scopes: []string{"["}},
	} {
		if _, err := NewPolicy(rule); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), m.secret[20:]) {
			t.Errorf("%s: the secret key is shown: %v", name, err)
		}
	}
}

func TestGenerateKeyRefuses(t *testing.T) {
	for _, name := range []string{"", "a b", "a+b", "a\n", "\xff", strings.Repeat("a", maxKeyName+1)} {
		if _, _, err := GenerateKey(name); err == nil {
			t.Errorf("%q is the name of a key", name)
		}
	}
}

func TestKeyFile(t *testing.T) {
	m := newMaker(t, "ci")
	path := filepath.Join(t.TempDir(), "key")
	if err := WriteKeyFile(path, m.secret); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	signer, err := ReadKeyFile(path)
	if err != nil || signer.Key() != m.signer.Key() {
		t.Fatalf("read as %v, %v", signer, err)
	}
	if err := WriteKeyFile(path, "other"); !errors.Is(err, os.ErrExist) {
		t.Errorf("written again: %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != m.secret+"\n" {
		t.Errorf("the file has %q now", text)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKeyFile(path); !errors.Is(err, ErrExposed) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.WriteFile(path, []byte("PRIVATE+KEY+secret"), 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKeyFile(path); err == nil || strings.Contains(err.Error(), "KEY+secret") {
		t.Errorf("no key: %v", err)
	}
}
