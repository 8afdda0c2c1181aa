package registry

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	const sum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for _, test := range []struct{ text, want, reference string }{
		{"oci://registry.example.org/team/web:1.0", "oci://registry.example.org/team/web:1.0 plain=false", "1.0"},
		{"oci://registry.example.org/web", "oci://registry.example.org/web:latest plain=false", "latest"},
		{"oci://127.0.0.1:5000/web:1", "oci://127.0.0.1:5000/web:1 plain=true", "1"},
		{"oci://localhost/web:1", "oci://localhost/web:1 plain=true", "1"},
		{"oci://localhost/web:1?plain-http=false", "oci://localhost/web:1?plain-http=false plain=false", "1"},
		{"oci://registry:80/web:1?plain-http=true", "oci://registry:80/web:1?plain-http=true plain=true", "1"},
		{"oci://registry/web@" + sum, "oci://registry/web@" + sum + " plain=false", sum},
		{"oci://registry/web:1@" + sum, "oci://registry/web@" + sum + " plain=false", sum},
	} {
		a, err := ParseAddress(test.text)
		got := a.String() + " plain=false"
		if a.Plain {
			got = a.String() + " plain=true"
		}
		if err != nil || got != test.want || a.Reference.Reference != test.reference {
			t.Errorf("ParseAddress(%q) = %s, %q, %v, want %s, %q", test.text, got, a.Reference.Reference, err, test.want, test.reference)
		}
		if digest, fixed := a.Fixed(); fixed != strings.HasPrefix(test.reference, "sha256:") || fixed && digest != test.reference {
			t.Errorf("Fixed of %q = %q, %t", test.text, digest, fixed)
		}
	}
	for _, text := range []string{"", "registry/web", "https://registry/web", "oci://", "oci://registry", "oci://registry/Web", "oci://registry/web:", "oci://registry/web?plain-http=maybe", "oci://registry/web?http=true", "oci://registry/web@sha256:12", "oci://me:hidden@registry/web"} {
		if a, err := ParseAddress(text); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("ParseAddress(%q) = %s, %v, want an error that shows no secret", text, a, err)
		}
	}
}
