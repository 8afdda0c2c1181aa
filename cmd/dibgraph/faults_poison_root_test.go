package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/dibgraph/dibgraph/cache/remote/faulty"
	"github.com/dibgraph/dibgraph/cache/remote/open"
	"github.com/dibgraph/dibgraph/cache/trust"
	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testserver"
)

// A poison is what somebody does who can write to a remote, or answers in its
// place.
type poison struct {
	name string
	// why is an expression for the reason of the refusal.
	why string
	// pack gives what is in place of a pack, content of a content; nil leaves
	// them alone.
	pack, content func(genuine []byte) []byte
	// manifest gives what is in place of a manifest of a registry.
	manifest func(genuine []byte) []byte
	// trusts are the scopes in which the key is trusted, empty for all.
	trusts string
	// revoked says that the key was revoked since.
	revoked bool
}

func same(genuine []byte) []byte { return genuine }

// flipped changes one bit, at a share of the length.
func flipped(data []byte, part, of int) []byte {
	data = bytes.Clone(data)
	data[(len(data)-1)*part/of] ^= 1
	return data
}

// unsignedPack takes the signatures out of a pack.
func unsignedPack(t *testing.T, pack []byte) []byte {
	t.Helper()
	note, payload, err := trust.Unpack(pack)
	if err != nil {
		t.Fatal(err)
	}
	return trust.Pack(note[:bytes.LastIndex(note, []byte("\n\n"))+2], payload)
}

// poisons are all of them. The replayed packs are signed: by a stranger, for
// another scope, for another image.
func poisons(t *testing.T, strangers, others, another []byte) []poison {
	instead := func(data []byte) func([]byte) []byte { return func([]byte) []byte { return data } }
	return []poison{
		{name: "altered pack", why: "altered or damaged", pack: func(b []byte) []byte { return flipped(b, 1, 1) }},
		{name: "altered note", why: "its signature is not one of", pack: func(b []byte) []byte {
			return bytes.Replace(b, []byte("\nimage: image\n"), []byte("\nimage: imagf\n"), 1)
		}},
		{name: "cut off pack", why: "which says", pack: func(b []byte) []byte { return b[:len(b)-10] }},
		{name: "signature taken away", why: "it is not signed", pack: func(b []byte) []byte { return unsignedPack(t, b) }},
		{name: "unknown key", why: "which is not trusted here", pack: instead(strangers)},
		{name: "pack of another scope", why: "it was made in scope pr/7", pack: instead(others)},
		{name: "pack of another image", why: "it was made to be", pack: instead(another)},
		{name: "garbage", why: "it is no pack", pack: instead([]byte("\x00garbage\n{"))},
		{name: "huge pack", why: "too large|has more than", pack: instead(make([]byte, 70<<20))},
		{name: "revoked key", why: "which was revoked", pack: same, revoked: true},
		{name: "key of another scope", why: "which is not trusted for scope main", pack: same, trusts: "@pr/*"},
		{name: "altered manifest", why: "dibgraph did not store", manifest: func(b []byte) []byte { return b[:len(b)/2] }},
		{name: "altered bytes behind a manifest", why: "other bytes than those", manifest: func(b []byte) []byte {
			return forgedManifest(t, b, func(b []byte) []byte { return flipped(b, 1, 2) }, false)
		}},
		{name: "altered content", why: "its SHA-256 is|damaged", content: func(b []byte) []byte { return flipped(b, 1, 2) }},
		{name: "other content", why: "its SHA-256 is|damaged", content: func(b []byte) []byte { return make([]byte, len(b)) }},
		{name: "cut off content", why: "cut off after|bytes, not", content: func(b []byte) []byte { return b[:len(b)/2] }},
	}
}

// forgedManifest puts another object into a manifest, with its digest if that is
// forged, too.
func forgedManifest(t *testing.T, text []byte, change func([]byte) []byte, digests bool) []byte {
	t.Helper()
	var manifest map[string]any
	var config struct {
		Config struct{ Data []byte }
	}
	if json.Unmarshal(text, &manifest) != nil || json.Unmarshal(text, &config) != nil || config.Config.Data == nil {
		t.Errorf("there is no object in the manifest %.200s", text)
		return text
	}
	data := change(config.Config.Data)
	fields := manifest["config"].(map[string]any)
	fields["data"] = data
	if digests {
		fields["digest"], fields["size"] = digest.FromBytes(data), len(data)
	}
	forged, err := json.Marshal(manifest)
	if err != nil {
		t.Error(err)
	}
	return forged
}

// What somebody forges who may write to a remote, or pretends to be one, is
// refused with its reason, through the whole program: nothing of it is used, and
// the image is that of a clean build.
func TestFaultsPoison(t *testing.T) {
	for _, server := range faultyServers {
		t.Run(server.kind, func(t *testing.T) {
			k := newPoisoner(t, server.kind)
			k.proxy, k.place = server.start(t)
			k.fill()
			k.tryAll(func(p poison) { k.proxy.Lie(k.liar(p)) }, func() bool { return k.proxy.End() > 0 })
		})
	}
	t.Run("dir", func(t *testing.T) {
		k := newPoisoner(t, "dir")
		shared := t.TempDir()
		k.place = func(name string) string { return "dir:" + filepath.Join(shared, name) }
		k.fill()
		full, genuine := filepath.Join(shared, "full"), filepath.Join(shared, "genuine")
		k.tool("cp", "-a", full, genuine)
		changed := 0
		k.tryAll(func(p poison) {
			k.tool("rm", "-rf", full)
			k.tool("cp", "-a", genuine, full)
			changed = k.change(full+"/ac/*", p.pack) + k.change(full+"/cas/*/*", p.content)
		}, func() bool { return changed > 0 })
	})
}

