package cache

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestHistory(t *testing.T) {
	s := newStore(t)
	a, b := testRecord(t, s, "a"), testRecord(t, s, "b")
	check(t, s.Put(a))
	check(t, s.Put(b))
	if _, err := s.Last("web", "n"); !errors.Is(err, ErrMiss) {
		t.Errorf("Last without a history: %v, want a miss", err)
	}
	check(t, s.SetLast("web", "n", b.Key))
	check(t, s.SetLast("web", "n", a.Key))
	check(t, s.SetLast("web2", "n", b.Key))
	if got := must[*Record](t)(s.Last("web", "n")); got.Key != a.Key {
		t.Errorf("Last = %s, want %s", got.Key.Short(), a.Key.Short())
	}
	overwrite(t, s.historyPath("web", "n"), "torn")
	if _, err := s.Last("web", "n"); !errors.Is(err, ErrMiss) {
		t.Errorf("Last with a torn history: %v, want a miss", err)
	}
	check(t, s.SetLast("web", "n", b.Key))
	if got := must[*Record](t)(s.Last("web", "n")); got.Key != b.Key {
		t.Errorf("Last = %s, want %s", got.Key.Short(), b.Key.Short())
	}
}

func TestHistoryOfAnyNames(t *testing.T) {
	s := newStore(t)
	name := rapid.OneOf(
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 400), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", ".", "..", "/", "../../x", "a/b", "a%2Fb", "a~b", strings.Repeat("long", 100)}))
	seen := map[[2]string]Key{}
	rapid.Check(t, func(t *rapid.T) {
		at := [2]string{name.Draw(t, "image"), name.Draw(t, "node")}
		k := KeyOf(rapid.String().Draw(t, "key"))
		if err := s.SetLast(at[0], at[1], k); err != nil {
			t.Fatal(err)
		}
		seen[at] = k
		for at, want := range seen {
			if got, err := s.lastKey(at[0], at[1]); got != want || err != nil {
				t.Errorf("the key of %q is %s, %v, want %s", at, got, err, want)
			}
		}
	})
}

func TestEscapeName(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"install.d/50-nginx", "install.d%2F50-nginx"},
		{"env:root", "env:root"},
		{"", "%"},
		{"%", "%25"},
		{".", "%2E"},
		{"..", "%2E."},
		{"a_b c", "a%5Fb%20c"},
		{"ä", "%C3%A4"},
	} {
		if got := escapeName(test.in); got != test.want {
			t.Errorf("escapeName(%q) = %q, want %q", test.in, got, test.want)
		}
	}
	a, b := escapeName(strings.Repeat("a", 161)), escapeName(strings.Repeat("a", 162))
	if a == b || len(a) != maxName || len(b) != maxName {
		t.Errorf("long names: %q and %q", a, b)
	}
}
