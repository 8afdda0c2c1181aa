package fetch

import "net/url"

// An Address is where a file is.
type Address struct {
	URL string
	// Shown is the same without what is secret in it. Empty is the URL without
	// the password that it may have before its host.
	Shown string
}

// String returns the address for messages.
func (a Address) String() string {
	if a.Shown != "" {
		return a.Shown
	}
	parsed, err := url.Parse(a.URL)
	if err != nil {
		return "the address" // in which nobody knows where a password is
	}
	return parsed.Redacted()
}