// A poisoner is a doubter whose machine trusts one key, and needs signatures.
type poisoner struct {
	*doubter
	kind  string
	nodes int // of the image
}

func newPoisoner(t *testing.T, kind string) *poisoner {
	t.Helper()
	return &poisoner{newDoubter(t, faultcount.New(t, "poison")), kind, 0}
}

// tryAll tries each poison after begin has put it into its place; done reports
// whether anybody was given it.
func (k *poisoner) tryAll(begin func(poison), done func() bool) {
	k.t.Helper()
	k.tool("rm", "-rf", "store", "image.tar")
	said, err := k.output(k.build()...)
	if err != nil {
		k.t.Fatalf("%v\n%s", err, said)
	}
	k.nodes = ranNodes(k.t, said)
	for i, p := range k.poisons() {
		if !faultcount.Full() && (i+len(k.kind))%12 != 0 || p.manifest != nil && k.kind != "oci" {
			continue
		}
		begin(p)
		k.try(p)
		if !done() && p.trusts == "" && !p.revoked {
			k.t.Errorf("%s: nobody was given it", k.what)
		}
	}
}

// poisons makes the packs that are replayed.
func (k *poisoner) poisons() []poison {
	k.t.Helper()
	stranger := k.path("home/eve.key")
	k.run("cache", "keygen", "eve", "--out", stranger)
	k.turn(1)
	k.run(k.build("--cache-to", k.place("eve"), "--cache-sign-key", stranger)...)
	k.run(k.build(append(k.to(k.place("others")), "--cache-scope", "pr/7")...)...)
	k.run(append([]string{"build", "-n", "-t", "tar", "-o", "home/another", "tiny", "app"}, k.to(k.place("another"))...)...)
	return poisons(k.t, k.load("eve", "main", "image"), k.load("others", "pr/7", "image"), k.load("another", "main", "another"))
}

// load gets the pack of an image.
func (k *poisoner) load(place, scope, image string) []byte {
	k.t.Helper()
	env := map[string]string{"AWS_ACCESS_KEY_ID": testserver.S3ID, "AWS_SECRET_ACCESS_KEY": testserver.S3Secret}
	r, err := open.Remote(k.place(place), open.Options{Environment: func(name string) string { return env[name] }})
	if err != nil {
		k.t.Fatal(err)
	}
	data, err := r.Load(k.t.Context(), trust.ObjectName("image", scope, trust.NewSalt(""), image+" "+runtime.GOARCH), 1<<20)
	if err != nil {
		k.t.Fatal(err)
	}
	return data
}

// try builds on a machine that has nothing.
func (k *poisoner) try(p poison) {
	k.t.Helper()
	k.suite.Case()
	k.what = k.kind + ": " + p.name
	config := fmt.Sprintf("cache:\n  from:\n    - {url: '%s', require_signature: true}\n  trust: ['%s%s']\n", k.place("full"), k.public, p.trusts)
	if p.revoked {
		config += fmt.Sprintf("  revoked: ['%s']\n", k.public)
	}
	k.write("home/.config/dibgraph/config.yaml", config)
	k.tool("rm", "-rf", "store")
	ran, said := k.builds(k.program, 0)
	why, err := k.output("explain", "--all")
	if err != nil || !regexp.MustCompile(p.why).MatchString(said+why) {
		k.suite.Wrong(k.t, "%s: %q is not said (%v):\n%s\n%s", k.what, p.why, err, said, why)
	}
	// Records with content that is forged are believed until it is needed.
	if want := k.nodes; p.content == nil && ran != want || ran == 0 {
		k.suite.Wrong(k.t, "%s: %d of %d nodes ran: something was believed\n%s", k.what, ran, want, said)
	}
}

// liar gives forged answers.
func (k *poisoner) liar(p poison) func(*http.Request, []byte) []byte {
	return func(r *http.Request, body []byte) []byte {
		contents := faulty.KindOf(r.URL.Path) == faulty.Contents
		switch {
		case !strings.Contains(r.URL.Path, "/full/"), bytes.HasPrefix(body, []byte(`{"errors"`)), bytes.HasPrefix(body, []byte("<")): // there is nothing
			return nil
		case contents && p.content != nil:
			return p.content(body)
		case contents:
			return nil
		case p.manifest != nil:
			return p.manifest(body)
		case p.pack != nil && k.kind == "oci":
			return forgedManifest(k.t, body, p.pack, true)
		case p.pack != nil:
			return p.pack(body)
		}
		return nil
	}
}

// change replaces files, and returns how many are others then.
func (k *poisoner) change(pattern string, change func([]byte) []byte) (changed int) {
	k.t.Helper()
	if change == nil {
		return 0
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, file := range files {
		genuine, err := os.ReadFile(file)
		if err != nil {
			k.t.Fatal(err)
		}
		forged := change(genuine)
		if sha256.Sum256(forged) != sha256.Sum256(genuine) {
			changed++
		}
		if err := os.WriteFile(file, forged, 0o644); err != nil {
			k.t.Fatal(err)
		}
	}
	return changed
}
