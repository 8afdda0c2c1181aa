package s3

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/remote/conformance"
	"github.com/dibgraph/dibgraph/internal/testroot"
	"github.com/dibgraph/dibgraph/internal/testserver"
)

var rightKeys = map[string]string{"AWS_ACCESS_KEY_ID": testserver.S3ID, "AWS_SECRET_ACCESS_KEY": testserver.S3Secret}

func addressOf(host string) string {
	return "s3://" + testserver.S3Bucket + "/images?endpoint=http://" + host + "&path-style=true"
}

func open(t *testing.T, address string, env map[string]string) (*Bucket, *testserver.Counter) {
	t.Helper()
	c := &testserver.Counter{}
	b, err := New(address, Options{
		Env:  func(name string) string { return env[name] },
		Wrap: c.Wrap,
	})
	must(t, err)
	return b, c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(data []byte) (remote.Content, func() (io.ReadCloser, error)) {
	return remote.Content{Sum: sha256.Sum256(data), Size: int64(len(data))},
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

func read(t *testing.T, r remote.Remote, c remote.Content, offset int64) string {
	t.Helper()
	body, err := r.Open(t.Context(), c, offset, c.Size)
	must(t, err)
	defer body.Close()
	data, err := io.ReadAll(body)
	must(t, err)
	return string(data)
}

func TestFaultsConformance(t *testing.T) {
	testroot.Require(t)
	r, _ := open(t, addressOf(testserver.S3(t)), rightKeys)
	conformance.Run(t, r)
}

func TestBucket(t *testing.T) {
	testroot.Require(t)
	b, c := open(t, addressOf(testserver.S3(t)), rightKeys)
	layer, body := content([]byte(strings.Repeat("layer", 1000)))
	for _, step := range []struct {
		asked string
		do    func() error
		want  string
	}{
		{"upload", func() error { return b.Upload(t.Context(), layer, body) }, "HEAD PUT"},
		{"upload again", func() error { return b.Upload(t.Context(), layer, body) }, "HEAD"},
		{"save", func() error { return b.Save(t.Context(), "pack", []byte("old"), nil) }, "PUT"},
		{"save again", func() error { return b.Save(t.Context(), "pack", []byte("new"), nil) }, "PUT"},
		{"load", func() error {
			got, err := b.Load(t.Context(), "pack", 3)
			if err == nil && string(got) != "new" {
				t.Errorf("Load = %q", got)
			}
			return err
		}, "GET"},
	} {
		must(t, step.do())
		if got := c.Since(); got != step.want {
			t.Errorf("%s asked %q, want %q", step.asked, got, step.want)
		}
	}
	if _, err := b.Load(t.Context(), "pack", 2); err == nil {
		t.Error("one byte over the limit is no error")
	}
	if got := read(t, b, layer, 4990); got != "layerlayer" {
		t.Errorf("from an offset: %q", got)
	}
	if got := read(t, b, layer, layer.Size); got != "" {
		t.Errorf("from its end on: %q", got)
	}
	absent, _ := content([]byte("never sent"))
	if _, err := b.Open(t.Context(), absent, 0, absent.Size); !errors.Is(err, remote.ErrNotFound) {
		t.Errorf("Open = %v", err)
	}
	if _, err := b.Load(t.Context(), "nothing", 10); !errors.Is(err, remote.ErrNotFound) {
		t.Errorf("Load = %v", err)
	}
	// Other bytes under a SHA-256 are refused by the server.
	absent.Size = layer.Size
	if err := b.Upload(t.Context(), absent, body); err == nil {
		t.Error("the server took other bytes than those of the SHA-256")
	}
	if there, err := b.Has(t.Context(), absent); there || err != nil {
		t.Errorf("Has = %v, %v", there, err)
	}
}

func TestBucketResumesParts(t *testing.T) {
	testroot.Require(t)
	b, c := open(t, addressOf(testserver.S3(t)), rightKeys)
	b.partSize = 5 << 20 // The least that servers take.
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	layer, body := content(data)
	parts := 0
	c.Instead = func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut {
			if parts++; parts == 3 {
				return nil, errors.New("cut")
			}
		}
		return nil, nil
	}
	if err := b.Upload(t.Context(), layer, body); err == nil {
		t.Fatal("an upload that was cut is no error")
	}
	if there, err := b.Has(t.Context(), layer); there || err != nil {
		t.Errorf("after half of it: Has = %v, %v", there, err)
	}
	c.Since()
	must(t, b.Upload(t.Context(), layer, body))
	if got := c.Since(); got != "HEAD GET GET PUT PUT POST" {
		t.Errorf("asked %q, want the two parts that are missing", got)
	}
	if read(t, b, layer, 0) != string(data) {
		t.Error("it came back as something else")
	}
	// What has not the SHA-256 that was promised is never put together.
	other, _ := content([]byte("other"))
	other.Size = layer.Size
	if err := b.Upload(t.Context(), other, body); err == nil {
		t.Error("other bytes than those of the SHA-256 are no error")
	}
	if there, _ := b.Has(t.Context(), other); there {
		t.Error("and are there")
	}
}

func TestBucketKeeper(t *testing.T) {
	testroot.Require(t)
	b, _ := open(t, addressOf(testserver.S3(t)), rightKeys)
	layer, body := content([]byte("a layer"))
	must(t, b.Upload(t.Context(), layer, body))
	must(t, b.Save(t.Context(), "one", []byte("x"), nil))
	must(t, b.Save(t.Context(), "two", []byte("xx"), nil))
	items := func() (all []remote.Item) {
		must(t, b.Items(t.Context(), func(i remote.Item) bool {
			if i.Modified.IsZero() {
				t.Errorf("item %+v", i)
			}
			i.Modified = i.Modified.Truncate(0)
			all = append(all, i)
			return true
		}))
		return all
	}
	all := items()
	if len(all) != 3 || !slices.ContainsFunc(all, func(i remote.Item) bool { return i.Content == layer && i.Size == layer.Size }) {
		t.Errorf("items %+v", all)
	}
	for _, i := range all {
		must(t, b.Remove(t.Context(), i))
		must(t, b.Remove(t.Context(), i))
	}
	if all := items(); len(all) != 0 {
		t.Errorf("items after all were removed: %+v", all)
	}
}

func TestBucketErrors(t *testing.T) {
	testroot.Require(t)
	host := testserver.S3(t)
	off := func(id, secret string) map[string]string {
		return map[string]string{"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_EC2_METADATA_DISABLED": "true"}
	}
	for name, test := range map[string]struct {
		address string
		env     map[string]string
		want    string
	}{
		"no keys":      {addressOf(host), off("", ""), "AWS_PROFILE"},
		"wrong key":    {addressOf(host), off("OTHER", "falsch-0815"), "check AWS_ACCESS_KEY_ID"},
		"wrong secret": {addressOf(host), off(testserver.S3ID, "falsch-0815"), "check AWS_SECRET_ACCESS_KEY"},
		"anonymous":    {addressOf(host) + "&anonymous=true", nil, "403 Forbidden"},
		"no bucket":    {strings.Replace(addressOf(host), "//cache/", "//other/", 1), rightKeys, `there is no bucket "other"`},
		"no server":    {addressOf(testserver.Unused(t)), rightKeys, "connection refused"},
		"no host":      {addressOf("nowhere.invalid"), rightKeys, "nowhere.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := open(t, test.address, test.env)
			_, loaded := b.Load(t.Context(), "pack", 10)
			saved := b.Save(t.Context(), "pack", []byte("x"), nil)
			for _, err := range []error{loaded, saved} {
				if err == nil || errors.Is(err, remote.ErrNotFound) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.address) {
					t.Errorf("error %v, want one that says %q", err, test.want)
				}
				if err != nil && (strings.Contains(err.Error(), "0815") || strings.Contains(err.Error(), testserver.S3Secret)) {
					t.Errorf("the error has the secret in it: %v", err)
				}
			}
		})
	}
}
