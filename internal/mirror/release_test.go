package mirror

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// release returns a Release file with one index of that checksum.
func release(date, sum string) string {
	return "Origin: Example\nSuite: stable\nDate: " + date + "\nValid-Until: " + date + "\nMD5Sum:\n ffff 10 main/binary-amd64/Packages\nSHA256:\n " +
		sum + "       10 main/binary-amd64/Packages\n 0000   20 main/binary-all/Packages\n"
}

func signed(text, signature string) string {
	return "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + text + "-----BEGIN PGP SIGNATURE-----\n\n" + signature + "\n-----END PGP SIGNATURE-----\n"
}

const (
	monday  = "Mon, 02 Nov 2026 08:00:00 UTC"
	tuesday = "Tue, 03 Nov 2026 08:00:00 UTC"
)

func TestParseRelease(t *testing.T) {
	const content = "sha256\n0000 20 main/binary-all/Packages\naaaa 10 main/binary-amd64/Packages\n"
	for _, test := range []struct{ name, text, want string }{
		{"plain", release(monday, "aaaa"), content},
		{"signed", signed(release(monday, "aaaa"), "one"), content},
		{"signed again, later", signed(release(tuesday, "aaaa"), "two"), content},
		{"with carriage returns", strings.ReplaceAll(signed(release(monday, "aaaa"), "one"), "\n", "\r\n"), content},
		{"another index", signed(release(monday, "bbbb"), "one"), strings.Replace(content, "aaaa 10 main/binary-amd64/Packages\n", "bbbb 10 main/binary-amd64/Packages\n", 1)},
		{"old checksums only", "Date: " + monday + "\nMD5Sum:\n ffff 10 Packages\n", "md5sum\nffff 10 Packages\n"},
		{"nothing in it", "Date: " + monday + "\nSHA256:\n", "sha256\n\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseRelease(test.text)
			if err != nil || got.Content != test.want {
				t.Errorf("ParseRelease = %q, %v, want %q", got.Content, err, test.want)
			}
		})
	}
}

func TestParseReleaseDate(t *testing.T) {
	got, err := ParseRelease(release(monday, "aaaa"))
	if want := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC); err != nil || !got.Date.Equal(want) {
		t.Errorf("Date = %v, %v, want %v", got.Date, err, want)
	}
}

func TestParseReleaseRefuses(t *testing.T) {
	whole := signed(release(monday, "aaaa"), "one")
	for name, text := range map[string]string{
		"nothing":             "",
		"a login page":        "<html><body>Please log in: <a href='x'>here</a></body></html>",
		"no checksums":        "Origin: Example\nSuite: stable\n",
		"cut in the list":     whole[:strings.Index(whole, "0000")],
		"cut in its armour":   whole[:len(whole)-20],
		"no signature at all": strings.Replace(whole, "-----BEGIN PGP SIGNATURE-----", "", 1),
	} {
		if got, err := ParseRelease(text); !errors.Is(err, ErrNoRelease) {
			t.Errorf("%s: ParseRelease = %q, %v, want ErrNoRelease", name, got.Content, err)
		}
	}
}

// Whatever is signed, its content is that of the text without the signature.
func FuzzParseRelease(f *testing.F) {
	f.Add(release(monday, "aaaa"))
	f.Add("SHA256:\n - a\n\n-")
	f.Add(signed(release(monday, "aaaa"), "x"))
	f.Fuzz(func(t *testing.T, text string) {
		plain, err := ParseRelease(text)
		if err != nil && !errors.Is(err, ErrNoRelease) {
			t.Fatalf("ParseRelease: %v", err)
		}
		if strings.Contains(text, "-----") || err != nil || strings.Contains(text, "\r") {
			return
		}
		inside, err := ParseRelease(signed(strings.TrimSuffix(text, "\n")+"\n", "s"))
		if err != nil || inside.Content != plain.Content {
			t.Errorf("signed: %q, %v; plain: %q", inside.Content, err, plain.Content)
		}
	})
}
