package network

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Transport returns a transport for one remote. It decompresses nothing, since
// what is transferred is named by its own SHA-256, and keeps enough connections
// for transfers side by side. A nil configuration is that of the machine.
func Transport(config *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   15 * time.Second,
		ForceAttemptHTTP2:     true,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// Local reports whether a host, with or without a port, is this machine, where
// there is nobody on the way who could listen.
func Local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if n := len(host); n > 1 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}
