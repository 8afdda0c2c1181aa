package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A readCase is a way in which a hook comes to depend on a file without simply
// opening it by its name.
type readCase struct {
	name string
	// before are the files there are at first, by their names in the directory of
	// the program; edit makes another state of them, and may be called again.
	before map[string]string
	edit   func(p *program)
	// hook is what the hook does, which writes to $R/etc/read. It is one of
	// extra-data.d, or of install.d if it is to run in the image.
	hook    string
	inImage bool
}

// rewrite returns an edit that gives a file another content, in place.
func rewrite(name, text string) func(p *program) { return func(p *program) { p.write(name, text) } }

func chmod(mode, name string) func(p *program) {
	return func(p *program) { p.tool("chmod", mode, name) }
}

func retarget(name, target string) func(p *program) {
	return func(p *program) { p.tool("ln", "-sfn", target, name) }
}

// Names on the host are put together when the hook runs where they can be, so that
// only observation can find them: "of" stands for a part of one.
var readCases = []readCase{
	{name: "modified, of the hooks", before: map[string]string{"elements/app/data/f": "one\n"},
		hook: `sed -i s/e/E/ $H/data/f; cat $H/data/f > $R/etc/read`, edit: rewrite("elements/app/data/f", "three\n")},
	{name: "modified in place, of the host", before: map[string]string{"home/file": "one\n"},
		hook: `of=fi; printf '1\n' | dd conv=notrunc of=$HOME/${of}le; cat ~/${of}le > $R/etc/read`, edit: rewrite("home/file", "three\n")},
	{name: "replaced, of the host", before: map[string]string{"home/file": "one\n"},
		hook: `of=fi; sed -i s/e/E/ ~/${of}le; cat ~/${of}le > $R/etc/read`, edit: rewrite("home/file", "three\n")},
	{name: "made if it is not there",
		hook: `of=ma; [ -e ~/${of}de ] || echo made > ~/${of}de; cat ~/${of}de > $R/etc/read`, edit: rewrite("home/made", "own\n")},
	{name: "made where it is named",
		hook: `[ -e ~/made ] || echo made > ~/made; cat ~/made > $R/etc/read`, edit: rewrite("home/made", "own\n")},

	{name: "by a symbolic link to it, of the hooks", before: map[string]string{"elements/app/data/f": "one\n", "elements/app/data/l": "-> f"},
		hook: `cat $H/data/l > $R/etc/read`, edit: rewrite("elements/app/data/f", "two\n")},
	{name: "by a symbolic link that changes, of the hooks", before: map[string]string{"elements/app/data/f": "one\n", "elements/app/data/g": "two\n", "elements/app/data/l": "-> f"},
		hook: `cat $H/data/l > $R/etc/read`, edit: retarget("elements/app/data/l", "g")},
	{name: "by a symbolic link to it, of the host", before: map[string]string{"home/f": "one\n", "home/link": "-> f"},
		hook: `of=li; cat ~/${of}nk > $R/etc/read`, edit: rewrite("home/f", "two\n")},
	{name: "by a symbolic link that changes, of the host", before: map[string]string{"home/f": "one\n", "home/g": "two\n", "home/link": "-> f"},
		hook: `of=li; cat ~/${of}nk > $R/etc/read`, edit: retarget("home/link", "g")},
	{name: "by a symbolic link to its directory, of the host", before: map[string]string{"home/v1/f": "one\n", "home/v2/f": "two\n", "home/now": "-> v1"},
		hook: `of=no; cat ~/${of}w/f > $R/etc/read`, edit: retarget("home/now", "v2")},

	{name: "by a hard link, of the host", before: map[string]string{"home/f": "one\n"},
		hook: `of=ot; [ -e ~/${of}her ] || ln ~/f ~/${of}her; cat ~/${of}her > $R/etc/read`, edit: rewrite("home/f", "two\n")},

	{name: "in the image", before: map[string]string{"elements/app/data/f": "one\n"}, inImage: true,
		hook: `cat /tmp/in_target.d/data/f > /etc/read`, edit: rewrite("elements/app/data/f", "two\n")},
	{name: "in a root that is changed to, of the hooks", before: map[string]string{"elements/app/data/f": "one\n"},
		hook: `mkdir $R/seen; mount --bind $H/data $R/seen; of=f; chroot $R cat /seen/$of > $R/etc/read; umount $R/seen`, edit: rewrite("elements/app/data/f", "two\n")},
	{name: "in a root that is changed to, of the elements", before: map[string]string{"elements/app/data/f": "one\n"},
		hook: `mkdir $R/seen; mount --bind ${ELEMENTS_PATH%%:*}/app/data $R/seen; of=f; chroot $R cat /seen/$of > $R/etc/read; umount $R/seen`, edit: rewrite("elements/app/data/f", "two\n")},
	{name: "in a root that is changed to, of the host", before: map[string]string{"home/dir/f": "one\n"},
		hook: `of=di; mkdir $R/seen; mount --bind ~/${of}r $R/seen; chroot $R cat /seen/f > $R/etc/read; sleep 1; umount $R/seen`, edit: rewrite("home/dir/f", "two\n")},

	{name: "from the background, of the hooks", before: map[string]string{"elements/app/data/f": "one\n"},
		hook: `setsid sh -c "cat $H/data/f > $R/etc/read; sleep 100" & while [ ! -s $R/etc/read ]; do sleep 0.01; done`, edit: rewrite("elements/app/data/f", "two\n")},
	{name: "from the background, of the host", before: map[string]string{"home/file": "one\n"},
		hook: `of=fi; setsid sh -c "cat ~/${of}le > $R/etc/read; sleep 100" & while [ ! -s $R/etc/read ]; do sleep 0.01; done`, edit: rewrite("home/file", "two\n")},

	{name: "listed, of the hooks", before: map[string]string{"elements/app/data/f": "one\n"},
		hook: `ls $H/data > $R/etc/read`, edit: rewrite("elements/app/data/g", "two\n")},
	{name: "listed, of the host", before: map[string]string{"home/dir/f": "one\n"},
		hook: `of=di; ls ~/${of}r > $R/etc/read`, edit: rewrite("home/dir/g", "two\n")},
	{name: "the home listed", before: map[string]string{"home/f": "one\n"},
		hook: `ls ~ > $R/etc/read`, edit: rewrite("home/g", "two\n")},

	{name: "tested with -e, of the hooks",
		hook: `if [ -e $H/data/f ]; then echo yes; else echo no; fi > $R/etc/read`, edit: rewrite("elements/app/data/f", "two\n")},
	{name: "tested with -e, of the host",
		hook: `if [ -e ~/file ]; then echo yes; else echo no; fi > $R/etc/read`, edit: rewrite("home/file", "two\n")},
	{name: "a directory tested with -d, of the host", before: map[string]string{"home/dir/f": "one\n"},
		hook: `if [ -d ~/dir ]; then echo yes; else echo no; fi > $R/etc/read`, edit: func(p *program) { p.tool("rm", "-rf", "home/dir") }},
	{name: "a link read, of the host", before: map[string]string{"home/f": "one\n", "home/g": "one\n", "home/link": "-> f"},
		hook: `readlink ~/link > $R/etc/read`, edit: retarget("home/link", "g")},
	{name: "below a link that a variable names", before: map[string]string{"home/dir/f": "one\n", "home/link": "-> dir"},
		hook: `cat ${DIB_LINKED:-$HOME/link}/f > $R/etc/read`, edit: rewrite("home/dir/f", "two\n")},
	{name: "tested with -x, of the hooks", before: map[string]string{"elements/app/data/f": "one\n"},
		hook: `if [ -x $H/data/f ]; then echo yes; else echo no; fi > $R/etc/read`, edit: chmod("755", "elements/app/data/f")},
	{name: "tested with -x, of the host", before: map[string]string{"home/file": "one\n"},
		hook: `if [ -x ~/file ]; then echo yes; else echo no; fi > $R/etc/read`, edit: chmod("755", "home/file")},
	{name: "asked for its mode, of the hooks", before: map[string]string{"elements/app/data/f": "one\n"},
		hook: `stat -c %a $H/data/f > $R/etc/read`, edit: chmod("600", "elements/app/data/f")},
	{name: "asked for its mode, of the host", before: map[string]string{"home/file": "one\n"},
		hook: `stat -c %a ~/file > $R/etc/read`, edit: chmod("600", "home/file")},
	{name: "copied with its mode, of the host", before: map[string]string{"home/file": "one\n"},
		hook: `of=fi; cp ~/${of}le $R/etc/read`, edit: chmod("600", "home/file")},
}

