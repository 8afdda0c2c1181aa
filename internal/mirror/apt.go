package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Apt asks a package archive for the state of one suite, as apt names both. A
// suite that ends in "/" is a flat archive. If known belongs to an earlier
// answer, an archive in that state says so without sending anything.
func (c *Client) Apt(ctx context.Context, uri, suite string, known Validators) (State, error) {
	base := ReleaseBase(uri, suite)
	a, err := c.get(ctx, base+"InRelease", known)
	if errors.Is(err, errAbsent) {
		a, err = c.get(ctx, base+"Release", known)
	}
	if err != nil {
		return State{}, fmt.Errorf("ask for the suite %s: %w", suite, err)
	}
	if a.state.Unchanged {
		return a.state, nil
	}
	release, err := ParseRelease(a.text)
	if err != nil {
		return State{}, fmt.Errorf("ask for the suite %s: %s: %w", suite, redacted(base), err)
	}
	state := a.state
	state.Content = release.Content
	if state.Age < 0 && !release.Date.IsZero() {
		state.Age = max(time.Since(release.Date), 0)
	}
	return state, nil
}

// ReleaseBase returns what comes before "InRelease" in the address of the file
// that says what a suite has.
func ReleaseBase(uri, suite string) string {
	uri = strings.TrimRight(uri, "/") + "/"
	if !strings.HasSuffix(suite, "/") {
		return uri + "dists/" + suite + "/"
	}
	return uri + strings.TrimLeft(strings.TrimPrefix(suite, "./"), "/")
}

// ListNames returns the names of the files in /var/lib/apt/lists in which apt
// keeps what a suite's archive answered, the one to use first.
func ListNames(uri, suite string) []string {
	base := strings.TrimRight(uri, "/") + "/"
	if strings.HasSuffix(suite, "/") {
		base += strings.TrimLeft(suite, "/")
	} else {
		base += "dists/" + suite + "/"
	}
	if _, rest, ok := strings.Cut(base, "://"); ok {
		base = rest
	} else if _, rest, ok := strings.Cut(base, ":"); ok { // file:/srv/debian
		base = rest
	}
	if host, path, ok := strings.Cut(base, "/"); ok {
		base = host[strings.LastIndex(host, "@")+1:] + "/" + path
	}
	if plain, err := url.PathUnescape(base); err == nil {
		base = plain
	}
	name := strings.ReplaceAll(quoteName(base), "/", "_")
	return []string{name + "InRelease", name + "Release"}
}

// quoteName quotes what apt does not leave as it is in the names of lists.
func quoteName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte(`\|{}[]<>"^~_=!@#$%^&*`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
