package wholefile

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func create(t *testing.T, path, text string) *File {
	t.Helper()
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPublish(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"first", "second"} {
		f := create(t, path, text)
		if before, err := os.ReadFile(path); err == nil && string(before) == text {
			t.Errorf("%q is there before it is published", text)
		}
		if f.nameless && slices.Contains(names(t, dir), filepath.Base(f.part)) {
			t.Error("the file has a name before it is published")
		}
		if err := f.Publish(); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil || string(content) != text {
			t.Errorf("read %q, %v, want %q", content, err, text)
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
		t.Errorf("the directory holds %q", got)
	}
}

// Where no nameless file can be made there is one with a name of its own.
func TestNamed(t *testing.T) {
	dir := t.TempDir()
	for _, publish := range []bool{true, false} {
		f := create(t, filepath.Join(dir, "file"), "text")
		if err := f.Discard(); err != nil {
			t.Fatal(err)
		}
		named, err := os.Create(f.part)
		if err != nil {
			t.Fatal(err)
		}
		f.File, f.nameless = named, false
		end, want := f.Discard, []string(nil)
		if publish {
			end, want = f.Publish, []string{"file"}
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		if got := names(t, dir); !slices.Equal(got, want) {
			t.Errorf("the directory holds %q, want %q", got, want)
		}
		os.Remove(filepath.Join(dir, "file")) // was looked for above
	}
}

func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := create(t, path, "new").Discard(); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "old" {
		t.Errorf("read %q, %v, want what was there", content, err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
		t.Errorf("the directory holds %q", got)
	}
}

func TestCannot(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(filepath.Join(dir, "none", "file")); !os.IsNotExist(err) {
		t.Errorf("in a directory that is not there: %v", err)
	}
	target := filepath.Join(dir, "directory")
	if err := os.MkdirAll(filepath.Join(target, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := create(t, target, "text").Publish(); err == nil {
		t.Error("a directory was replaced")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"directory"}) {
		t.Errorf("the directory holds %q", got)
	}
	if _, err := os.Stat(filepath.Join(target, "full")); err != nil && os.IsNotExist(err) {
		t.Error(fs.ErrNotExist)
	}
}
