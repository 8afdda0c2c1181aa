package mirror

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// proxy says how to reach an address, by the variables that other programs use
// for it. net/http would look at the environment of the process instead.
func (c *Client) proxy(r *http.Request) (*url.URL, error) {
	env := c.Environment
	value := cmp.Or(env["http_proxy"], env["HTTP_PROXY"])
	if r.URL.Scheme == "https" {
		value = cmp.Or(env["https_proxy"], env["HTTPS_PROXY"])
	}
	value = cmp.Or(value, env["all_proxy"], env["ALL_PROXY"])
	if value == "" || direct(r.URL, cmp.Or(env["no_proxy"], env["NO_PROXY"])) {
		return nil, nil //nolint:nilnil // what net/http takes for none
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	return url.Parse(value)
}

// direct reports whether an address is reached without a proxy: this machine,
// and the hosts, domains and networks of no_proxy.
func direct(u *url.URL, noProxy string) bool {
	host := strings.ToLower(u.Hostname())
	ip, _ := netip.ParseAddr(host) // the zero Addr is in no network
	if host == "localhost" || ip.IsLoopback() {
		return true
	}
	for item := range strings.FieldsFuncSeq(strings.ToLower(noProxy), func(r rune) bool { return r == ',' || r == ' ' }) {
		if name, port, err := net.SplitHostPort(item); err == nil && port == u.Port() {
			item = name
		}
		network, err := netip.ParsePrefix(item)
		domain := strings.TrimPrefix(strings.TrimPrefix(item, "*"), ".")
		switch {
		case item == "*", item == host, err == nil && network.Contains(ip):
			return true
		case domain != "" && (host == domain || strings.HasSuffix(host, "."+domain)):
			return true
		}
	}
	return false
}
