package main

import (
	"strings"
	"testing"
)

// An image that export sent to a registry is the base of another one, until its
// tag moves.
func TestSourceImage(t *testing.T) {
	r := newRegistry(t)
	base, want := newExported(t)
	push := func(args ...string) string {
		out, _ := base.run(append([]string{"export", "--push", r.image("team/base:1")}, args...)...)
		_, digest, _ := strings.Cut(strings.TrimSpace(out), "@")
		return digest
	}
	first := push()

	p := another(base)
	declare := func(image string) {
		p.write("elements/app/dibgraph.yaml", "sources:\n- name: base\n  url: "+r.image(image)+"\n")
	}
	declare("team/base:1")
	p.write("elements/app/root.d/50-base", "#!/bin/sh\nset -e\nmkdir $TARGET_ROOT/base\ntar -C $TARGET_ROOT/base --numeric-owner --xattrs --xattrs-include='*' -xpf $DIB_SOURCES/base\n")
	wants(t, p.buildApp(), "ran   source:base")
	p.run("export", "root.d/50-base", "--format", "dir", "-o", "got")
	compareTrees(t, describeTree(t, p.path("got/base")), want)

	r.forget()
	wants(t, p.buildApp(), "image: nothing ran")
	if head, get := r.asked("HEAD", "/manifests/1"), r.asked("GET", "/v2/team"); head != 1 || get != 0 {
		t.Errorf("a build of nothing asked %d times for the tag and fetched %d parts", head, get)
	}
	wants(t, p.buildApp("--offline"), "note: source \"base\": offline, so "+r.image("team/base:1")+" is not asked")

	// The tag moves.
	base.write("elements/app/post-root.d/80-more", "#!/bin/bash\necho more > $TMP_MOUNT_PATH/opt/more\n")
	base.buildApp()
	push("--squash", "--compress", "zstd")
	wants(t, p.buildApp(), "run   source:base: "+r.image("team/base:1")+" is another image now", "run   root.d/50-base: content of source:base changed")
	wants(t, p.tool("tar", "-xOf", "image.tar", "./base/opt/more"), "more")

	// A digest does not move, and is not asked for.
	declare("team/base@" + first)
	p.buildApp()
	if text := p.tool("tar", "-tf", "image.tar"); strings.Contains(text, "./base/opt/more") {
		t.Error("the image of the digest has what the tag has")
	}
	r.forget()
	wants(t, p.buildApp(), "image: nothing ran")
	if n := r.asked("", ""); n != 0 {
		t.Errorf("for an address with a digest there were %d requests", n)
	}

	declare("team/none:1")
	wants(t, p.fails(1, "build", "-n", "-t", "tar", "tiny", "app"), "elements/app/dibgraph.yaml:2: "+r.image("team/none:1")+": the registry has no such image")
	p.write("elements/app/dibgraph.yaml", "sources:\n- {name: base, url: \""+r.image("team/base:1")+"\", checksum: \"sha256:"+strings.Repeat("0", 64)+"\"}\n")
	wants(t, p.fails(3, "build", "-n", "-t", "tar", "tiny", "app"), "an image has a digest and no checksum")
}

// another returns a program with a store and elements of its own for the same test.
func another(p *program) *program {
	o := &program{t: p.t, dir: p.t.TempDir()}
	for _, variable := range p.env {
		o.env = append(o.env, strings.ReplaceAll(variable, p.dir, o.dir))
	}
	o.write("home/.keep", "")
	o.write("elements/app/README.md", "An element of a test.\n")
	return o
}
