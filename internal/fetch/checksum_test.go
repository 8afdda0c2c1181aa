package fetch

import (
	"errors"
	"strings"
	"testing"
)

// Checksums of "abc", by shasum(1), and others of the right length.
const (
	abc256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	abc512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
	md5sum = "900150983cd24fb0d6963f7d28e17f72"
)

var zeros = strings.Repeat("0", 64)

func TestChecksum(t *testing.T) {
	for _, text := range []string{"sha256:" + abc256, "SHA256:" + strings.ToUpper(abc256), "sha512:" + abc512} {
		sum, err := ParseChecksum(text)
		if err != nil || sum.String() != strings.ToLower(text) {
			t.Errorf("ParseChecksum(%q) = %q, %v", text, sum, err)
		}
		if err := sum.Check(strings.NewReader("abc")); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		var mismatch *MismatchError
		if err := sum.Check(strings.NewReader("abd")); !errors.As(err, &mismatch) || mismatch.Want != sum || mismatch.Got == sum {
			t.Errorf("%s of something else: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"":                         "want sha256:HEX or sha512:HEX",
		abc256:                     "want sha256:HEX or sha512:HEX",
		"md5:" + md5sum:            "use sha256 or sha512",
		"blake3:" + abc256:         `"blake3" is not known`,
		"sha256:" + abc512:         "has 64 digits",
		"sha256:x" + abc256[1:]:    "has 64 digits",
		"sha512:" + abc512 + "0":   "has 128 digits",
		"sha256: " + abc256[:63]:   "has 64 digits",
		"sha256:" + abc256[:63]:    "has 64 digits",
		"sha256:" + abc256 + "\n":  "has 64 digits",
		"sha1:" + abc256[:40]:      "use sha256 or sha512",
		"sha256:sha256:" + zeros:   "has 64 digits",
		"sha256:0x" + abc256[:62]:  "has 64 digits",
		"sha-256:" + abc256:        `"sha-256" is not known`,
		"sha256=" + abc256:         "want sha256:HEX",
		"sha256:-" + abc256[:63]:   "has 64 digits",
		"sha256:" + abc256[:60]:    "has 64 digits",
		"sha512:" + abc256:         "has 128 digits",
		"sha256:" + abc256 + " ":   "has 64 digits",
		"sha256:" + abc256 + "#":   "has 64 digits",
		"sha256:" + zeros + zeros:  "has 64 digits",
		"sha512:" + zeros + "0000": "has 128 digits",
	} {
		if sum, err := ParseChecksum(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseChecksum(%q) = %q, %v, want an error with %q", text, sum, err, want)
		}
	}
}

func TestFindChecksum(t *testing.T) {
	for _, test := range []struct{ name, list, want, err string }{
		{"text", zeros + "  other\n" + abc256 + "  base.txt\n", "sha256:" + abc256, ""},
		{"binary", abc256 + " *base.txt\n", "sha256:" + abc256, ""},
		{"long", abc512 + "  base.txt\n", "sha512:" + abc512, ""},
		{"BSD", "SHA256 (other) = " + zeros + "\nSHA256 (base.txt) = " + abc256 + "\n", "sha256:" + abc256, ""},
		{"BSD long", "SHA512 (base.txt) = " + abc512, "sha512:" + abc512, ""},
		{"path", abc256 + "  ./images/base.txt\n", "sha256:" + abc256, ""},
		{"upper case", strings.ToUpper(abc256) + "  base.txt\r\n", "sha256:" + abc256, ""},
		{"bare", abc256 + "\n", "sha256:" + abc256, ""},
		{"signed", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# base.txt: 3 bytes\nSHA256 (base.txt) = " + abc256 +
			"\n-----BEGIN PGP SIGNATURE-----\n\niQIzBAEB\n-----END PGP SIGNATURE-----\n", "sha256:" + abc256, ""},
		{"the better one", abc256 + "  base.txt\n" + abc512 + "  base.txt\n" + md5sum + "  base.txt\n", "sha512:" + abc512, ""},
		{"twice the same", abc256 + "  base.txt\n" + abc256 + "  ./base.txt\n", "sha256:" + abc256, ""},
		{"twice", abc256 + "  base.txt\n" + zeros + "  base.txt\n", "", "two checksums"},
		{"not there", abc256 + "  database.txt\n" + abc256 + "  base.txt.sig\n", "", `no checksum of "base.txt"`},
		{"weak", md5sum + "  base.txt\n", "", "only the md5"},
		{"weak BSD", "MD5 (base.txt) = " + md5sum, "", "only the md5"},
		{"wrong kind", "BLAKE2 (base.txt) = " + abc512, "", "no checksum"},
		{"several bare", abc256 + "\n" + zeros + "\n", "", "no checksum"},
		{"page", "<html>404</html>", "", "no checksum"},
		{"empty", "", "", "no checksum"},
	} {
		got, err := FindChecksum([]byte(test.list), "base.txt")
		switch {
		case test.err == "" && (err != nil || got.String() != test.want):
			t.Errorf("%s: %q, %v, want %q", test.name, got, err, test.want)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: %q, %v, want an error with %q", test.name, got, err, test.err)
		}
	}
}

func FuzzFindChecksum(f *testing.F) {
	f.Add([]byte(abc256+" *base.txt\nSHA512 (base.txt) = "+abc512), "base.txt")
	f.Add([]byte(abc256), "")
	f.Fuzz(func(t *testing.T, list []byte, name string) {
		sum, err := FindChecksum(list, name)
		if err != nil {
			return
		}
		if again, err := ParseChecksum(sum.String()); err != nil || again != sum {
			t.Errorf("%q has %q, which is read as %q, %v", list, sum, again, err)
		}
		if !strings.Contains(strings.ToLower(string(list)), sum.Hex) {
			t.Errorf("%q does not have %q", list, sum)
		}
	})
}
