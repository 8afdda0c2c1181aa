package elements

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

func open(t *testing.T, files map[string]string) (*Element, string, error) {
	t.Helper()
	dir := write(t, files)
	l, err := OpenLibrary([]string{dir}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Open("web")
	return e, filepath.Join(dir, "web"), err
}

func TestScanDisk(t *testing.T) {
	large := "#!" + strings.Repeat("x", maxText)
	e, dir, err := open(t, map[string]string{
		"web/install.d/10-a": "#!/bin/sh\n", "web/link": "-> install.d/10-a", "web/large": large, "web/empty": "", "web/dir/": "",
		"web/odd \xff\n": "x",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(e.Tree.Files); got != "dir empty install.d install.d/10-a large link odd \xff\n" {
		t.Errorf("files: %q", got)
	}
	big, _ := e.Tree.Lookup("large")
	if big.Digest != cache.DigestBytes([]byte(large)) || big.Size != int64(len(large)) || !big.Words.All || !big.Executable {
		t.Errorf("large file: size %d, executable %t, words %v", big.Size, big.Executable, big.Words.All)
	}
	if content, err := big.Read(); err != nil || string(content) != large {
		t.Errorf("Read of the large file: %d bytes, %v", len(content), err)
	}
	link, _ := e.Tree.Lookup("link")
	if link.Link != "install.d/10-a" || !link.IsLink() || link.Open != nil || !link.Digest.IsZero() {
		t.Errorf("link: %+v", link)
	}
	hook, _ := e.Tree.Lookup("install.d/10-a")
	info, err := os.Lstat(filepath.Join(dir, "install.d/10-a"))
	if err != nil || hook.Mode != info.Mode() || !hook.ModTime.Equal(info.ModTime()) || hook.Digest != cache.DigestBytes([]byte("#!/bin/sh\n")) {
		t.Errorf("hook: %+v, %v", hook, err)
	}
}

func TestFileChanged(t *testing.T) {
	e, dir, err := open(t, map[string]string{"web/a": "before"})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := e.Tree.Lookup("a")
	if content, err := a.Read(); err != nil || string(content) != "before" {
		t.Fatalf("Read = %q, %v", content, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("behind"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(); !errors.Is(err, ErrChanged) {
		t.Errorf("Read of a changed file: %v, want ErrChanged", err)
	}
	r, err := a.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var copied bytes.Buffer
	if _, err := io.Copy(&copied, r); !errors.Is(err, ErrChanged) {
		t.Errorf("Copy of a changed file: %v, want ErrChanged", err)
	}
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "open "+a.Source) {
		t.Errorf("Read of a removed file: %v", err)
	}
}

func TestScanSpecialFile(t *testing.T) {
	dir := write(t, map[string]string{"web/a": ""})
	if err := syscall.Mkfifo(filepath.Join(dir, "web/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLibrary([]string{dir}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Open("web")
	if want := dir + "/web/pipe: is neither a file nor a directory nor a link"; messages(err) != want {
		t.Errorf("problems: %s\nwant: %s", messages(err), want)
	}
}
