package steps

import (
	"slices"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	env := map[string]string{"A": "one", "EMPTY": "", "P": "a b"}
	for _, test := range []struct {
		line, want string
		plain      bool
	}{
		{"x git /d https://e.org/r main", "x git /d https://e.org/r main", true},
		{"x $A ${A} ${NONE} $NONE/y", "x one one  /y", true},
		{"${A:-two} ${EMPTY:-two} ${NONE:-two} ${EMPTY-two} ${NONE-two}", "one two two  two", true},
		{`"$A" "${NONE:-x y}"`, "one x y", true},
		{"${NONE:-https://e.org/r}", "https://e.org/r", true},
		{"$(date)", "", false},
		{"`date`", "", false},
		{"${A%x}", "", false},
		{"${NONE:-$A}", "", false},
		{"a; b", "", false},
		{`a\b`, "", false},
		{"'$A'", "", false},
		{`"$A`, "", false},
		{"$1", "", false},
	} {
		if got, plain := expand(test.line, env); got != test.want || plain != test.plain {
			t.Errorf("expand(%q) = %q, %t, want %q, %t", test.line, got, plain, test.want, test.plain)
		}
	}
}

func TestGitUses(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef01234567"
	text := `# comment

app-one git /opt/one https://e.org/one.git
two git /opt/two https://me:secret@e.org/two ${TWO_REF:-stable}
three tar /opt/three https://e.org/three.tar.gz .
four git /opt/four https://e.org/four ` + id + `
five git /opt/five https://e.org/five *
six git /opt/six https://me:secret@e.org/six $(cat ref)
short git
`
	for _, test := range []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"as it is", nil, []string{"https://e.org/one.git master", "https://e.org/two stable", "https://e.org/five *", "? six git /opt/six https://e.org/six $(cat ref)"}},
		{
			"with overrides", map[string]string{
				"DIB_REPOLOCATION_app_one": "/srv/one", "DIB_REPOREF_app_one": "v1", "TWO_REF": "topic", "DIB_REPOTYPE_five": "tar", "DIB_INSTALLTYPE_two": "package",
				"DIB_REPOREF_three": "x",
			},
			[]string{"/srv/one v1", "? six git /opt/six https://e.org/six $(cat ref)"},
		},
		{"with another host", map[string]string{"DIB_GITREPOBASE": "http://mirror.example/"}, []string{"http://mirror.example/one.git master", "http://mirror.example/two stable", "http://mirror.example/five *", "? six git /opt/six https://e.org/six $(cat ref)"}},
		{"pinned by an override", map[string]string{"DIB_REPOREF_app_one": id}, []string{"https://e.org/two stable", "https://e.org/five *", "? six git /opt/six https://e.org/six $(cat ref)"}},
		{"not by default", map[string]string{"DIB_DEFAULT_INSTALLTYPE": "package", "DIB_INSTALLTYPE_two": "source"}, []string{"https://e.org/two stable", "? six git /opt/six https://e.org/six $(cat ref)"}},
		{"turned off", map[string]string{"NO_SOURCE_REPOSITORIES": "1"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, u := range gitUses(text, test.env) {
				kind, address, part, ok := ParseToken(u.name)
				if kind != "git" || !ok {
					t.Errorf("%q is no token of git", u.name)
				}
				got = append(got, address+" "+part)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("gitUses = %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestTokenNames(t *testing.T) {
	for name, want := range map[string]string{
		AptToken("http://e.org/debian", "bookworm/updates"): `apt "http://e.org/debian bookworm/updates"`,
		AptToken("http://me:se@cret@e.org:80/debian", "./"): `apt "http://e.org:80/debian ./"`,
		AptToken("http://token@e.org", "s"):                 `apt "http://e.org s"`,
		GitToken("git@e.org:a/b.git", "main"):               `git "git@e.org:a/b.git main"`,
		GitToken("https://e.org/a@b/c", "main"):             `git "https://e.org/a@b/c main"`,
	} {
		if name != want {
			t.Errorf("got %s, want %s", name, want)
		}
		if !IsToken(name) {
			t.Errorf("%s is no token", name)
		}
	}
	for _, name := range []string{"", "offline", "apt x", `apt "x"`, `file "a b"`, "file hooks/a b", `env A`, `apt "a b" c`} {
		if IsToken(name) {
			t.Errorf("%q is a token", name)
		}
	}
}

// Whatever a line holds, its token can be read back, and is on one line.
func FuzzGitUses(f *testing.F) {
	f.Add("a git /d https://e.org/r ${REF:-main}", "main")
	f.Add("a git /d $L", "x y\tz")
	f.Add("a git /d `x`\n", "")
	f.Fuzz(func(t *testing.T, text, value string) {
		for _, u := range gitUses(text, map[string]string{"REF": value, "L": value, "DIB_REPOREF_a": value}) {
			if !IsToken(u.name) || strings.ContainsAny(u.name, "\n\t") {
				t.Errorf("gitUses(%q) has %q", text, u.name)
			}
		}
	})
}
