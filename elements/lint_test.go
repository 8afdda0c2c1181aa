package elements

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lintFiles lints an element called web with these files, and returns what is
// found as "rule file:line". Files that start with "#!" are executable, unless
// their name begins with "-".
func lintFiles(t *testing.T, files map[string]string) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") || strings.HasPrefix(name, "+") {
			mode = 0o755
		}
		if plain, ok := strings.CutPrefix(name, "-"); ok {
			name, mode = plain, 0o644
		}
		path := filepath.Join(dir, "web", strings.TrimPrefix(name, "+"))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "vm"), 0o755); err != nil {
		t.Fatal(err)
	}
	library, err := OpenLibrary([]string{dir}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := Lint(library, []string{"web"}, false)
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for _, f := range findings {
		found = append(found, fmt.Sprintf("%s %s:%d", f.Rule, strings.TrimPrefix(f.File, filepath.Join(dir, "web")+"/"), f.Line))
	}
	return found
}

const lintHead = "#!/bin/bash\nset -eu\n"

// Each line by itself, in a hook of the image and in one of the host.
func TestLintLines(t *testing.T) {
	for _, test := range []struct{ line, image, host string }{
		{"curl -fsS https://example.com/x", "network", "network"},
		{"sudo -E wget $url", "network", "network"},
		{"git clone $repo && cd x", "network", "network"},
		{"python3 -m pip install x", "network", "network"},
		{"$venv/bin/pip install x", "network", "network"},
		{"if ! curl x; then true; fi", "network", "network"},
		{"x=$(curl x)", "network", "network"},
		{"apt-get update", "", "network"},
		{"sudo chroot $TARGET_ROOT apt-get update", "", ""},
		{"debootstrap stable x", "", "network"},
		{"git config --global a b", "", ""},
		{"echo 'curl x' # wget", "", ""},
		{"install-packages curl wget", "", ""},
		{"curl --version", "", ""},
		{"curl http://169.254.169.254/latest", "", ""},
		{"pip list", "", ""},
		{"which curl", "", ""},
		{"case $x in curl) true ;; esac", "", ""},
		{"cat > /x <<E\ncurl x\nE", "", ""},

		{"echo $RANDOM > x", "random", "random"},
		{"head -c 8 /dev/urandom > x", "random", "random"},
		{"tr a b < /dev/urandom", "random", "random"},
		{"uuidgen > x", "random", "random"},
		{"ssh-keygen -A", "random", "random"},
		{"ssh-keygen -lf x", "", ""},
		{"openssl rand 8", "random", "random"},
		{"openssl x509 -in x", "", ""},
		{"mktemp /opt/x.XXXX", "random", "random"},
		{"x=$(mktemp -p \"$TARGET_ROOT/opt\")", "random", "random"},
		{"x=$(mktemp -d)", "", ""},
		{"x=$(mktemp --tmpdir=$TMP_MOUNT_PATH/tmp -d)", "", ""},
		{"echo '$RANDOMIZE' $RANDOMIZE", "", ""},

		{"date > x", "date", "date"},
		{"x=$(date +%s)", "date", "date"},
		{"echo $EPOCHSECONDS > x", "date", "date"},
		{"echo \"built $(date)\" > x", "date", "date"},
		{"echo \"now $(date)\" | tee x", "date", "date"},
		{"echo \"begin $(date)\"", "", ""},
		{"echo \"begin $(date)\" >&2", "", ""},
		{"date -d @$SOURCE_DATE_EPOCH > x", "", ""},
		{"date -u --reference=x", "", ""},
		{"apt-cache update date", "", ""},

		{"cp /etc/hosts $TARGET_ROOT/etc/", "", "host-path"},
		{"cat ~/x", "", "host-path"},
		{"[ -f $HOME/.netrc ] && true", "", "host-path"},
		{"read x < /etc/machine-id", "", "host-path"},
		{"cp ~/.ssh/authorized_keys x", "", ""},
		{"cp /etc/resolv.conf x", "", ""},
		{"cat $TARGET_ROOT/etc/passwd", "", ""},
		{"echo /etc/x", "", ""},
		{"sudo chroot $TARGET_ROOT cat /etc/passwd", "", ""},
		{"sudo ${x} chroot $TARGET_ROOT cat /etc/passwd", "", ""},
		{"run_chroot cat /etc/passwd", "", ""},

		{"env > x", "all-variables", "all-variables"},
		{"echo ${!x}", "all-variables", "all-variables"},
	} {
		for dir, want := range map[string]string{"install.d": test.image, "root.d": test.host} {
			got := lintFiles(t, map[string]string{dir + "/10-x": lintHead + test.line + "\n"})
			var rules []string
			for _, f := range got {
				rules = append(rules, strings.TrimSuffix(f, fmt.Sprintf(" %s/10-x:3", dir)))
			}
			if strings.Join(rules, " ") != want {
				t.Errorf("%s: %q: %q, want %q on line 3", dir, test.line, got, want)
			}
		}
	}
}

