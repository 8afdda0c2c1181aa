package mirror

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository makes a git repository and returns its directory and a function
// that runs git in it.
func repository(t *testing.T) (dir string, git func(args ...string)) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("these tests need git")
	}
	dir = t.TempDir()
	git = func(args ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=T", "-c", "user.email=t@example.org"}, args...)...)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("commit", "-q", "--allow-empty", "-m", "one")
	return dir, git
}

func TestGit(t *testing.T) {
	dir, git := repository(t)
	ask := func(ref string) string {
		t.Helper()
		s, err := new(Client).Git(t.Context(), dir, ref)
		if err != nil {
			t.Fatalf("Git(%q): %v", ref, err)
		}
		return s.Content
	}
	main, all, none := ask("main"), ask("*"), ask("no-such-branch")
	if main == none || !strings.HasPrefix(main, "refs/heads/main ") {
		t.Errorf("main is %q, what is not there %q", main, none)
	}
	git("branch", "topic/main")
	if got := ask("main"); got != main {
		t.Errorf("a branch that ends in the same name made it %q", got)
	}
	if got := ask("*"); got == all {
		t.Error("a new branch is not seen in all of them")
	}
	git("commit", "-q", "--allow-empty", "-m", "two")
	if got := ask("main"); got == main {
		t.Errorf("a commit left it %q", got)
	}
	git("tag", "v1")
	if got := ask("v1"); !strings.HasPrefix(got, "refs/tags/v1 ") {
		t.Errorf("the tag is %q", got)
	}
}

func TestGitFailures(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	marker := filepath.Join(t.TempDir(), "marker")
	for _, location := range []string{none, "--upload-pack=touch " + marker, "ext::sh -c touch% " + marker, "https://user:word@127.0.0.1:1/r"} {
		_, err := new(Client).Git(t.Context(), location, "main")
		if err == nil {
			t.Errorf("Git(%q) succeeded", location)
		} else if strings.Contains(err.Error(), "word") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("an address ran a program")
	}
	c := &Client{Environment: map[string]string{"PATH": t.TempDir()}}
	if _, err := c.Git(t.Context(), none, "main"); !errors.Is(err, ErrNoGit) {
		t.Errorf("without git: %v", err)
	}
}
