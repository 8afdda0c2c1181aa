package remote

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "0": true, "a.b-c_d": true, "a..b": true, strings.Repeat("x", 128): true,
		"": false, ".": false, "..": false, "../x": false, "a/b": false, "a/../b": false, "-a": false, "_a": false,
		"A": false, "ab c": false, "a\nb": false, "ä": false, strings.Repeat("x", 129): false,
	} {
		if err := CheckName(name); (err == nil) != want {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
}
