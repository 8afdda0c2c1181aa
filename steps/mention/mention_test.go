package mention

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMentionsDump(t *testing.T) {
	for _, text := range []string{
		"env", "env\n", "  env\n", "env | sort", "env|sort", "env >file", "env 2>&1 | cat", "env; true", "x=$(env)", "x=`env`",
		"(env)", "{ env; }", "/usr/bin/env", "sudo env", "sudo -E env", "xargs env", "env -0", "env --null | x", "env -u HOME",
		"env A=1 B=2", "env A=1 | grep A", "true && env", "if env; then :; fi", "env # all of it", "env \\\n | sort", "exec env",
		"bash -c 'env'", `sh -c "env | sort"`, "chroot $TARGET env\n", "env </dev/null", `subprocess.check_output("env")`,
		"printenv", "printenv | sort", `printenv "$name"`, "printenv $name", "printenv -0",
		"set", "set | grep X", "(set)", "set;", "x=$(set)", "if true; then set; fi", "bash -c 'set'", "set > file",
		"export", "export -p", "export -p | sed s/x/y/", "declare", "declare -p", "declare -x", "declare -px", "declare -xp | cat",
		"typeset -p", "typeset -x", `declare -p "$name"`, "declare -p $name", "declare -p `name`",
		"declare -n ref=$1", "local -n ref=$1", "typeset -n x=y", "local -rn x=$1",
		"compgen -v", "compgen -e", "compgen -v DIB", "compgen -A variable", "compgen -A export", "for x in $(compgen -e); do :; done",
		"${!name}", `echo "${!name}"`, "${!name:-x}", "${!1}", "${!name@Q}", "${!name", "${!name[1]}", "${!#}",
		"os.environ", "dict(os.environ)", "os.environ.copy()", "for k in os.environ:", "os.environ.items()", "os.environ[name]",
		`os.environ["%s_X" % y]`, "os.environ.get(name)", "os.getenv(name)", "env=os.environ", "from os import environ as e",
		"x = environ", "name in os.environ",
		"cat /proc/self/environ", "tr '\\0' '\\n' < /proc/$$/environ", "/proc/1/environ",
		"awk 'BEGIN { for (k in ENVIRON) print k }'", "awk '{ print ENVIRON[$1] }'",
		"perl -e 'print %ENV'", "keys %ENV", "$ENV{$name}", "ruby -e 'ENV.each { }'", "ruby -e 'p ENV[x]'",
		"os.Environ()", "process.env", "Object.keys(process.env)", "process.env[name]",
		"jq -n env", "jq -n 'env'", "jq -n 'env | keys'", "jq -n '$ENV'", "jq '$ENV | keys'",
		"envsubst < in > out", "envsubst", "eval echo \\$$name", "eval \"x=\\${$name}\"", "eval \"x=\\$${name}_FOO\"",
		"[ -v \"$name\" ]", "[[ -v $name ]]", "test -v $name",
		"a\x00b", "\x7fELF\x02\x01", "\x1f\x8b\x08\x00",
	} {
		if !Of([]byte(text)).All {
			t.Errorf("Of(%q).All = false, want true", text)
		}
	}
}

func TestMentionsNoDump(t *testing.T) {
	for _, text := range []string{
		"", "#!/usr/bin/env bash\n", "#!/usr/bin/env python3\nimport os\n", "env bash", "env A=1 make", "env -i make", "env -u TMPDIR make install",
		"sudo env \"PATH=$PATH\" make", "/usr/bin/env python3 x.py", "# env\n", "  # prints the env\n", "# set\n", "virtualenv /opt/x",
		"mkdir /etc/env\n", "cp x.env y\n", "--env\n", "$env\n", "${env}", "echo $env)", "my-env\n", "my_env\n", "x=env\n",
		"source /etc/profile.d/env.sh", "environment.d", "environment\n",
		"set -eu", "set -o pipefail\n", "set +x", "set -- a b", "echo \"X is not set\"\n", "unset\n", "set -x\n",
		"export A=1", "export PATH", "declare -A x", "declare -A x=($(get_image_element_array))", "declare -f\n", "declare -F | awk x", "declare -p PATH",
		"declare -x A=1", "declare -a list", "typeset -i n=0", "local x=$1", "local -r x=$1", "export A B C\n",
		"compgen -c", "printenv HOME", "printenv HOME | cat", "printenv \"HOME\"",
		"${!name[@]}", "${!name[*]}", "${!DIB_*}", "${!DIB_@}", "$!", "${!}", "wait ${!}",
		`os.environ["HOME"]`, `os.environ['DIB_X']`, `os.environ.get("X")`, `os.environ.get('X', 'y')`, `os.environ.get("DIB_%s" % x)`,
		`os.environ['DIB_' + x]`, `os.environ[f"DIB_{x}"]`, `os.getenv("X")`, `os.getenv("X", "1")`, `if "X" in os.environ:`, `"X" not in os.environ`,
		"from os import environ\n", "from os import environ, path\nx = environ['A']\n", `os.environ.setdefault("A", "b")`, `os.environ.pop("A", None)`,
		"awk '{ print ENVIRON[\"HOME\"] }'", "$ENV{HOME}", "$ENV{'HOME'}", "ENV=prod\n", "echo $ENV\n", "process.env.HOME", `process.env["HOME"]`,
		"ruby -e 'p ENV[\"HOME\"]'", `ruby -e 'ENV.fetch("HOME")'`, "jq -n '$ENV.HOME'", "jq -n env.HOME",
		"eval \"x=\\$FOO\"", "eval \"$command\"", "eval $(ssh-agent)", "[ -v HOME ]", "[[ -v HOME ]]", "[ -n \"$x\" ]", "echo $$",
		"\x1b[31mred\x1b[0m", "caf\xe9 in latin-1", "tab\tand\r\n",
	} {
		if Of([]byte(text)).All {
			t.Errorf("Of(%q).All = true, want false", text)
		}
	}
}