// Each element as a whole.
func TestLintElements(t *testing.T) {
	good := lintHead + "a\nb\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"good":              {map[string]string{"install.d/10-a": good, "environment.d/10-a.bash": "export A=1\n", "README.md": "x\r\n", "element-deps": "vm\n"}, ""},
		"no errexit":        {map[string]string{"install.d/10-a": "#!/bin/sh\na\nb\n"}, "errexit install.d/10-a:0"},
		"errexit elsewhere": {map[string]string{"install.d/10-a": "#!/bin/sh -eu\na\nb\n", "install.d/20-a": "#!/bin/bash\nset -u\nset -o errexit\na\n", "install.d/30-a": "#!/bin/sh\na\n", "install.d/40-a": "#!/usr/bin/env python3\na\nb\n"}, ""},
		"trace is no -e":    {map[string]string{"install.d/10-a": "#!/bin/sh\nset -x\na --e\nset -- -e\n"}, "errexit install.d/10-a:0"},
		"no shebang":        {map[string]string{"+install.d/10-a": "true\n"}, "shebang install.d/10-a:0"},
		"program":           {map[string]string{"+install.d/10-a": "\x7fELF\x00"}, "all-variables install.d/10-a:0"},
		"not executable":    {map[string]string{"-install.d/10-a": good}, "executable install.d/10-a:0"},
		"list":              {map[string]string{"install.d/package-installs-web": "x\n", "install.d/README": "x\n"}, ""},
		"dot":               {map[string]string{"install.d/10-a.sh": good}, "hook-name install.d/10-a.sh:0"},
		"dot, installed":    {map[string]string{"install.d/a.sh": good, "install.d/10-a": lintHead + "cp $x/a.sh /bin\n"}, ""},
		"fragment name":     {map[string]string{"environment.d/10 a": "A=1\n"}, "hook-name environment.d/10 a:0"},
		"number":            {map[string]string{"install.d/a": good}, "hook-number install.d/a:0"},
		"line ends":         {map[string]string{"install.d/10-a": lintHead + "a\nb\r\nc\r\n"}, "line-ends install.d/10-a:4"},
		"phase":             {map[string]string{"instal.d/10-a": good, "finalize.d/10-a": good, "udev.d/x": "x", "install": "x", "modules.d/x": ""}, "phase finalize.d:0,phase instal.d:0"},
		"dependency":        {map[string]string{"element-deps": "vm\nvn\n"}, "dependency element-deps:2"},
		"provided":          {map[string]string{"element-deps": "me\n", "element-provides": "me\n"}, ""},
		"comment":           {map[string]string{"element-deps": "vm\n# more\n"}, "comment element-deps:2"},
		"packages":          {map[string]string{"package-installs.yaml": "a:\nb:\n  fase: x\nc: [{arch: a, not-arch: b}]\n"}, "package-installs package-installs.yaml:3,package-installs package-installs.yaml:4"},
		"no packages":       {map[string]string{"package-installs.yaml": "a: [\n"}, "package-installs package-installs.yaml:0"},
		"install type":      {map[string]string{"install.d/web-source-install/10-a": lintHead + "curl x\n"}, "network install.d/web-source-install/10-a:3"},
		"data":              {map[string]string{"install.d/data/10-a": "#!/bin/sh\ncurl x\nb\n", "bin/x": "#!/bin/sh\ncurl x\nb\n"}, ""},
		"fragment":          {map[string]string{"environment.d/10-a.bash": "export A=$(date)\nb\n"}, "date environment.d/10-a.bash:1"},
		"hidden":            {map[string]string{"install.d/.10-a": good}, ""},
	} {
		got := lintFiles(t, test.files)
		if strings.Join(got, ",") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestLintIgnores(t *testing.T) {
	for text, want := range map[string]string{
		lintHead + "curl x # dibgraph: ignore=network\ncurl x\n":                           "4",
		lintHead + "# It is pinned. dibgraph: ignore=network\ncurl x\n":                    "",
		lintHead + "  # dibgraph: ignore=date,network\ncurl x\n":                           "",
		lintHead + "# dibgraph: ignore=date\ncurl x\n":                                     "4",
		lintHead + "true # dibgraph: ignore=network\ncurl x\n":                             "4",
		"#!/bin/bash\n# dibgraph: ignore=network\nset -eu\ncurl x\ncurl y\n":               "",
		"#!/bin/bash\n# dibgraph: ignore=errexit\ncurl x\ncurl y\n":                        "3,4",
		"#!/bin/bash\n\n# dibgraph: ignore=network\nset -eu\ncurl x\n":                     "5",
		lintHead + "echo 'dibgraph: ignore=network'; curl x\n":                             "3",
		lintHead + "a \\\n  && curl x # dibgraph: ignore=network\n":                        "",
		"#!/bin/bash\n# dibgraph: ignore=network\n# dibgraph: ignore=errexit\ncurl x\na\n": "",
	} {
		var lines []string
		for _, f := range lintFiles(t, map[string]string{"install.d/10-x": text}) {
			lines = append(lines, f[strings.LastIndex(f, ":")+1:])
		}
		if strings.Join(lines, ",") != want {
			t.Errorf("%q: findings on lines %q, want %q", text, lines, want)
		}
	}
}

func TestLintRuleNames(t *testing.T) {
	var names []string
	for _, r := range LintRules {
		if r.Name == "" || r.About == "" || !ignoreComment.MatchString("# dibgraph: ignore="+r.Name) || slices.Contains(names, r.Name) {
			t.Errorf("rule %q has no name that can be ignored, or no text", r.Name)
		}
		names = append(names, r.Name)
	}
}
