package fetch

import (
	"context"
	"net"
	"net/http"
	"time"
)

const (
	// getAttempts and askAttempts are how often a request is made before it
	// counts as failed. Who asks knows something already.
	getAttempts = 4
	askAttempts = 2
	// connectPatience and headerPatience are how long a server may take to be
	// reached and to begin its answer, stallPatience how long it may be silent
	// in the middle of one.
	connectPatience = 15 * time.Second
	headerPatience  = 30 * time.Second
	stallPatience   = 60 * time.Second
)

// A Client makes requests. It may be used concurrently.
type Client struct {
	http  *http.Client
	pause func(attempt int) time.Duration
}

// New returns a client that uses the proxies which the environment names, see
// [Transport].
func New(environment map[string]string) *Client {
	return &Client{
		http: &http.Client{Transport: Transport(environment)},
		// A second, two, four: what is overloaded gets the time to recover.
		pause: func(attempt int) time.Duration { return time.Second << (attempt - 1) },
	}
}

// Transport returns what reaches servers, by way of the proxies which the
// environment names: http_proxy, https_proxy, all_proxy and no_proxy, in either
// case.
func Transport(environment map[string]string) *http.Transport {
	return &http.Transport{
		Proxy:                 proxies(environment),
		DialContext:           (&net.Dialer{Timeout: connectPatience}).DialContext,
		TLSHandshakeTimeout:   connectPatience,
		ResponseHeaderTimeout: headerPatience,
		IdleConnTimeout:       headerPatience,
		ForceAttemptHTTP2:     true,
		// Undone on the way, an encoding would change length and bytes.
		DisableCompression: true,
	}
}

// send makes one request. The error is an *Error, also for every status that
// is not one of the 200s or listed in also; otherwise the caller closes the
// body.
func (c *Client) send(ctx context.Context, method string, a Address, header map[string]string, also ...int) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.URL, nil)
	if err != nil {
		return nil, &Error{URL: a.String(), Err: withoutURL(err)}
	}
	request.Header.Set("User-Agent", "dibgraph")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, &Error{URL: a.String(), Err: withoutURL(err), Passing: ctx.Err() == nil}
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	for _, status := range also {
		if response.StatusCode == status {
			return response, nil
		}
	}
	response.Body.Close() // nothing was written; what could fail concerns nobody
	return nil, &Error{URL: a.String(), Status: response.StatusCode, Passing: passing(response.StatusCode)}
}

// passing reports whether a status says that the server cannot answer now.
func passing(status int) bool {
	return status >= 500 && status != http.StatusNotImplemented ||
		status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
}

// again calls do until it succeeds, fails for good, or has failed too often.
func (c *Client) again(ctx context.Context, attempts int, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || ctx.Err() != nil || !Passing(err) || attempt == attempts {
			return err
		}
		timer := time.NewTimer(c.pause(attempt))
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}
