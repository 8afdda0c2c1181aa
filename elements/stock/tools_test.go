package stock_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a file, executable when it is a script, and returns its name.
func write(t *testing.T, content string, elem ...string) string {
	t.Helper()
	name := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	mode := os.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

// run runs a script of the library with the directory bin first in PATH and
// returns its output and exit status.
func run(t *testing.T, bin string, env []string, script string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	abs, err := filepath.Abs(filepath.FromSlash(script))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), abs, args...)
	cmd.Env = append([]string{"PATH=" + bin + ":" + os.Getenv("PATH"), "LC_ALL=C"}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestInstallTypes(t *testing.T) {
	hooks := t.TempDir()
	for _, name := range []string{"app-source-install/10-a", "app-package-install/10-b", "lib-x-source-install/20-c", "lib-x-package-install/20-d"} {
		write(t, "#!/bin/sh\n", hooks, "install.d", name)
	}
	env := []string{"TMP_HOOKS_PATH=" + hooks, "DIB_INSTALLTYPE_lib_x=package", "DIB_DEFAULT_INSTALLTYPE=source"}
	if _, stderr, status := run(t, "", env, "install-types/extra-data.d/99-enable-install-types"); status != 0 {
		t.Fatal(stderr)
	}
	got := map[string]string{}
	links, err := filepath.Glob(filepath.Join(hooks, "install.d", "[0-9]*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if got[filepath.Base(link)], err = os.Readlink(link); err != nil {
			t.Error(err)
		}
	}
	if want := map[string]string{"10-a": "app-source-install/10-a", "20-d": "lib-x-package-install/20-d"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("links %v, want %v", got, want)
	}
}
