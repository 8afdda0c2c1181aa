package trust

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheckScope(t *testing.T) {
	for scope, good := range map[string]bool{
		"main": true, "pr/17": true, "release-2.1": true, "A_b/c/d": true, strings.Repeat("a", maxScope): true,
		"": false, "/main": false, "pr/": false, "pr//1": false, "..": false, "pr/../main": false, "a b": false, "pr/*": false, "ä": false, "main\n": false,
		strings.Repeat("a", maxScope+1): false,
	} {
		if err := CheckScope(scope); (err == nil) != good {
			t.Errorf("CheckScope(%q) = %v", scope, err)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		patterns, scope string
		want            bool
	}{
		{"", "main", true}, {"main", "main", true}, {"main", "mains", false}, {"pr/*", "pr/7", true}, {"pr/*", "pr/7/8", false},
		{"release-*", "release-1", true}, {"*", "main", true}, {"*", "pr/7", false}, {"main pr/*", "pr/7", true},
	} {
		if got := matches(strings.Fields(test.patterns), test.scope); got != test.want {
			t.Errorf("matches(%q, %q) = %v", test.patterns, test.scope, got)
		}
	}
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,127}$`)

func TestObjectName(t *testing.T) {
	if got := ObjectName("pack", "pr/7", NewSalt(""), "Web amd64"); !strings.HasPrefix(got, "pack-pr-7-web-amd64-") {
		t.Errorf("got %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		a, b := [4]string{}, [4]string{}
		for i := range a {
			a[i] = text.Draw(t, "a")
			b[i] = rapid.SampledFrom([]string{a[i], a[(i+1)%4], text.Draw(t, "b")}).Draw(t, "of b")
		}
		first, second := ObjectName(a[0], a[1], NewSalt(a[2]), a[3]), ObjectName(b[0], b[1], NewSalt(b[2]), b[3])
		if !nameForm.MatchString(first) {
			t.Errorf("%q is no name for a remote", first)
		}
		if (first == second) != (a == b) {
			t.Errorf("%q is named %s, and %q is named %s", a, first, b, second)
		}
	})
}
