package cache

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestReadAhead(t *testing.T) {
	s := newStore(t)
	a, b, torn := testRecord(t, s, "a"), testRecord(t, s, "b"), testRecord(t, s, "torn")
	for name, r := range map[string]*Record{"first": a, "second": b, "torn": torn} {
		check(t, s.Put(r))
		check(t, s.SetLast("web", name, r.Key))
	}
	overwrite(t, s.hashPath(recordsDir, torn.Key), "torn")
	stop := s.ReadAhead("web")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		_, first := s.ahead.Load(s.historyPath("web", "first"))
		_, second := s.ahead.Load(s.historyPath("web", "second"))
		if first && second {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the records were not read")
		}
	}
	check(t, os.Remove(s.hashPath(recordsDir, a.Key)))
	if got := must[*Record](t)(s.Last("web", "first")); got.Key != a.Key {
		t.Errorf("Last = %s, want %s, which was read ahead", got.Key.Short(), a.Key.Short())
	}
	if _, err := s.Last("web", "first"); !errors.Is(err, ErrMiss) {
		t.Errorf("Last once more: %v, want a miss", err)
	}
	if _, err := s.Last("web", "torn"); !errors.Is(err, ErrMiss) {
		t.Errorf("Last of a damaged record: %v, want a miss", err)
	}
	stop()
	check(t, os.Remove(s.hashPath(recordsDir, b.Key)))
	if _, err := s.Last("web", "second"); !errors.Is(err, ErrMiss) {
		t.Errorf("Last after the end: %v, want a miss", err)
	}
	s.ReadAhead("none")()
}