// However a hook reads a file, the build after an edit of it makes what a build
// from nothing makes.
func TestReadsBuildWhatACleanBuildDoes(t *testing.T) {
	for _, c := range readCases {
		t.Run(c.name, func(t *testing.T) {
			p := newProgram(t)
			for name, text := range c.before {
				if target, link := strings.CutPrefix(text, "-> "); link {
					p.tool("mkdir", "-p", filepath.Dir(name))
					p.tool("ln", "-s", target, name)
				} else {
					p.write(name, text)
				}
			}
			phase, root := "extra-data.d", "$TMP_MOUNT_PATH"
			if c.inImage {
				phase, root = "install.d", ""
			}
			p.write("elements/app/"+phase+"/50-read", "#!/bin/bash\nset -eu\nH=$(dirname $0)/.. R="+root+"\n"+c.hook+"\n")
			first := p.buildTree("store")
			if _, again := p.run(readBuild("store")...); !strings.Contains(again, "nothing ran") {
				t.Errorf("a second build ran something:\n%s", again)
			}
			c.edit(p)
			got := p.buildTree("store")
			c.edit(p) // what the hook changed is as it was
			want := p.buildTree("clean-store")
			if maps.Equal(first, want) {
				t.Error("the edit makes no difference")
			}
			compareTrees(t, got, want)
		})
	}
}

func readBuild(store string) []string {
	return []string{"build", "--cache-dir", store, "-n", "-t", "tar", "-o", "out/image", "tiny", "app"}
}

// buildTree builds with a store and describes what is in the image.
func (p *program) buildTree(store string) map[string]string {
	p.t.Helper()
	if err := os.MkdirAll(p.path("out"), 0o755); err != nil {
		p.t.Fatal(err)
	}
	p.run(readBuild(store)...)
	return describeTar(p, p.t.TempDir(), "out/image.tar")
}
