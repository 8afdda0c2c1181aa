package cache

import (
	"os"
	"testing"
	"time"
)

func TestValidators(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	s := must[*Store](t)(Open(dir, Options{Now: func() time.Time { return now }}))
	defer s.Close()
	want := func(s *Store, name, value string, checked time.Time) {
		t.Helper()
		got, at, err := s.Validator(name)
		if err != nil || got != value || !at.Equal(checked) {
			t.Errorf("Validator(%q) = %q, %v, %v, want %q, %v", name, got, at, err, value, checked)
		}
	}
	want(s, "a", "", time.Time{})
	if err := s.SetValidator("a", "one"); err != nil {
		t.Fatal(err)
	}
	want(s, "a", "one", now)
	want(s, "b", "", time.Time{})
	first := now
	now = now.Add(time.Hour)
	reader := must[*Store](t)(Open(dir, Options{ReadOnly: true}))
	want(reader, "a", "one", first)
	if err := s.SetValidator("a", "two"); err != nil {
		t.Fatal(err)
	}
	want(reader, "a", "two", now)

	if err := os.WriteFile(s.validatorPath("a"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(s, "a", "", time.Time{})
}
