package stock_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sources is a place where source-repositories fetches from and to.
type sources struct {
	t                        *testing.T
	hooks, image, cache, git string
	env                      []string
}

func newSources(t *testing.T) *sources {
	t.Helper()
	for _, tool := range []string{"git", "curl", "flock"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	s := &sources{t: t, hooks: library(t, "cache-url"), image: dir + "/image", cache: dir + "/cache", git: dir + "/upstream"}
	for _, d := range []string{s.image, s.cache, s.git} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.env = []string{"HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "TMP_HOOKS_PATH=" + s.hooks, "TMP_MOUNT_PATH=" + s.image,
		"DIB_IMAGE_CACHE=" + s.cache, "DIB_MANIFEST_IMAGE_DIR=/etc/dib-manifests", "IMAGE_NAME=out/web"}
	s.sh("git init -q -b master && git config user.name x && git config user.email x@example.org")
	s.commit("one")
	return s
}

// sh runs a script in the repository that others fetch from.
func (s *sources) sh(script string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "bash", "-eu", "-c", script)
	cmd.Dir = s.git
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s *sources) commit(content string) string {
	s.t.Helper()
	return s.sh("echo " + content + " >file && git add . && git commit -qm x && git rev-parse HEAD")
}

// fetch runs the hook with these lines in a file, and returns what it complains
// of, nothing if it succeeded.
func (s *sources) fetch(lines string, env ...string) string {
	s.t.Helper()
	write(s.t, lines, s.hooks, "source-repository-app")
	shims, err := filepath.Abs("../../steps/lib/bin")
	if err != nil {
		s.t.Fatal(err)
	}
	_, stderr, status := run(s.t, shims, append(append([]string{}, s.env...), env...), "source-repositories/extra-data.d/98-source-repositories")
	if status != 0 && stderr == "" {
		s.t.Errorf("status %d and no message", status)
	}
	if status == 0 {
		return ""
	}
	return stderr
}

func (s *sources) want(path, content string) {
	s.t.Helper()
	got, err := os.ReadFile(filepath.Join(s.image, path))
	if err != nil || string(got) != content {
		s.t.Errorf("%s holds %q, %v, want %q", path, got, err, content)
	}
}

// again makes the image empty.
func (s *sources) again() {
	s.t.Helper()
	if err := os.RemoveAll(s.image); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Mkdir(s.image, 0o755); err != nil {
		s.t.Fatal(err)
	}
}

func TestGitSources(t *testing.T) {
	s := newSources(t)
	s.sh("git tag first && git checkout -q -b topic")
	topic := s.commit("topic")
	s.sh("git update-ref refs/changes/7 HEAD && git checkout -q master && git branch -qD topic")
	second := s.commit("two")
	line := "app git /opt/app " + s.git
	ok := func(when, refused string) {
		t.Helper()
		if refused != "" {
			t.Fatalf("%s: %s", when, refused)
		}
	}
	ok("master", s.fetch("# a comment\n\n"+line+"\n"))
	s.want("opt/app/file", "two\n")
	s.want("etc/dib-source-repositories", "/opt/app\n")
	s.want("etc/dib-manifests/dib-manifest-git-web", "app git /opt/app "+s.git+" "+second+"\n")
	for reference, content := range map[string]string{"first": "one\n", topic: "topic\n", "refs/changes/7": "topic\n", "*": "two\n"} {
		s.again()
		ok(reference, s.fetch(line+" '"+reference+"'"))
		s.want("opt/app/file", content)
	}
	s.again()
	ok("a variable", s.fetch(line+" ${WHICH:-master}", "WHICH=first"))
	s.want("opt/app/file", "one\n")
	s.again()
	ok("the user's reference", s.fetch(line, "DIB_REPOREF_app=first"))
	s.want("opt/app/file", "one\n")
	s.again()
	ok("two that want the same", s.fetch(line+"\nother git /opt/app "+s.git))
	if refused := s.fetch("other git /opt/app " + s.git + " first"); !strings.Contains(refused, "/opt/app is taken") {
		t.Errorf("two that want different trees: %q", refused)
	}

	s.commit("three")
	s.again()
	ok("offline", s.fetch(line, "DIB_OFFLINE=1"))
	s.want("opt/app/file", "two\n")
	s.again()
	ok("the branch moved on", s.fetch(line))
	s.want("opt/app/file", "three\n")
	s.sh("git checkout -q --orphan rewritten && git branch -qM master")
	s.commit("rewritten")
	s.again()
	ok("history was rewritten", s.fetch(line))
	s.want("opt/app/file", "rewritten\n")

	s.again()
	if refused := s.fetch(line + " missing"); !strings.Contains(refused, "has no missing") {
		t.Errorf("a reference that is not there: %q", refused)
	}
	if refused := s.fetch("new git /opt/new "+s.git+"/none", "DIB_OFFLINE=1"); !strings.Contains(refused, "DIB_OFFLINE") {
		t.Errorf("offline and not in the cache: %q", refused)
	}
}

func TestFileAndTarSources(t *testing.T) {
	s := newSources(t)
	s.sh("mkdir -p ../tree/app-1.2/sub && echo x >../tree/app-1.2/sub/file && tar -C ../tree -czf ../app.tar.gz app-1.2 && echo content >../single")
	url := "file://" + filepath.Dir(s.git)
	lines := "app tar /opt/app " + url + "/app.tar.gz\nall tar /opt/all " + url + "/app.tar.gz .\nsub tar /opt/sub " + url + "/app.tar.gz app-1.2/sub\n" +
		"one file /opt/one " + url + "/single\n"
	if refused := s.fetch(lines); refused != "" {
		t.Fatal(refused)
	}
	for path, content := range map[string]string{"opt/app/sub/file": "x\n", "opt/all/app-1.2/sub/file": "x\n", "opt/sub/file": "x\n", "opt/one": "content\n"} {
		s.want(path, content)
	}
	s.again()
	if refused := s.fetch(lines, "NO_SOURCE_REPOSITORIES=1"); refused != "" {
		t.Fatal(refused)
	}
	if refused := s.fetch(lines, "DIB_DEFAULT_INSTALLTYPE=package", "DIB_INSTALLTYPE_one=source"); refused != "" {
		t.Fatal(refused)
	}
	s.want("etc/dib-source-repositories", "/opt/one\n")
	for lines, want := range map[string]string{
		"app tar /opt/app " + url + "/app.tar.gz none": "has no directory none",
		"app tar /opt/app " + url + "/none.tar.gz":     "none.tar.gz",
		"app svn /opt/app " + url:                      `of the type "svn"`,
		"app git /opt/app":                             "no location",
		"app":                                          "not of the form",
	} {
		if refused := s.fetch(lines); !strings.Contains(refused, want) {
			t.Errorf("%s: %q, want %q in it", lines, refused, want)
		}
	}
}
