package registry

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

func TestLogins(t *testing.T) {
	for _, test := range []struct {
		name      string
		variables map[string]string
		want      []string
	}{
		{"none", nil, nil},
		{"home", map[string]string{"HOME": "/h"}, []string{"/h/.docker/config.json", "/h/.config/containers/auth.json"}},
		{"all", map[string]string{"HOME": "/h", "REGISTRY_AUTH_FILE": "/r", "DOCKER_CONFIG": "/d", "XDG_RUNTIME_DIR": "/x", "XDG_CONFIG_HOME": "/c"},
			[]string{"/r", "/d/config.json", "/x/containers/auth.json", "/c/containers/auth.json"}},
	} {
		if got := Logins(func(name string) string { return test.variables[name] }); !slices.Equal(got, test.want) {
			t.Errorf("%s: the files are %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCredential(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// "one:word", "two:word" and "part:word"
	docker := write("config.json", `{"auths": {"a.example.org": {"auth": "b25lOndvcmQ="}}}`)
	podman := write("auth.json", `{"auths": {"a.example.org": {"auth": "dHdvOndvcmQ="}, "b.example.org": {"auth": "dHdvOndvcmQ="}, "b.example.org/team": {"auth": "cGFydDp3b3Jk"}}}`)
	broken := write("broken.json", `{"auths": `)
	for _, test := range []struct {
		host, repository string
		files            []string
		user             string
	}{
		{"a.example.org", "web", []string{filepath.Join(dir, "none"), docker, podman}, "one"},
		{"a.example.org", "web", []string{podman, docker}, "two"},
		{"b.example.org", "web", []string{docker, podman}, "two"},
		{"b.example.org", "team/web", []string{docker, podman}, "part"},
		{"c.example.org", "web", []string{docker, podman}, ""},
	} {
		got, err := Credential(test.repository, test.files)(t.Context(), test.host)
		if err != nil || got.Username != test.user || (got == auth.EmptyCredential) != (test.user == "") {
			t.Errorf("the login for %s/%s is of %q, %v, want %q", test.host, test.repository, got.Username, err, test.user)
		}
	}
	if _, err := Credential("web", []string{broken})(t.Context(), "a.example.org"); err == nil {
		t.Error("a file that cannot be read was taken for one without logins")
	}
}
