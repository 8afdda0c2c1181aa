package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// maxBody is far beyond any Release file: that of Debian's main suite has
// 150 kB, that of Ubuntu's 270 kB.
const maxBody = 16 << 20

// A Client asks mirrors. Its zero value asks directly, without credentials and
// with the default limits. It may be used concurrently.
type Client struct {
	// Environment are the variables that say which proxies are used, as for
	// other programs (http_proxy, no_proxy …), and what git runs with.
	Environment map[string]string
	// Userinfo are credentials by host name, used where an address has none.
	Userinfo map[string]*url.Userinfo
	// Timeout is how long one attempt may take; 0 is 10 s.
	Timeout time.Duration
	// Attempts is how often a mirror is asked that fails; 0 is 2.
	Attempts int
}

func (c *Client) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return 10 * time.Second
}

// errAbsent says that a mirror has no file of that name.
var errAbsent = errors.New("not found")

// An answer is a file that a mirror serves.
type answer struct {
	text  string
	state State // without Content
}

// get fetches a small file, or learns that it is what known belongs to.
func (c *Client) get(ctx context.Context, address string, known Validators) (answer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return answer{}, fmt.Errorf("parse the address: %w", err)
	}
	switch u.Scheme {
	case "file", "copy":
		return readFile(u.Path)
	case "http", "https":
	default:
		return answer{}, fmt.Errorf("%s: what begins with %s: cannot be asked", u.Redacted(), u.Scheme)
	}
	if u.User == nil {
		u.User = c.Userinfo[u.Hostname()]
	}
	var a answer
	for attempt := 1; ; attempt++ {
		a, err = c.getOnce(ctx, u, known)
		var status *statusError
		if err == nil || attempt >= cmp.Or(c.Attempts, 2) || ctx.Err() != nil || errors.As(err, &status) && !status.temporary() {
			return a, err
		}
	}
}

func (c *Client) getOnce(ctx context.Context, u *url.URL, known Validators) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("User-Agent", "dibgraph")
	// A shared proxy may keep what it got for a while, as apt knows too.
	request.Header.Set("Cache-Control", "max-age=0")
	if known.ETag != "" {
		request.Header.Set("If-None-Match", known.ETag)
	}
	if known.LastModified != "" {
		request.Header.Set("If-Modified-Since", known.LastModified)
	}
	transport := &http.Transport{Proxy: c.proxy, DisableKeepAlives: true, ForceAttemptHTTP2: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return answer{}, withoutAddress(err, u)
	}
	defer response.Body.Close()
	return readResponse(response, u, known)
}

func readResponse(r *http.Response, u *url.URL, known Validators) (answer, error) {
	switch {
	case r.StatusCode == http.StatusNotModified && known != Validators{}:
		return answer{state: State{Unchanged: true, Validators: known, Age: responseAge(r)}}, nil
	case r.StatusCode != http.StatusOK:
		return answer{}, &statusError{u.Redacted(), r.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return answer{}, fmt.Errorf("%s: read: %w", u.Redacted(), err)
	}
	if len(body) > maxBody {
		return answer{}, fmt.Errorf("%s: it has more than %d bytes", u.Redacted(), maxBody)
	}
	validators := Validators{ETag: r.Header.Get("ETag"), LastModified: r.Header.Get("Last-Modified")}
	return answer{text: string(body), state: State{Validators: validators, Age: responseAge(r)}}, nil
}

// responseAge returns how old what was sent is, by the clock of who sent it.
func responseAge(r *http.Response) time.Duration {
	now, err := http.ParseTime(r.Header.Get("Date"))
	modified, modErr := http.ParseTime(r.Header.Get("Last-Modified"))
	if err != nil || modErr != nil {
		return -1
	}
	return max(now.Sub(modified), 0)
}

// readFile is get for an archive in a directory of this machine.
func readFile(path string) (answer, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return answer{}, fmt.Errorf("%s: %w", path, errAbsent)
	}
	if err != nil {
		return answer{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return answer{}, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxBody+1))
	if err == nil && len(text) > maxBody {
		err = fmt.Errorf("%s: it has more than %d bytes", path, maxBody)
	}
	return answer{text: string(text), state: State{Age: max(time.Since(info.ModTime()), 0)}}, err
}

// A statusError is an answer that is no file.
type statusError struct {
	address string
	status  int
}

func (e *statusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s: %d %s", e.address, e.status, http.StatusText(e.status)))
}

// Is makes the answers that there is no such file errAbsent.
func (e *statusError) Is(target error) bool {
	return target == errAbsent && (e.status == http.StatusNotFound || e.status == http.StatusGone)
}

func (e *statusError) temporary() bool {
	return e.status >= 500 || e.status == http.StatusTooManyRequests || e.status == http.StatusRequestTimeout
}

// withoutAddress takes the address off an error of net/http, which may hold a
// password, and puts the redacted one in its place.
func withoutAddress(err error, u *url.URL) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("%s: %w", u.Redacted(), err)
}
