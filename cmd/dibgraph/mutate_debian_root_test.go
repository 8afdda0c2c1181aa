package main

import (
	"os"
	"slices"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// debianEdits are edits of what an image of debian-minimal and vm depends on, and
// of an element that comes with it. None makes the packages be installed again,
// which takes longer than all else.
var debianEdits = []struct {
	name   string
	edit   func(d *debian)
	reruns reruns
}{
	{"a comment in a late hook", func(d *debian) { d.put("app/install.d/98-app", "#!/bin/sh\necho app > /etc/app # app\n") },
		only("install.d/98-app")},
	{"a late hook", func(d *debian) { d.put("app/install.d/98-app", "#!/bin/sh\necho other > /etc/app\n") },
		from("install.d/98-app")},
	{"a new late hook", func(d *debian) { d.put("app/install.d/97-new", "#!/bin/sh\necho new > /etc/new\n") },
		union(only("env:install"), debianListers, from("install.d/97-new"))},
	{"a static file", func(d *debian) { d.put("app/static/etc/app.conf", "other\n") },
		from("install.d/10-install-static-files")},
	{"a file that nobody reads", func(d *debian) { d.put("app/notes", "other\n") }, nothing},
	{"a new file that nobody reads", func(d *debian) { d.put("app/more-notes", "other\n") }, debianFinders},
	{"a README", func(d *debian) { d.put("app/README.md", "other\n") }, nothing},
	{"a variable that does not pass", func(d *debian) { d.env = append(slices.Clone(d.env), "UNUSED=1") }, nothing},
	{"a variable that nobody reads", func(d *debian) { d.env = append(slices.Clone(d.env), "DIB_UNUSED=1") }, debianVariables},
	{"the time of everything", func(d *debian) { d.tool("find", "elements", "-exec", "touch", "-d", "2001-02-03", "{}", "+") }, nothing},
	{"elements elsewhere", func(d *debian) {
		d.tool("cp", "-a", "elements", "moved")
		d.elements = "moved"
	}, nothing},
	{"a file of the home", func(d *debian) { d.write(".bashrc", "true\n") }, nothing},
	{"a hook on the disk", func(d *debian) { d.put("app/finalise.d/50-app", "#!/bin/sh\necho other > /etc/finalised\n") }, disk},
	{"the size of the disk", func(d *debian) { d.args = []string{"--image-size", "3"} }, debianVariables},
	{"a raw file too", func(d *debian) { d.args = []string{"-t", "qcow2,raw"} }, debianVariables},
}

var (
	// debianVariables read all variables: a hook, which is cut off, and one on
	// the disk, which writes them into the image.
	debianVariables = union(only("extra-data.d/99-enable-install-types"), disk)

	// debianListers look through install.d for what elements may have put there
	// besides hooks, directories for install types and package lists of an older
	// form. They are cut off.
	debianListers = only("extra-data.d/99-enable-install-types", "extra-data.d/99-squash-package-install")

	// debianFinders see that a file appears in an element, whatever it is called.
	debianFinders = union(disk, only(
		"extra-data.d/10-create-pkg-map-dir", "extra-data.d/50-copy-modprobe-d", "extra-data.d/99-enable-install-types",
		"extra-data.d/99-squash-package-install", "pre-install.d/01-install-bin",
		"install.d/10-install-static-files", "install.d/20-install-init-scripts",
	))
)

// After an edit of an image of Debian exactly what must run does, and never the
// installation of packages.
func TestMutateDebian(t *testing.T) {
	if os.Getenv(mutateVariable) == "" {
		t.Skip("only in make mutate: it builds an image of Debian")
	}
	testroot.Require(t)
	d := &debian{workshop: newWorkshop(t)}
	d.reset()
	before := d.make()
	for _, e := range debianEdits {
		t.Run(e.name, func(t *testing.T) {
			w := *d.workshop
			one := debian{workshop: &w}
			one.t = t
			one.reset()
			e.edit(&one)
			m := mutation{name: e.name, reruns: e.reruns}
			b := one.make()
			o := m.compare(before, b)
			o.tell(t)
			for _, n := range b.Nodes {
				if slices.Contains(o.needless, n.Name) {
					t.Logf("%s: %q", n.Name, n.Reasons)
				}
			}
		})
	}
}

// A debian is a workshop with an element of its own.
type debian struct {
	*workshop
	elements string
	args     []string
}

// make builds the image.
func (d *debian) make() *cache.Build {
	d.t.Helper()
	return d.build(slices.Concat([]string{"-o", "debian", "--elements-path", d.elements}, d.args, []string{"debian-minimal", "vm", "app"})...)
}

func (d *debian) reset() {
	d.tool("rm", "-rf", "elements", "moved", ".bashrc")
	d.elements, d.args = "elements", nil
	d.put("app/element-deps", "install-static\n")
	d.put("app/README.md", "An element.\n")
	d.put("app/notes", "notes\n")
	d.put("app/static/etc/app.conf", "conf\n")
	d.put("app/install.d/98-app", "#!/bin/sh\necho app > /etc/app\n")
	d.put("app/finalise.d/50-app", "#!/bin/sh\necho finalised > /etc/finalised\n")
}

func (d *debian) put(name, text string) { d.write("elements/"+name, text) }

func (d *debian) write(name, text string) {
	d.t.Helper()
	p := program{t: d.t, dir: d.dir}
	p.write(name, text)
}

func (d *debian) tool(name string, args ...string) {
	d.t.Helper()
	p := program{t: d.t, dir: d.dir}
	p.tool(name, args...)
}
