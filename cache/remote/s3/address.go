package s3

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/internal/network"
)

// address is what s3://bucket/prefix?endpoint=URL&region=R&path-style=true says.
type address struct {
	bucket, prefix string
	// host is that of the server, with its port.
	host, region         string
	plain, anonymous     bool
	pathStyle, anyServer bool
}

const (
	form   = "s3://bucket/prefix?endpoint=URL&region=NAME"
	amazon = "s3.amazonaws.com"
)

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// parse reads an address. Its errors do not repeat what may be a secret.
func parse(text string, env func(string) string) (a address, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Opaque != "" || u.Fragment != "" {
		return a, errors.New("the address of a bucket is " + form)
	}
	if u.User != nil {
		return a, errors.New("the address of a bucket has no keys in it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
	}
	if !bucketName.MatchString(u.Host) {
		return a, fmt.Errorf("%q is not a bucket: the address is %s", u.Host, form)
	}
	a = address{bucket: u.Host, prefix: strings.Trim(u.Path, "/"), host: amazon, region: first(env("AWS_REGION"), env("AWS_DEFAULT_REGION"))}
	if a.prefix != "" {
		a.prefix += "/"
	}
	query := u.Query()
	if query.Get("endpoint") == "" {
		if e := first(env("AWS_ENDPOINT_URL_S3"), env("AWS_ENDPOINT_URL")); e != "" {
			query.Set("endpoint", e)
		}
	}
	for key, values := range query {
		if err := a.set(key, values[0]); err != nil {
			return a, err
		}
	}
	if a.region == "" && a.host != amazon {
		// Other servers have no regions, but a signature names one.
		a.region = "us-east-1"
	}
	return a, nil
}

func (a *address) set(key, value string) (err error) {
	switch key {
	case "endpoint":
		return a.endpoint(value)
	case "region":
		a.region = value
		return nil
	case "path-style":
		a.anyServer = true
		a.pathStyle, err = strconv.ParseBool(value)
	case "anonymous":
		a.anonymous, err = strconv.ParseBool(value)
	default:
		return fmt.Errorf("the address of a bucket has no parameter %q: it has endpoint, region, path-style and anonymous", key)
	}
	if err != nil {
		return fmt.Errorf("%s is true or false, not %q", key, value)
	}
	return nil
}

// endpoint reads http[s]://host[:port]; without a scheme it is https, but on this
// machine.
func (a *address) endpoint(text string) error {
	scheme, host, ok := strings.Cut(text, "://")
	if !ok {
		scheme, host = "https", text
		if network.Local(host) {
			scheme = "http"
		}
	}
	host = strings.TrimSuffix(host, "/")
	if scheme != "http" && scheme != "https" || host == "" || strings.ContainsAny(host, "/@?") {
		return errors.New("the endpoint of a bucket is http://host[:port] or https://host[:port]")
	}
	a.host, a.plain = host, scheme == "http"
	return nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
