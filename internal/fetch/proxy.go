package fetch

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// proxies returns what chooses the proxy of a request, by the variables that
// programs agree on. The machine itself is never reached by way of a proxy.
func proxies(environment map[string]string) func(*http.Request) (*url.URL, error) {
	lookup := func(name string) string { return cmp.Or(environment[name], environment[strings.ToUpper(name)]) }
	except := strings.Split(lookup("no_proxy"), ",")
	return func(r *http.Request) (*url.URL, error) {
		name := r.URL.Scheme + "_proxy"
		address := lookup(name)
		if address == "" {
			name = "all_proxy"
			address = lookup(name)
		}
		if address == "" || direct(r.URL, except) {
			return nil, nil
		}
		if !strings.Contains(address, "://") {
			address = "http://" + address
		}
		proxy, err := url.Parse(address)
		if err != nil || proxy.Host == "" {
			return nil, fmt.Errorf("%s is no address of a proxy", name) // it may hold a password
		}
		return proxy, nil
	}
}

// direct reports whether an address is one of the exceptions: names with all
// that is below them, addresses and networks, each with a port or without.
func direct(u *url.URL, except []string) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	address, err := netip.ParseAddr(host)
	isAddress := err == nil
	if host == "localhost" || isAddress && address.IsLoopback() {
		return true
	}
	for _, item := range except {
		item = strings.ToLower(strings.TrimSpace(item))
		if item == "*" {
			return true
		}
		if name, port, err := net.SplitHostPort(item); err == nil {
			if port != cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]) {
				continue
			}
			item = name
		}
		if network, err := netip.ParsePrefix(item); err == nil && isAddress && network.Contains(address) {
			return true
		}
		item = strings.TrimPrefix(strings.TrimPrefix(item, "*"), ".")
		if item != "" && (host == item || !isAddress && strings.HasSuffix(host, "."+item)) {
			return true
		}
	}
	return false
}
