package registry

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	oras "oras.land/oras-go/v2/registry"

	"github.com/dibgraph/dibgraph/internal/network"
)

// An Address is that of an image, or of a repository with images.
type Address struct {
	oras.Reference
	// Plain says that the registry is reached by HTTP.
	Plain bool
}

// IsAddress reports whether a text means an image in a registry.
func IsAddress(text string) bool { return strings.HasPrefix(text, scheme) }

const scheme = "oci://"

// ParseAddress reads oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST], with
// ?plain-http=true or false if need be. Without a tag or a digest it is the tag
// latest; with both, the digest counts.
func ParseAddress(text string) (a Address, err error) {
	rest, ok := strings.CutPrefix(text, scheme)
	rest, query, _ := strings.Cut(rest, "?")
	host, path, _ := strings.Cut(rest, "/")
	if strings.Contains(host, "@") {
		return a, errors.New("the address of the image says who we are: that belongs into the file of docker login or podman login")
	}
	if a.Reference, err = oras.ParseReference(rest); err != nil || !ok || strings.HasSuffix(path, ":") {
		return Address{}, fmt.Errorf("%q is no address of an image: want oci://HOST/REPOSITORY:TAG", text)
	}
	if a.Reference.Reference == "" {
		a.Reference.Reference = "latest"
	}
	a.Plain = network.Local(a.Registry)
	if query != "" {
		value, known := strings.CutPrefix(query, "plain-http=")
		if a.Plain, err = strconv.ParseBool(value); err != nil || !known {
			return Address{}, fmt.Errorf("%q: the address of an image can end in ?plain-http=true or false, and not in %q", text, "?"+query)
		}
	}
	return a, nil
}

// Fixed returns the digest of an address that has one: what is there can never
// change.
func (a Address) Fixed() (digest string, ok bool) {
	d, err := a.Digest()
	return d.String(), err == nil
}

// String returns the address as it is written.
func (a Address) String() string {
	text := scheme + a.Reference.String()
	if a.Plain != network.Local(a.Registry) {
		text += fmt.Sprintf("?plain-http=%t", a.Plain)
	}
	return text
}
