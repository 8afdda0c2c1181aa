package oci

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/internal/network"
	"oras.land/oras-go/v2/registry"
)

// address is what oci://host[:port]/repository says.
type address struct {
	reference registry.Reference
	plain     bool
}

// parse reads an address. Its errors do not repeat what may be a password.
func parse(text string) (a address, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "oci" || u.Opaque != "" || u.Fragment != "" {
		return a, errors.New("the address of a registry is oci://host[:port]/repository")
	}
	if u.User != nil {
		return a, errors.New("the address of a registry has no user or password: log in with docker, podman or oras, whose files are read")
	}
	a.reference = registry.Reference{Registry: u.Host, Repository: strings.Trim(u.Path, "/")}
	if err := a.reference.ValidateRegistry(); err != nil {
		return a, fmt.Errorf("%q is not a host of a registry: the address is oci://host[:port]/repository", u.Host)
	}
	if err := a.reference.ValidateRepository(); err != nil {
		return a, fmt.Errorf("%q is not a repository: its name has lower-case letters, digits, and between them any of . _ - /", a.reference.Repository)
	}
	a.plain = network.Local(u.Host)
	for key, values := range u.Query() {
		if key != "plain-http" {
			return a, fmt.Errorf("the address of a registry has no parameter %q, only plain-http", key)
		}
		if a.plain, err = strconv.ParseBool(values[0]); err != nil {
			return a, fmt.Errorf("plain-http is true or false, not %q", values[0])
		}
	}
	return a, nil
}

// url is an address below that of the repository.
func (a address) url(path string) string {
	scheme := "https"
	if a.plain {
		scheme = "http"
	}
	return scheme + "://" + a.reference.Host() + "/v2/" + a.reference.Repository + "/" + path
}