func TestMentionsScripted(t *testing.T) {
	for _, text := range []string{
		"#!/usr/bin/python3\nx = set\n", "#!/usr/bin/env python3\nf(env=env)\nrun(cmd, env)\n", "#!/usr/bin/perl\nexport\n", "#!/usr/bin/ruby\nset\n",
	} {
		if Of([]byte(text)).All {
			t.Errorf("Of(%q).All = true, want false", text)
		}
	}
}

func TestMentionsNames(t *testing.T) {
	for _, test := range []struct{ text, matches, not string }{
		{"echo $HOME", "HOME echo", "HOM HOME2 OME"},
		{"echo ${DIB_RELEASE:-stable} # DISTRO_NAME", "DIB_RELEASE stable DISTRO_NAME", "DIB_RELEASE2 DIB"},
		{"x=DIB_REPOREF_$name", "DIB_REPOREF_foo DIB_REPOREF_", "DIB_REPOTYPE_foo"},
		{"x=DIB_REPOREF_${name}_x", "DIB_REPOREF_foo", "DIB_REPO"},
		{"# all DIB_* variables", "DIB_X DIB_", "DI IMAGE_NAME"},
		{"${!DIB*}", "DIB DIB_X DIBGRAPH", "DI"},
		{"${!IMAGE_@}", "IMAGE_NAME", "IMAGE"},
		{`"DIB_INSTALLTYPE_"$x`, "DIB_INSTALLTYPE_a", "DIB_INSTALL"},
		{`os.environ["DIB_INSTALLTYPE_%s" % x]`, "DIB_INSTALLTYPE_a", "DIB"},
		{`eval "v=\$DISK$n"`, "DISK1 DISK", "DIS"},
		{`eval "v=\${DISK${n}}"`, "DISK1", "DIS"},
		{"a1b2 3c4", "a1b2 c4", "a b2 4 3c4"},
		{"die get_image_element_array", "BASH_FUNC_die%% BASH_FUNC_get_image_element_array%%", "BASH_FUNC_other%% BASH_FUNC_die"},
		{"a=b", "a b", "A B"},
		{"while read -r _ point _; do", "_ point", "_A __file__"},
		{"for _, (_, x) in y:", "_ x", "_A"},
		{"x=${x//-/_}; sed s/-/_/g; tr - _\n", "_ x", "_A"},
		{"_", "_", "_A"},
		{"_ __ _$x", "_A __A", "A"},
		{"echo __", "__", "__A _A"},
		{"x=_$y", "_A", "A"},
		{"x=_${y}", "_A", "A"},
		{`"_" + x`, "_A", "A"},
		{`f"_{x}"`, "_A", "A"},
		{"rm _*", "_A", "A"},
		{"grep ^_ names", "_A", "A"},
		{"for _ in 1; do x=_$y; done", "_A", "A"},
	} {
		w := Of([]byte(test.text))
		for _, name := range strings.Fields(test.matches) {
			if !w.Match(name) {
				t.Errorf("Of(%q).Match(%q) = false, want true", test.text, name)
			}
		}
		for _, name := range strings.Fields(test.not) {
			if w.Match(name) {
				t.Errorf("Of(%q).Match(%q) = true, want false", test.text, name)
			}
		}
	}
}

func TestOwnPath(t *testing.T) {
	for text, want := range map[string]bool{
		`here=${0%/*}`: true, `. "$0.conf"`: true, `echo ${BASH_SOURCE[0]}`: true, `echo $1 "${10}" 0`: false,
	} {
		if got := Of([]byte(text)).Match(OwnPath); got != want {
			t.Errorf("Of(%q) mentions its own path: %t, want %t", text, got, want)
		}
	}
}

func TestOccurrences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.StringMatching(`([ab_0 \n-]|ab|#|\\\n){0,20}`).Draw(t, "text"))
		word := rapid.StringMatching(`[ab_][ab_0]{0,2}`).Draw(t, "word")
		code := codeOf(text, Of(text).Names)
		var want, got [][2]int
		for start, end := range wordsOf(code.text) {
			if string(code.text[start:end]) == word {
				want = append(want, [2]int{start, end})
			}
		}
		for start, end := range code.occurrences(word) {
			got = append(got, [2]int{start, end})
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q is found in %q at %v, not at %v", word, code.text, got, want)
		}
	})
}
