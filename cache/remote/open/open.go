// Package open opens remotes by the addresses that users write.
package open

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/remote/directory"
	"github.com/dibgraph/dibgraph/cache/remote/oci"
	"github.com/dibgraph/dibgraph/cache/remote/s3"
	"github.com/dibgraph/dibgraph/cache/remote/web"
	"github.com/dibgraph/dibgraph/internal/network"
)

// Options say what the address does not.
type Options struct {
	// CAFile has the certificates by which the server is known, beside those of
	// the machine.
	CAFile string
	// Environment returns a variable of the caller, such as NETRC and HOME.
	Environment func(name string) string
}

// forms are what an address can be, for messages.
const forms = "want dir:/PATH, oci://HOST/REPOSITORY, s3://BUCKET/PREFIX or https://HOST/PATH"

// Remote opens the remote at an address. Nothing is asked of it yet.
func Remote(address string, o Options) (remote.Remote, error) {
	scheme, rest, ok := strings.Cut(address, ":")
	if !ok {
		return nil, fmt.Errorf("%q is no address of a remote: %s", network.Redact(address), forms)
	}
	config, err := o.tls()
	if err != nil {
		return nil, err
	}
	switch scheme {
	case "dir":
		path := strings.TrimPrefix(rest, "//")
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("%q: the directory must be absolute, as in dir:/srv/cache", address)
		}
		return directory.New(path), nil
	case "http", "https":
		return web.New(address, web.Options{Transport: network.Transport(config), Login: o.netrc(), Token: o.Environment("DIBGRAPH_CACHE_TOKEN")})
	case "oci":
		return oci.New(address, oci.Options{Env: o.Environment, TLS: config})
	case "s3":
		return s3.New(address, s3.Options{Env: o.Environment, TLS: config})
	}
	return nil, fmt.Errorf("%q: there is no kind of remote called %q: %s", network.Redact(address), scheme, forms)
}

// netrc reads the user's logins; without a file there are none.
func (o Options) netrc() func(string) (string, string, bool) {
	path := o.Environment("NETRC")
	if path == "" {
		path = filepath.Join(o.Environment("HOME"), ".netrc")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return web.ParseNetrc(string(text))
}

// tls knows the certificates of the machine and those of CAFile; nil knows
// just the first.
func (o Options) tls() (*tls.Config, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: there is no certificate in it", o.CAFile)
	}
	return &tls.Config{RootCAs: pool}, nil
}
