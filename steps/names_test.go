package steps

import "testing"

func TestHookPattern(t *testing.T) {
	for _, pattern := range []string{"", "^[0-9]+-", "a|b", "[[:alnum:]]+"} {
		if _, err := HookPattern(pattern); err != nil {
			t.Errorf("HookPattern(%q) = %v", pattern, err)
		}
	}
	for _, pattern := range []string{"(", "[", "*", "a{2,1}", `\d`} {
		if _, err := HookPattern(pattern); err == nil {
			t.Errorf("HookPattern(%q) = nil, want an error", pattern)
		}
	}
}
