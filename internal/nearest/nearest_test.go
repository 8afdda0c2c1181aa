package nearest

import "testing"

func TestQuestion(t *testing.T) {
	known := []string{"vm", "base", "debian-minimal", "debian", "bootloader", "cloud-init", "cloud-init-nocloud", "block-device-mbr", "block-device-gpt"}
	for _, test := range []struct{ name, want string }{
		{"debain-minimal", `did you mean "debian-minimal"?`},
		{"debian_minimal", `did you mean "debian-minimal"?`},
		{"v", `did you mean "vm"?`},
		{"block-device", `did you mean "block-device-gpt" or "block-device-mbr"?`},
		{"bse", `did you mean "base"?`},
		{"nginx", ""},
		{"", ""},
		{"completely-different", ""},
	} {
		if got := Question(test.name, known); got != test.want {
			t.Errorf("Question(%q) = %s, want %s", test.name, got, test.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"abc", "bc", 1}, {"abcd", "badc", 2}, {"kitten", "sitting", 3},
	} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
		if got := distance(test.b, test.a); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.b, test.a, got, test.want)
		}
	}
}
