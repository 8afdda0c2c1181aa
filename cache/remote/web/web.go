package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/interrupt"
	"github.com/dibgraph/dibgraph/internal/network"
)

// Options say how to talk to the server.
type Options struct {
	// Transport makes the requests; nil is that of package network.
	Transport http.RoundTripper
	// Login returns what is known for a host that the address has no password
	// for; nil knows nothing.
	Login func(host string) (user, password string, ok bool)
	// Token is sent as a bearer token where there is no password.
	Token string
}

// A Remote is a base address.
type Remote struct {
	base          *url.URL // without user
	user          *url.Userinfo
	client        http.Client
	authorization string
}

// New returns the remote at an address of http or https, which may have user and
// password in it.
func New(address string, o Options) (*Remote, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%q is no address", network.Redact(address))
	}
	if u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q: want http://HOST/PATH or https://HOST/PATH", network.Redact(address))
	}
	r := &Remote{base: u, user: u.User}
	u.User, u.Path = nil, strings.TrimSuffix(u.Path, "/")
	if r.user == nil && o.Login != nil {
		if name, password, ok := o.Login(u.Hostname()); ok {
			r.user = url.UserPassword(name, password)
		}
	}
	if r.user == nil && o.Token != "" {
		r.authorization = "Bearer " + o.Token
	}
	if r.client.Transport = o.Transport; o.Transport == nil {
		r.client.Transport = network.Transport(nil)
	}
	r.client.CheckRedirect = sameHost
	return r, nil
}

// sameHost follows no redirection to another host: the content would come from
// somebody whom the user did not name, and credentials could go there.
func sameHost(to *http.Request, via []*http.Request) error {
	const most = 5
	if to.URL.Host != via[0].URL.Host || to.URL.Scheme != via[0].URL.Scheme {
		return fmt.Errorf("it sends us to another host, %s: name that one instead", to.URL.Host)
	}
	if len(via) > most {
		return errors.New("it sends us from one address to the next")
	}
	return nil
}

// String is the address without user and password.
func (r *Remote) String() string { return r.base.String() }

func (r *Remote) object(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "/ac/" + hex.EncodeToString(sum[:])
}

func content(c remote.Content) string { return "/cas/" + c.Sum.String() }

// send makes one request. What is no success is an error.
func (r *Remote) send(ctx context.Context, method, path string, body io.Reader, size int64, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.base.String()+path, body)
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("User-Agent", "dibgraph")
	if body != nil {
		request.ContentLength = size
		if size == 0 {
			request.Body = http.NoBody
		}
	}
	switch {
	case r.user != nil:
		password, _ := r.user.Password()
		request.SetBasicAuth(r.user.Username(), password)
	case r.authorization != "":
		request.Header.Set("Authorization", r.authorization)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s %s%s: %w", method, r, path, network.Explain(ctx, err))
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer response.Body.Close()
	const most = 200
	text, _ := io.ReadAll(io.LimitReader(response.Body, most))
	err = &remote.StatusError{Status: response.StatusCode, Text: firstLine(text), Wait: remote.RetryAfter(response.Header)}
	if response.StatusCode == http.StatusNotFound {
		err = remote.ErrNotFound
	}
	return nil, fmt.Errorf("%s %s%s: %w", method, r, path, err)
}

// firstLine is what of an answer is fit to be shown.
func firstLine(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	if strings.HasPrefix(strings.TrimSpace(line), "<") {
		return "" // a page
	}
	quoted := strconv.QuoteToASCII(strings.TrimSpace(line))
	return network.Redact(quoted[1 : len(quoted)-1])
}

// Load gets a named object.
func (r *Remote) Load(ctx context.Context, name string, limit int64) ([]byte, error) {
	response, err := r.send(ctx, http.MethodGet, r.object(name), nil, 0, nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("load %s from %s: %w: it has more than %d bytes", name, r, remote.ErrTooLarge, limit)
	case err != nil:
		return nil, fmt.Errorf("load %s from %s: %w", name, r, network.Explain(ctx, err))
	case response.ContentLength >= 0 && int64(len(data)) != response.ContentLength:
		return nil, fmt.Errorf("load %s from %s: %w", name, r, io.ErrUnexpectedEOF)
	}
	return data, nil
}

// Save puts a named object. Servers do not know what it is about.
func (r *Remote) Save(ctx context.Context, name string, data []byte, _ []remote.Content) error {
	return r.put(ctx, r.object(name), bytes.NewReader(data), int64(len(data)))
}

func (r *Remote) put(ctx context.Context, path string, body io.Reader, size int64) error {
	response, err := r.send(ctx, http.MethodPut, path, body, size, http.Header{
		// A server that refuses need not be sent the whole.
		"Expect":       {"100-continue"},
		"Content-Type": {"application/octet-stream"},
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)) // to use the connection again
	return errors.Join(err, response.Body.Close())
}

// Open gets a part of a content.
func (r *Remote) Open(ctx context.Context, c remote.Content, from, to int64) (io.ReadCloser, error) {
	if from >= to {
		return http.NoBody, nil
	}
	header := http.Header{}
	if from > 0 || to < c.Size {
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, to-1))
	}
	response, err := r.send(ctx, http.MethodGet, content(c), nil, 0, header)
	if err != nil {
		return nil, err
	}
	start, end := int64(0), c.Size
	if response.StatusCode == http.StatusPartialContent {
		start, end = from, to
	}
	if n := response.ContentLength; n >= 0 && n != end-start {
		return nil, errors.Join(remote.OtherSize(r.String()+content(c), start+n, c), response.Body.Close())
	}
	if start < from {
		// It does not know ranges, and gives all of it.
		if _, err := io.CopyN(io.Discard, response.Body, from); err != nil {
			return nil, errors.Join(fmt.Errorf("open %s of %s: %w", c.Sum, r, err), response.Body.Close())
		}
	}
	return remote.First(response.Body, to-from), nil
}

// Has asks for a content.
func (r *Remote) Has(ctx context.Context, c remote.Content) (bool, error) {
	response, err := r.send(ctx, http.MethodHead, content(c), nil, 0, nil)
	if errors.Is(err, remote.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return response.ContentLength < 0 || response.ContentLength == c.Size, response.Body.Close()
}

// Upload puts a content.
func (r *Remote) Upload(ctx context.Context, c remote.Content, body func() (io.ReadCloser, error)) error {
	if there, err := r.Has(ctx, c); err != nil || there {
		return err
	}
	b, err := body()
	if err != nil {
		return err
	}
	// A transport may notice the end only when all bytes are sent.
	err = r.put(ctx, content(c), interrupt.Reader(ctx, b), c.Size)
	_ = b.Close() // which whoever sent it mostly did
	return err
}
