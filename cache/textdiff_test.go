package cache

import (
	"strings"
	"testing"
)

func TestShortDiff(t *testing.T) {
	for name, test := range map[string]struct{ before, after, want string }{
		"same":       {"a\n", "a\n", ""},
		"one line":   {"a\nb\nc\n", "a\nx\nc\n", "line 2:|- b|+ x"},
		"added":      {"a\nc\n", "a\nb\nc\n", "line 2:|+ b"},
		"removed":    {"a\nb\n", "a\n", "line 2:|- b"},
		"from empty": {"", "a\n", "line 1:|+ a"},
		"no newline": {"a\n", "a", "line 1:|- a|+ a (no newline)"},
		"many":       {"1\n2\n3\n4\n5\n", "", "line 1:|- 1|- 2|- 3|- … and 2 more"},
		"binary":     {"a\x00", "b", ""},
		"escape":     {"\x1b[31m\n", "\n", "line 1:|- ?[31m|+ "},
		"long":       {strings.Repeat("a", 300) + "\n", "b\n", "line 1:|- " + strings.Repeat("a", 200) + "…|+ b"},
		"too long":   {strings.Repeat("a\n", 40000), "b\n", ""},
	} {
		if got := strings.Join(ShortDiff([]byte(test.before), []byte(test.after)), "|"); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
