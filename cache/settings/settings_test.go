package settings

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/cache/trust"
	"github.com/dibgraph/dibgraph/internal/problem"
)

// newKey returns a pair of keys.
func newKey(t *testing.T, name string) (secret, public string) {
	t.Helper()
	secret, public, err := trust.GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return secret, public
}

func TestReadFile(t *testing.T) {
	_, public := newKey(t, "ci")
	l, err := ReadFile("config.yaml", []byte(`cache:
  from:
    - oci://registry.example.org/images/cache
    - {url: https://mirror.example.org, scope: release-1, require_signature: false, ca_file: /etc/ca.pem}
  to: []
  scope: pr/7
  read_scopes: [pr/7, main]
  salt: ""
  sign_command: [ssh-keygen, -Y, sign]
  sign_name: ssh
  trust:
    - `+public+`@main,pr/*
    - {key: "`+public+`", scopes: [release-*]}
    - {name: ssh, verify_command: [ssh-keygen, -Y, verify]}
  revoked: [old+1a2b3c4d]
  max_size: 50G
  min_free: 10%
`))
	if err != nil {
		t.Fatal(err)
	}
	no := false
	want := Settings{
		From: []Place{{URL: "oci://registry.example.org/images/cache"}, {"https://mirror.example.org", "release-1", &no, "/etc/ca.pem"}},
		To:   nil, Scope: "pr/7", ReadScopes: []string{"pr/7", "main"},
		Sign: Signing{Name: "ssh", Command: []string{"ssh-keygen", "-Y", "sign"}},
		Trust: []Trusted{
			{Key: public, Scopes: []string{"main", "pr/*"}}, {Key: public, Scopes: []string{"release-*"}},
			{Name: "ssh", VerifyCommand: []string{"ssh-keygen", "-Y", "verify"}},
		},
		Revoked: []string{"old+1a2b3c4d"}, MaxSize: 50 << 30, MinFree: Amount{Percent: 10},
		Given: map[string]string{},
	}
	for i, name := range []string{"from:2", "to:5", "scope:6", "read_scopes:7", "salt:8", "sign:9", "trust:11", "revoked:15", "max_size:16", "min_free:17"} {
		name, line, _ := strings.Cut(name, ":")
		if Names[i] != name {
			t.Errorf("the setting after %d others is %s, want %s", i, Names[i], name)
		}
		want.Given[name] = "config.yaml:" + line
	}
	if !reflect.DeepEqual(l.Settings, want) {
		t.Errorf("got  %+v\nwant %+v", l.Settings, want)
	}
	merged := Merge(l)
	rule, err := merged.Rule(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rule.Scopes); got != "[pr/7 main release-1]" {
		t.Errorf("scopes %s are read", got)
	}
	if _, err := trust.NewPolicy(rule); err != nil {
		t.Error(err)
	}
}

func TestReadFileProblems(t *testing.T) {
	secret, public := newKey(t, "ci")
	for _, test := range []struct{ text, want string }{
		{"cach: {}", `config.yaml:1: unknown key "cach" of a configuration file; want cache, did you mean "cache"?`},
		{"cache: {\n form: []}", `config.yaml:2: unknown key "form" of cache; want from, to, scope, read_scopes, salt, sign_key_file, sign_command, sign_name, trust, revoked, max_size or min_free, did you mean "from"?`},
		{"cache:\n  from: oci://x", `config.yaml:2: cache from must be a list, and is "oci://x", `},
		{"cache: {from: [{url: x, ur: y}]}", `config.yaml:1: unknown key "ur" of cache from; want url, scope, require_signature or ca_file, did you mean "url"?`},
		{"cache: {from: [{scope: main}]}", `config.yaml:1: cache from: a remote without a url, `},
		{"cache: {from: [{url: x, require_signature: maybe}]}", `config.yaml:1: cache from require_signature must be true or false, and is "maybe", `},
		{"cache: {from: [{url: x, ca_file: ca.pem}]}", `config.yaml:1: cache from ca_file: "ca.pem" is no absolute path, `},
		{"cache: {scope: pr/*}", `"pr/*" is no scope`},
		{"cache: {read_scopes: [main, '']}", `config.yaml:1: cache read_scopes must be a text, and is empty, `},
		{"cache: {read_scopes: []}", `config.yaml:1: cache read_scopes: it is empty; leave it out to read main and the scope that is written, `},
		{"cache: {salt: 1}", `config.yaml:1: cache salt must be a text, and 1 is something else to YAML, put it in quotes`},
		{"cache: {sign_key_file: key}", `config.yaml:1: cache sign_key_file: "key" is no absolute path, `},
		{"cache:\n  sign_key_file: /k\n  sign_command: [x]\n  sign_name: x", `config.yaml:3: cache sign_command: how to sign was said before, at config.yaml:2; want one of sign_key_file and sign_command, `},
		{"cache:\n  sign_command: [x]", `config.yaml:2: cache sign_command needs a sign_name: what the key is called that it signs with, readers have the same name in trust, with a verify_command`},
		{"cache: {sign_name: x}", `config.yaml:1: cache sign_name is for a sign_command, and there is none, `},
		{"cache: {sign_command: []}", `config.yaml:1: cache sign_command is empty; want a program and its arguments, `},
		{"cache: {trust: [ci]}", `config.yaml:1: cache trust: "ci" is no public key`},
		{"cache: {trust: [{key: ci}]}", `config.yaml:1: cache trust: "ci" is no public key`},
		{"cache: {trust: [" + secret + "]}", `this is a secret key`},
		{"cache: {trust: [{name: ci}]}", `config.yaml:1: cache trust: want either a key, or a name and a verify_command, `},
		{"cache: {trust: [{key: '" + public + "', verify_command: [x]}]}", `want either a key, or a name and a verify_command`},
		{"cache: {trust: [{key: '" + public + "', scopes: []}]}", `config.yaml:1: cache trust scopes is empty, leave scopes out for a key that is trusted for all`},
		{"cache: {trust: [{key: '" + public + "', scopes: ['[']}]}", `"[" is no pattern of scopes`},
		{"cache: {revoked: [ci]}", `config.yaml:1: cache revoked: "ci" is neither a public key nor the NAME+HASH of one, `},
		{"cache: {max_size: 50 GB}", `config.yaml:1: cache max_size: "50 GB" is no size; want a number with K, M, G or T, as in 50G, `},
		{"cache: {min_free: 100%}", `config.yaml:1: cache min_free: "100%" is no size; want a number with K, M, G or T, as in 50G, or with % for a part of the filesystem, `},
		{"cache: {max_size: 9999999T}", `config.yaml:1: cache max_size: "9999999T" is larger than any disk, `},
		{"cache: [", `is not YAML`},
	} {
		_, err := ReadFile("config.yaml", []byte(test.text))
		problems := problem.All(err)
		if len(problems) != 1 {
			t.Errorf("%s: got %v, want one problem", test.text, err)
			continue
		}
		if got := problems[0].Error() + ", " + problems[0].Hint; !strings.Contains(got, test.want) || strings.Contains(got, secret) {
			t.Errorf("%s\ngot  %s\nwant %s", test.text, got, test.want)
		}
	}
	if l, err := ReadFile("config.yaml", []byte("# nothing\n")); err != nil || len(l.Given) > 0 {
		t.Errorf("an empty file: %+v, %v", l, err)
	}
}

