// Package open opens remotes by the addresses that users write.
package open

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/remote/directory"
	"github.com/dibgraph/dibgraph/cache/remote/network"
	"github.com/dibgraph/dibgraph/cache/remote/web"
)

// Options say what the address does not.
type Options struct {
	// CAFile has the certificates by which the server is known, beside those of
	// the machine.
	CAFile string
	// Environment looks up a variable of the caller, such as NETRC and HOME.
	Environment func(name string) (string, bool)
}

// forms are what an address can be, for messages.
const forms = "want dir:/PATH, oci://HOST/REPOSITORY, s3://BUCKET/PREFIX or https://HOST/PATH"

// Remote opens the remote at an address. Nothing is asked of it yet.
func Remote(address string, o Options) (remote.Remote, error) {
	scheme, rest, ok := strings.Cut(address, ":")
	if !ok {
		return nil, fmt.Errorf("%q is no address of a remote: %s", network.Redact(address), forms)
	}
	switch scheme {
	case "dir":
		path := strings.TrimPrefix(rest, "//")
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("%q: the directory must be absolute, as in dir:/srv/cache", address)
		}
		return directory.New(path), nil
	case "http", "https":
		transport, err := o.transport()
		if err != nil {
			return nil, err
		}
		return web.New(address, web.Options{Transport: transport, Login: o.netrc(), Token: o.lookup("DIBGRAPH_CACHE_TOKEN")})
	}
	return nil, fmt.Errorf("%q: there is no kind of remote called %q: %s", network.Redact(address), scheme, forms)
}

func (o Options) lookup(name string) string {
	if o.Environment == nil {
		return ""
	}
	value, _ := o.Environment(name)
	return value
}

// netrc reads the user's logins; one that cannot be read has none.
func (o Options) netrc() func(string) (string, string, bool) {
	path := o.lookup("NETRC")
	if path == "" {
		path = filepath.Join(o.lookup("HOME"), ".netrc")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return web.ParseNetrc(string(text))
}

// transport knows the certificates of the machine and those of CAFile.
func (o Options) transport() (http.RoundTripper, error) {
	if o.CAFile == "" {
		return network.Transport(nil), nil
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
	return network.Transport(&tls.Config{RootCAs: pool}), nil
}
