package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/remote/conformance"
	"github.com/dibgraph/dibgraph/internal/testroot"
	"github.com/dibgraph/dibgraph/internal/testserver"
)

func open(t *testing.T, address string, env map[string]string) (*Registry, *testserver.Counter) {
	t.Helper()
	c := &testserver.Counter{}
	r, err := New(address, Options{
		Env:  func(name string) string { return env[name] },
		Wrap: c.Wrap,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, c
}

func content(data []byte) (remote.Content, func() (io.ReadCloser, error)) {
	return remote.Content{Sum: sha256.Sum256(data), Size: int64(len(data))},
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, r remote.Remote, c remote.Content, offset int64) []byte {
	t.Helper()
	body, err := r.Open(t.Context(), c, offset, c.Size)
	must(t, err)
	defer body.Close()
	data, err := io.ReadAll(body)
	must(t, err)
	return data
}

func TestFaultsConformance(t *testing.T) {
	testroot.Require(t)
	r, _ := open(t, "oci://"+serve(t)+"/cache/images", nil)
	// The file system of this registry replaces a tag in place: who reads it in that
	// moment is answered 500, which a guard asks again.
	conformance.Run(t, remote.NewGuard(r, remote.GuardOptions{}))
}

func TestRegistryRequests(t *testing.T) {
	testroot.Require(t)
	r, c := open(t, "oci://"+serve(t)+"/cache/images", nil)
	data := bytes.Repeat([]byte("layer"), 1000)
	layer, body := content(data)
	for _, step := range []struct {
		asked string
		do    func() error
		want  string
	}{
		{"upload", func() error { return r.Upload(t.Context(), layer, body) }, "HEAD POST PUT"},
		{"upload again", func() error { return r.Upload(t.Context(), layer, body) }, "HEAD"},
		{"save", func() error { return r.Save(t.Context(), "pack-1", []byte("a pack"), []remote.Content{layer}) }, "POST PUT PUT"},
		{"load", func() error {
			got, err := r.Load(t.Context(), "pack-1", 1<<20)
			if err == nil && string(got) != "a pack" {
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
	if got := read(t, r, layer, 0); !bytes.Equal(got, data) {
		t.Error("the content came back as something else")
	}
	if got := read(t, r, layer, 4990); string(got) != "layerlayer" {
		t.Errorf("from an offset: %q", got)
	}
	if got := read(t, r, layer, layer.Size); len(got) != 0 {
		t.Errorf("from its end on: %q", got)
	}
}

func TestRegistryMissing(t *testing.T) {
	testroot.Require(t)
	r, _ := open(t, "oci://"+serve(t)+"/cache/images", nil)
	other, body := content([]byte("never sent"))
	_, err := r.Load(t.Context(), "pack", 100)
	if !errors.Is(err, remote.ErrNotFound) || !strings.Contains(err.Error(), r.String()) {
		t.Errorf("Load = %v", err)
	}
	if _, err = r.Open(t.Context(), other, 0, other.Size); !errors.Is(err, remote.ErrNotFound) {
		t.Errorf("Open = %v", err)
	}
	if there, err := r.Has(t.Context(), other); there || err != nil {
		t.Errorf("Has = %v, %v", there, err)
	}
	must(t, r.Items(t.Context(), func(i remote.Item) bool { t.Errorf("item %v", i); return true }))
	wrong := remote.Content{Sum: sha256.Sum256([]byte("other")), Size: other.Size}
	if err := r.Upload(t.Context(), wrong, body); err == nil {
		t.Error("the registry took bytes under the SHA-256 of others")
	}
	if there, _ := r.Has(t.Context(), wrong); there {
		t.Error("and has them")
	}
}

func TestRegistryLarge(t *testing.T) {
	testroot.Require(t)
	r, c := open(t, "oci://"+serve(t)+"/cache/images", nil)
	large := bytes.Repeat([]byte("0123456789abcdef"), (inlineLimit/16)+1)
	must(t, r.Save(t.Context(), "large", large, nil))
	c.Since()
	got, err := r.Load(t.Context(), "large", 2<<20)
	must(t, err)
	if !bytes.Equal(got, large) || c.Since() != "GET GET" {
		t.Error("an object that is too large for its manifest came back as something else")
	}
	if _, err := r.Load(t.Context(), "large", int64(len(large)-1)); err == nil {
		t.Error("one byte over the limit is no error")
	}
	c.Since()
	// In pieces, as behind a proxy that takes small requests only.
	r.chunk = 100_000
	c.Instead = func(q *http.Request) (*http.Response, error) {
		if q.ContentLength > r.chunk {
			return &http.Response{StatusCode: http.StatusRequestEntityTooLarge, Body: http.NoBody, Request: q}, nil
		}
		return nil, nil
	}
	layer, body := content(large[:250_001])
	must(t, r.Upload(t.Context(), layer, body))
	if asked := c.Since(); asked != "HEAD POST PUT DELETE POST PATCH PATCH PATCH PUT" {
		t.Errorf("asked %s", asked)
	}
	if !bytes.Equal(read(t, r, layer, 0), large[:250_001]) {
		t.Error("the pieces came back as something else")
	}
}

func TestRegistryManyContents(t *testing.T) {
	testroot.Require(t)
	r, c := open(t, "oci://"+serve(t)+"/cache/images", nil)
	r.layers = 2
	var about []remote.Content
	for i := range 5 {
		layer, body := content(fmt.Append(nil, "content ", i))
		must(t, r.Upload(t.Context(), layer, body))
		about = append(about, layer, layer)
	}
	c.Since()
	must(t, r.Save(t.Context(), "pack", []byte("a pack"), about))
	if got := c.Since(); got != "POST PUT PUT PUT PUT PUT" {
		t.Errorf("three manifests and their index: asked %s", got)
	}
	got, err := r.Load(t.Context(), "pack", 10)
	if err != nil || string(got) != "a pack" || c.Since() != "GET GET" {
		t.Errorf("Load = %q, %v", got, err)
	}
	// The registry knows whether what a manifest speaks of is there.
	absent, _ := content([]byte("never sent"))
	if err := r.Save(t.Context(), "pack", []byte("x"), append(about, absent)); err == nil {
		t.Error("the registry took a manifest whose contents it lacks")
	}
	if got, err := r.Load(t.Context(), "pack", 10); err != nil || string(got) != "a pack" {
		t.Errorf("after a save that failed: Load = %q, %v", got, err)
	}
}

// A registry refuses a manifest of more than 4 MiB. An image has some 2,000 contents
// at most.
func TestManifestSizes(t *testing.T) {
	about := func(n int) (all []remote.Content) {
		for i := range n {
			c, _ := content(fmt.Append(nil, i))
			c.Size = 1 << 40
			all = append(all, c)
		}
		return all
	}
	data := bytes.Repeat([]byte{0xff}, inlineLimit)
	for _, test := range []struct{ contents, manifests, most int }{
		{2000, 1, 1_400_000 + 2000*190},
		{layersLimit, 1, manifestLimit},
		{layersLimit + 1, 3, manifestLimit},
		{5 * layersLimit, 6, manifestLimit},
	} {
		all := manifests("name", data, about(test.contents), layersLimit)
		size := 0
		for _, m := range all {
			size = max(size, len(m.text))
		}
		if len(all) != test.manifests || size > test.most || all[len(all)-1].reference != "name" {
			t.Errorf("%d contents: %d manifests of up to %d bytes, want %d of %d", test.contents, len(all), size, test.manifests, test.most)
		}
		t.Logf("%d contents: largest manifest %d bytes", test.contents, size)
	}
}

func TestRegistryKeeper(t *testing.T) {
	testroot.Require(t)
	r, _ := open(t, "oci://"+serve(t)+"/cache/images", nil)
	layer, body := content([]byte("a layer"))
	must(t, r.Upload(t.Context(), layer, body))
	for _, name := range []string{"one", "two", "three"} {
		must(t, r.Save(t.Context(), name, []byte("the same"), []remote.Content{layer}))
	}
	names := func() (all []string) {
		must(t, r.Items(t.Context(), func(i remote.Item) bool {
			if i.Size == 0 || i.Modified.IsZero() {
				t.Errorf("item %+v", i)
			}
			all = append(all, i.Name)
			return true
		}))
		slices.Sort(all)
		return all
	}
	if got := names(); !slices.Equal(got, []string{"one", "three", "two"}) {
		t.Errorf("items %q", got)
	}
	must(t, r.Remove(t.Context(), remote.Item{Name: "two"}))
	must(t, r.Remove(t.Context(), remote.Item{Name: "two"}))
	if got := names(); !slices.Equal(got, []string{"one", "three"}) {
		t.Errorf("items after one was removed %q", got)
	}
	must(t, r.Remove(t.Context(), remote.Item{Content: layer}))
	if there, _ := r.Has(t.Context(), layer); there {
		t.Error("a removed content is there")
	}
	unchanging, _ := testserver.Registry(t, "", "")
	fixed, _ := open(t, "oci://"+unchanging+"/cache/images", nil)
	must(t, fixed.Save(t.Context(), "one", []byte("x"), nil))
	if err := fixed.Remove(t.Context(), remote.Item{Name: "one"}); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("a registry that deletes nothing: %v", err)
	}
}

// The registry's own garbage collection keeps what a tag is about.
func TestRegistryGarbageCollection(t *testing.T) {
	testroot.Require(t)
	host, config := testserver.Registry(t, testserver.RegistryDeletes, "")
	r, _ := open(t, "oci://"+host+"/cache/images", nil)
	kept, body := content([]byte("kept"))
	must(t, r.Upload(t.Context(), kept, body))
	lost, body := content([]byte("lost"))
	must(t, r.Upload(t.Context(), lost, body))
	must(t, r.Save(t.Context(), "pack", []byte("x"), []remote.Content{kept}))
	output, err := exec.Command("docker-registry", "garbage-collect", "-m", config).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	// The registry remembers what it has; its disk tells.
	blobs, err := filepath.Glob(filepath.Join(filepath.Dir(config), "data/docker/registry/v2/blobs/sha256/*/*"))
	must(t, err)
	found := strings.Join(blobs, "\n")
	if !strings.Contains(found, kept.Sum.String()) || strings.Contains(found, lost.Sum.String()) {
		t.Errorf("kept %s, lost %s; on disk are\n%s", kept.Sum, lost.Sum, found)
	}
	if got, err := r.Load(t.Context(), "pack", 10); err != nil || string(got) != "x" {
		t.Errorf("Load = %q, %v", got, err)
	}
}

func TestRegistryLogin(t *testing.T) {
	testroot.Require(t)
	host, _ := testserver.Registry(t, testserver.RegistryDeletes, withLogin(t))
	login := func(password string) string {
		return fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte(testUser+":"+password)))
	}
	home := t.TempDir()
	right, wrong := filepath.Join(home, "right.json"), filepath.Join(home, "wrong.json")
	write(t, right, login(testPassword))
	write(t, wrong, login("falsch-0815"))
	write(t, filepath.Join(home, "config.json"), login(testPassword))
	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"none":      {map[string]string{"HOME": home}, "docker login " + host},
		"wrong":     {map[string]string{"REGISTRY_AUTH_FILE": wrong}, "401 Unauthorized"},
		"by file":   {map[string]string{"REGISTRY_AUTH_FILE": right}, ""},
		"by docker": {map[string]string{"DOCKER_CONFIG": home}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, c := open(t, "oci://"+host+"/cache/images", test.env)
			layer, body := content([]byte("a layer of " + name))
			err := r.Upload(context.WithoutCancel(t.Context()), layer, body)
			if test.want == "" {
				must(t, err)
				if got := c.Since(); got != "HEAD HEAD POST PUT" {
					t.Errorf("asked %q: a login is told once it was asked for, and then always", got)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), r.String()) {
				t.Errorf("error %v", err)
			}
			if secret := base64.StdEncoding.EncodeToString([]byte(testUser + ":falsch-0815")); strings.Contains(fmt.Sprintf("%v %+v", err, err), "falsch-0815") || strings.Contains(err.Error(), secret) {
				t.Errorf("the error has the password in it: %v", err)
			}
		})
	}
}
