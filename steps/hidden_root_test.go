package steps

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/sandbox"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// What a process finds of a directory and a file while they are hidden, and then.
type findings struct {
	Names, After []string
	Key, KeyThen string
	Written      bool
}

func init() {
	sandbox.Register("hidden", func(_ context.Context, in []byte) (any, error) {
		var t tree
		if err := json.Unmarshal(in, &t); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(RunDir, 0o755); err != nil {
			return nil, err
		}
		if err := mount.Type("tmpfs", "tmpfs", RunDir, 0, "size=1m"); err != nil {
			return nil, err
		}
		reveal, err := t.hide()
		if err != nil {
			return nil, err
		}
		var f findings
		store, key := t.Hidden[0], t.Hidden[1]
		f.Names, err = entriesOf(store)
		text, keyErr := os.ReadFile(key)
		f.Key = string(text)
		f.Written = os.WriteFile(filepath.Join(store, "x"), nil, 0o600) == nil || os.WriteFile(key, nil, 0o600) == nil
		// A hook may cover more, which has to go as well.
		err = errors.Join(err, keyErr, mount.Type("tmpfs", "tmpfs", store, 0, "size=4k"), reveal())
		if err != nil {
			return nil, err
		}
		f.After, err = entriesOf(store)
		text, keyErr = os.ReadFile(key)
		f.KeyThen = string(text)
		return f, errors.Join(err, keyErr)
	})
}

func entriesOf(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func TestHide(t *testing.T) {
	testroot.Require(t)
	dir := t.TempDir()
	store, key, link := filepath.Join(dir, "store"), filepath.Join(dir, "key"), filepath.Join(dir, "link")
	err := errors.Join(os.Mkdir(store, 0o755), os.WriteFile(filepath.Join(store, "record"), nil, 0o600),
		os.WriteFile(key, []byte("secret"), 0o600), os.Symlink(key, link))
	if err != nil {
		t.Fatal(err)
	}
	var got findings
	in := tree{Hidden: []string{store, link, filepath.Join(dir, "missing")}}
	if err := sandbox.Run(t.Context(), sandbox.Config{Program: "hidden", Input: in}, &got); err != nil {
		t.Fatal(err)
	}
	if want := (findings{After: []string{"record"}, KeyThen: "secret"}); !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
}

// What hooks work in is shown, even inside of what is to be hidden.
func TestHideLeavesWhatIsNeeded(t *testing.T) {
	for _, test := range []struct {
		site Site
		want []string
	}{
		{Site{WorkDir: "/work", ImageCache: "/var/cache/images"}, []string{"/store"}},
		{Site{WorkDir: "/store/work"}, nil},
		{Site{ImageCache: "/store"}, nil},
		{Site{HostDirs: []string{"/store/locks"}}, nil},
		{Site{Files: HostFiles{Home: "/store/home"}}, nil},
		{Site{WorkDir: "/storehouse"}, []string{"/store"}},
	} {
		test.site.Hide("/store")
		if !reflect.DeepEqual(test.site.hidden, test.want) || !reflect.DeepEqual(test.site.Files.Ignored, test.want) {
			t.Errorf("%+v", test.site)
		}
	}
}
