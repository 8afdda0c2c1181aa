package trust

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ssh-keygen signs, and says what is signed.
func TestSSHKeygen(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Fatalf("needs openssh-client: %v", err)
	}
	dir := t.TempDir()
	key, allowed := filepath.Join(dir, "key"), filepath.Join(dir, "allowed")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(allowed, append([]byte("ci "), public...), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := CommandSigner("ssh", Command{Args: []string{"ssh-keygen", "-q", "-Y", "sign", "-n", "dibgraph", "-f", key}})
	if err != nil {
		t.Fatal(err)
	}
	trusted := commandKey(t, "ssh", "ssh-keygen", "-q", "-Y", "verify", "-n", "dibgraph", "-I", "ci", "-f", allowed, "-s", signatureArgument)
	payload := []byte("payload")
	s := statement(payload)
	note := seal(t, s, signer)
	p := newPolicy(t, Rule{Keys: []Key{trusted}})
	opened, err := p.Open(t.Context(), Pack(note, payload), wanted(s))
	if err != nil || !opened.Origin.Signed || opened.Origin.Key != signer.Key() {
		t.Fatalf("got %+v, %v", opened, err)
	}
	altered := strings.Replace(string(note), "image: web", "image: wep", 1)
	refused(t, p, Pack([]byte(altered), payload), wanted(s), BadSignature)
	nobody := newPolicy(t, Rule{Keys: []Key{commandKey(t, "other", "true")}})
	refused(t, nobody, Pack(note, payload), wanted(s), UnknownKey)
	missing := newPolicy(t, Rule{Keys: []Key{commandKey(t, "ssh", "/nonexistent/verify")}})
	refused(t, missing, Pack(note, payload), wanted(s), Unverified)
	revoked := newPolicy(t, Rule{Keys: []Key{trusted}, Revoked: []string{signer.Key()}})
	refused(t, revoked, Pack(note, payload), wanted(s), RevokedKey)
}

func commandKey(t *testing.T, name string, args ...string) Key {
	t.Helper()
	key, err := CommandKey(name, Command{Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func refused(t *testing.T, p *Policy, object []byte, want Want, why Why) {
	t.Helper()
	opened, err := p.Open(t.Context(), object, want)
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Why != why {
		t.Errorf("opened as %+v, %v; want it refused as %s", opened, err, why)
	}
}

// A command that writes lines signs for keys that need no command to verify.
func TestCommandWritesLines(t *testing.T) {
	m := newMaker(t, "ci")
	payload := []byte("payload")
	s := statement(payload)
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, signatures(seal(t, s, m.signer)), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := CommandSigner("service", Command{Args: []string{"cat", file}})
	if err != nil {
		t.Fatal(err)
	}
	p := newPolicy(t, Rule{Keys: []Key{m.key()}})
	if _, err := p.Open(t.Context(), Pack(seal(t, s, signer), payload), wanted(s)); err != nil {
		t.Error(err)
	}
}

func TestCommandSignerFails(t *testing.T) {
	for name, args := range map[string][]string{
		"status 1":  {"false"},
		"nothing":   {"true"},
		"bad lines": {"echo", "— ci !"},
		"missing":   {"/nonexistent/sign"},
	} {
		signer, err := CommandSigner("ci", Command{Args: args})
		if err != nil {
			t.Fatal(err)
		}
		if note, err := Seal(t.Context(), statement(nil), signer); err == nil {
			t.Errorf("%s: sealed as %q", name, note)
		}
	}
	if _, err := CommandSigner("ci", Command{}); err == nil {
		t.Error("an empty command is a signer")
	}
}
