package cache

import (
	"errors"
	"os"
	"reflect"
	"testing"
	"time"
)

func TestToken(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const name = `apt "http://example.org/debian bookworm"`
	if got, err := s.Token(name); err != nil || !reflect.DeepEqual(got, Token{Name: name}) {
		t.Errorf("a token never put: %+v, %v", got, err)
	}
	at := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	want := Token{Name: name, Value: "abc", ETag: `"e"`, LastModified: "m", Checked: at, Changed: at, Tried: at, Failure: "no answer"}
	if err := s.PutToken(want); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Token(name); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Token = %+v, %v, want %+v", got, err, want)
	}
	if err := r.PutToken(want); !errors.Is(err, ErrReadOnly) {
		t.Errorf("PutToken into a read-only store: %v", err)
	}
	if got, err := s.Token("another"); err != nil || got.Value != "" {
		t.Errorf("another token: %+v, %v", got, err)
	}
	if err := s.PutToken(Token{Name: "x", Value: "\xff"}); err == nil {
		t.Error("a value that JSON cannot keep was put")
	}
}

func TestTokenDamaged(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.PutToken(Token{Name: "a", Value: "b"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.tokenPath("a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Token("a"); err != nil || got.Value != "" {
		t.Errorf("a damaged token: %+v, %v", got, err)
	}
}
