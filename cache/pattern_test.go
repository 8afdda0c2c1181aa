package cache

import "testing"

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"mnt/var/log/**", "mnt/var/log/dpkg.log", true},
		{"mnt/var/log/**", "mnt/var/log/apt/history.log", true},
		{"mnt/var/log/**", "mnt/var/log", true},
		{"mnt/var/log/**", "mnt/var/logs", false},
		{"mnt/var/log/**", "var/log/x", false},
		{"**/*.bin", "a.bin", true},
		{"**/*.bin", "a/b/c.bin", true},
		{"**/*.bin", "a/b/c.bin/d", false},
		{"a/**/z", "a/z", true},
		{"a/**/z", "a/b/c/z", true},
		{"a/**/z", "a/b/c/zz", false},
		{"a/**/m/**/z", "a/m/m/z", true},
		{"a/*/z", "a/b/z", true},
		{"a/*/z", "a/b/c/z", false},
		{"a/?", "a/b", true},
		{"a/[bc]", "a/c", true},
		{"a/[bc]", "a/d", false},
		{"**", "x/y", true},
	} {
		list := must[patterns](t)(parsePatterns([]string{"never", test.pattern}))
		if got := list.match(test.path); got != test.want {
			t.Errorf("%q matches %q: %t, want %t", test.pattern, test.path, got, test.want)
		}
	}
	for _, text := range []string{"", "/a", "a/", "a//b", "a/[b"} {
		if list, err := parsePatterns([]string{text}); err == nil {
			t.Errorf("parsePatterns(%q) = %q, want an error", text, list)
		}
	}
}