func word(text string) *string { return &text }

var names = Words{word("FROM"), word("TO"), word("SCOPE"), word("READ"), word("SALT"), word("KEY"), word("FILE"), word("TRUST")}

func TestMerge(t *testing.T) {
	secret, public := newKey(t, "ci")
	flags, err := Words{From: word(""), SignKey: &secret}.Layer(names)
	if err != nil {
		t.Fatal(err)
	}
	environment, err := Words{From: word("oci://a oci://b"), To: word("s3://c"), Scope: word("pr/7"), Trust: word(public + " " + public + "@pr/*")}.Layer(names)
	if err != nil {
		t.Fatal(err)
	}
	file, err := ReadFile("user", []byte("cache: {to: ['s3://d'], sign_key_file: /key, revoked: [a+00000001], max_size: 1K}"))
	if err != nil {
		t.Fatal(err)
	}
	system, err := ReadFile("system", []byte("cache: {scope: main, revoked: [b+00000002], max_size: 2K, trust: []}"))
	if err != nil {
		t.Fatal(err)
	}
	got := Merge(flags, environment, file, system)
	want := Settings{
		To: []Place{{URL: "s3://c"}}, Scope: "pr/7", ReadScopes: []string{"pr/7", "main"}, Sign: Signing{Key: secret},
		Trust: []Trusted{{Key: public}, {Key: public, Scopes: []string{"pr/*"}}}, Revoked: []string{"a+00000001", "b+00000002"}, MaxSize: 1 << 10,
		Given: map[string]string{"from": "FROM", "to": "TO", "scope": "SCOPE", "sign": "KEY", "trust": "TRUST", "revoked": "user:1, system:1", "max_size": "user:1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := Merge(); !reflect.DeepEqual(got, Settings{Scope: "main", ReadScopes: []string{"main"}, Given: map[string]string{}}) {
		t.Errorf("nothing given: %+v", got)
	}
}

func TestWordsProblems(t *testing.T) {
	secret, _ := newKey(t, "ci")
	for _, test := range []struct {
		words Words
		want  string
	}{
		{Words{Scope: word("a b")}, `SCOPE: "a b" is no scope`},
		{Words{ReadScopes: word(" ")}, `READ: it is empty`},
		{Words{SignKey: word(secret[:len(secret)-4])}, `KEY: it is no key to sign with`},
		{Words{SignKey: &secret, SignKeyFile: word("/k")}, `both FILE and KEY are given: want one of them`},
		{Words{Trust: &secret}, `TRUST: this is a secret key`},
	} {
		_, err := test.words.Layer(names)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret[20:40]) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

// Nothing that prints settings shows what is secret in them.
func TestSecretsAreNotPrinted(t *testing.T) {
	secret, _ := newKey(t, "ci")
	s := Settings{From: []Place{{URL: "https://me:hidden@example.org/a?token=hidden"}}, Sign: Signing{Key: secret}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, s.Sign); strings.Contains(got, secret) {
			t.Errorf("%s prints %s", format, got)
		}
		if got := fmt.Sprintf(format, s); strings.Contains(got, secret) {
			t.Errorf("%s prints %s", format, got)
		}
	}
	for address, want := range map[string]string{
		"https://me:hidden@example.org/a?token=hidden": "https://example.org/a?…",
		"https://me:hid%zzden@example.org":             "https:…",
		"dir:/srv/cache":                               "dir:/srv/cache",
		"oci://registry.example.org/a/b":               "oci://registry.example.org/a/b",
		"/srv/cache":                                   "/srv/cache",
	} {
		if got := (Place{URL: address}).String(); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]Amount{"10%": {Percent: 10}, "0": {}, "5G": {Bytes: 5 << 30}, "1024": {Bytes: 1024}, "2TiB": {Bytes: 2 << 40}} {
		got, err := ParseAmount(text)
		if err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
		if again, err := ParseAmount(got.String()); err != nil || again != want {
			t.Errorf("%s, printed as %s, is %v, %v", text, got, again, err)
		}
	}
}
