package mirror

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// ErrNoRelease says that a text is not a whole Release file. What a login page
// of a network answers is none.
var ErrNoRelease = errors.New("not a whole Release file")

// A Release is what matters of a Release or InRelease file.
type Release struct {
	// Content is the checksums, sorted: all that says which packages there
	// are. The date, the validity and the signature are not part of it.
	Content string
	// Date is when the file was made; zero if it does not say.
	Date time.Time
}

const (
	signedBegin    = "-----BEGIN PGP SIGNED MESSAGE-----"
	signatureBegin = "-----BEGIN PGP SIGNATURE-----"
	signatureEnd   = "-----END PGP SIGNATURE-----"
)

// sumFields are the fields that have checksums, the one to use first.
var sumFields = []string{"sha256", "sha512", "sha1", "md5sum"}

// ParseRelease reads a Release file, or an InRelease file, which is one inside
// a signature. The signature is not checked: that is up to apt, when it uses
// the file. The error is ErrNoRelease.
func ParseRelease(text string) (Release, error) {
	body, err := unsigned(text)
	if err != nil {
		return Release{}, err
	}
	fields := releaseFields(body)
	var r Release
	if f, ok := fields["date"]; ok {
		// The time is always UTC, whatever name it is given.
		r.Date, _ = mail.ParseDate(strings.Replace(f.first, "UTC", "+0000", 1)) // zero if it is none
	}
	for _, name := range sumFields {
		if f, ok := fields[name]; ok {
			slices.Sort(f.lines)
			r.Content = name + "\n" + strings.Join(f.lines, "\n") + "\n"
			return r, nil
		}
	}
	return Release{}, fmt.Errorf("%w: it has no checksums", ErrNoRelease)
}

// unsigned takes a text out of its signature, if it is in one.
func unsigned(text string) (string, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	rest, signed := strings.CutPrefix(text, signedBegin+"\n")
	if !signed {
		return text, nil
	}
	_, rest, _ = strings.Cut(rest, "\n\n") // headers of the signature
	body, signature, _ := strings.Cut(rest, "\n"+signatureBegin)
	if !strings.Contains(signature, "\n"+signatureEnd) {
		return "", fmt.Errorf("%w: its signature has no end", ErrNoRelease)
	}
	return body + "\n", nil
}

// A releaseField is a value on the line of its name and the lines after it,
// each with single spaces between its words.
type releaseField struct {
	first string
	lines []string
}

func releaseFields(body string) map[string]*releaseField {
	fields := make(map[string]*releaseField)
	var last *releaseField
	for line := range strings.Lines(body) {
		line = strings.TrimPrefix(strings.TrimRight(line, " \t\n"), "- ") // how signed text escapes a dash
		switch name, value, ok := strings.Cut(line, ":"); {
		case line == "":
			last = nil
		case line[0] == ' ' || line[0] == '\t':
			if last != nil {
				last.lines = append(last.lines, strings.Join(strings.Fields(line), " "))
			}
		case ok:
			last = &releaseField{first: strings.TrimSpace(value)}
			fields[strings.ToLower(name)] = last
		default:
			last = nil
		}
	}
	return fields
}
