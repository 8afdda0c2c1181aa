package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// After any edit an incremental build makes the image that a build from nothing
// makes, and the build after that runs nothing.
func TestEditsBuildWhatACleanBuildDoes(t *testing.T) {
	p := newProgram(t)
	rounds := 8
	if testing.Short() {
		rounds = 5
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	p.write("elements/more/README.md", "Another element of a test.\n")
	e := &editor{p: p, rand: rand.New(rand.NewPCG(seed, 0)), vars: map[string]string{}}
	for range 12 {
		e.edit()
	}
	for round := range rounds {
		stderr := e.build("store", "image")
		if _, again := e.run("store", "image"); !strings.Contains(again, "nothing ran") {
			t.Fatalf("round %d: a second build ran something:\n%s", round, again)
		}
		e.build("clean-store", "clean")
		compareTrees(t, e.result("image"), e.result("clean"))
		if t.Failed() {
			t.Fatalf("round %d, after %s; the incremental build:\n%s", round, strings.Join(e.done, "; "), stderr)
		}
		p.tool("rm", "-rf", "clean-store")
		e.done = nil
		for range 1 + e.rand.IntN(3) {
			e.edit()
		}
	}
}

// An editor edits an element at random, in ways that all lead to elements that
// build.
type editor struct {
	p    *program
	rand *rand.Rand
	vars map[string]string // variables of the caller
	more bool              // whether a second element takes part
	done []string          // edits since the last build
}

func (e *editor) run(store, name string) (stdout, stderr string) {
	e.p.t.Helper()
	one := *e.p
	for name, value := range e.vars {
		one.env = append(slices.Clip(one.env), name+"="+value)
	}
	args := []string{"build", "--cache-dir", store, "-n", "-t", "tar", "-o", name + "/image", "tiny", "app"}
	if e.more {
		args = append(args, "more")
	}
	return one.run(args...)
}

func (e *editor) build(store, name string) string {
	e.p.t.Helper()
	e.p.tool("rm", "-rf", name)
	e.p.tool("mkdir", name)
	_, stderr := e.run(store, name)
	return stderr
}

// result describes all that a build left: the tree, and the files beside it.
func (e *editor) result(name string) map[string]string {
	e.p.t.Helper()
	dir := e.p.t.TempDir()
	tree := describeTar(e.p, dir, name+"/image.tar")
	for path, text := range describeTree(e.p.t, e.p.path(name)) {
		if path != "image.tar" {
			tree["beside/"+path] = text
		}
	}
	return tree
}

// The names that edits are about: few, so that they meet.
var (
	editData   = []string{"data/one", "data/two", "data/sub/three", "flag"}
	editTools  = []string{"bin/tool", "bin/other"}
	editVars   = []string{"DIB_ONE", "DIB_TWO", "DIB_FROM_FRAGMENT"}
	editPhases = []string{"root.d", "extra-data.d", "pre-install.d", "install.d", "install.d", "post-install.d", "post-root.d", "finalise.d", "cleanup.d"}
)

func (e *editor) pick(list []string) string { return list[e.rand.IntN(len(list))] }

func (e *editor) number() int { return e.rand.IntN(1000) }

// edit makes one change.
func (e *editor) edit() {
	switch e.rand.IntN(13) {
	case 0, 1, 2:
		e.write(fmt.Sprintf("%s/%d-hook", e.pick(editPhases), 40+e.rand.IntN(4)), e.hook())
	case 3:
		e.write(e.pick(editData), fmt.Sprintln("data", e.number()))
	case 4:
		e.write(e.pick(editTools), fmt.Sprintf("#!/bin/sh\necho tool %d ${DIB_TWO:-none}\n", e.number()))
	case 5:
		e.write("environment.d/50-"+e.pick([]string{"a", "b"}), fmt.Sprintf("export DIB_FROM_FRAGMENT=%d-${DIB_ONE:-none}\n", e.number()))
	case 6:
		e.remove()
	case 7:
		name := e.pick(editVars)
		if e.vars[name] = fmt.Sprint(e.number()); e.rand.IntN(3) == 0 {
			delete(e.vars, name)
		}
		e.done = append(e.done, fmt.Sprintf("%s=%q", name, e.vars[name]))
	case 8:
		e.chmod()
	case 9:
		e.comment()
	case 10:
		e.more = !e.more
		e.done = append(e.done, fmt.Sprintf("element more: %t", e.more))
	case 12:
		name, target := e.pick([]string{"data/linked", "bin/linked"}), e.pick([]string{"../data/one", "../data/two", "../bin/tool", "nowhere"})
		e.p.tool("mkdir", "-p", filepath.Dir(e.p.path("elements/app/"+name)))
		e.p.tool("ln", "-sfn", target, "elements/app/"+name)
		e.done = append(e.done, "link "+name+" to "+target)
	case 11:
		e.p.write("elements/more/"+e.pick([]string{"list", "bin/of-more", "static/etc/more"}), fmt.Sprintf("#!/bin/sh\necho of more %d ${DIB_ONE:-none}\n", e.number()))
		e.done = append(e.done, "write a file of more")
	}
}

func (e *editor) write(name, text string) {
	e.p.write("elements/app/"+name, text)
	e.done = append(e.done, fmt.Sprintf("write %s: %q", name, text))
}

// files lists those of the element, without the one that keeps it there.
func (e *editor) files() []string {
	var names []string
	err := filepath.Walk(e.p.path("elements/app"), func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && info.Name() != "README.md" {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		e.p.t.Fatal(err)
	}
	return names
}

func (e *editor) remove() {
	if files := e.files(); len(files) > 0 {
		name := e.pick(files)
		e.p.tool("rm", name)
		e.done = append(e.done, "remove "+name)
	}
}

func (e *editor) chmod() {
	if files := e.files(); len(files) > 0 {
		name := e.pick(files)
		mode := e.pick([]string{"644", "755"})
		e.p.tool("chmod", mode, name)
		e.done = append(e.done, "chmod "+mode+" "+name)
	}
}

// comment changes a file in a way that changes nothing it does.
func (e *editor) comment() {
	files := slices.DeleteFunc(e.files(), func(name string) bool { return !strings.Contains(name, "-hook") })
	if len(files) == 0 {
		return
	}
	name := e.pick(files)
	text, err := os.ReadFile(name)
	if err != nil {
		e.p.t.Fatal(err)
	}
	e.write(strings.TrimPrefix(name, e.p.path("elements/app/")), string(text)+fmt.Sprintln("# comment", e.number()))
}

// hook returns one that does a few things with what it finds. It works on both
// sides: H is where the merged hooks are, R the root.
func (e *editor) hook() string {
	text := `#!/bin/bash
set -eu -o pipefail
H=$(dirname "$0")/.. R=${TMP_MOUNT_PATH:-}
[ "$H" = /tmp/in_target.d/${H#/tmp/in_target.d/} ] && R=
mkdir -p "$R/srv/app"
cd "$R/srv/app"
echo ran ${0##*/} >> order
`
	for range 1 + e.rand.IntN(3) {
		text += editDeeds[e.pick(slices.Sorted(maps.Keys(editDeeds)))] + "\n"
	}
	return strings.ReplaceAll(text, "NUMBER", fmt.Sprint(e.number()))
}

// editDeeds are what hooks do.
var editDeeds = map[string]string{
	"write":      `echo NUMBER > file-$((NUMBER % 5))`,
	"append":     `echo NUMBER >> file-$((NUMBER % 5))`,
	"variable":   `echo ${DIB_ONE:-none} >> variables`,
	"fragment":   `echo ${DIB_FROM_FRAGMENT:-none} >> variables`,
	"read":       `cat "$H/data/one" >> read 2> /dev/null || echo absent >> read`,
	"list":       `ls "$H/data" >> listed 2> /dev/null || echo absent >> listed`,
	"deep":       `cat "$H"/data/*/three >> read 2> /dev/null || echo absent >> read`,
	"test":       `if [ -e "$H/flag" ]; then echo flag; else echo no flag; fi >> tests`,
	"executable": `if [ -x "$H/bin/other" ]; then echo other; else echo no other; fi >> tests`,
	"listed":     `for f in "$H"/data/* "$H"/bin/*; do if [ -x "$f" ]; then echo "${f##*/} runs"; elif [ -L "$f" ]; then readlink "$f"; fi; done >> listed`,
	"through":    `for f in "$H"/data/*; do [ ! -f "$f" ] || cat "$f" >> read; done`,
	"tool":       `if [ -x "$H/bin/tool" ]; then "$H/bin/tool"; fi >> tools`,
	"remove":     `rm -rf file-$((NUMBER % 5)) dir-$((NUMBER % 2))`,
	"directory":  `rm -rf dir-$((NUMBER % 2)); mkdir -p dir-$((NUMBER % 2))/deep; echo NUMBER > dir-$((NUMBER % 2))/deep/file`,
	"mode":       `touch mode; chmod $((NUMBER % 2 ? 640 : 755)) mode`,
	"hard link":  `touch linked; ln -f linked link-$((NUMBER % 3)); echo NUMBER >> linked`,
	"link":       `ln -sfn target-NUMBER symbolic`,
	"rename":     `[ ! -e dir-0 ] || { rm -rf renamed; mv dir-0 renamed; }`,
	"owner":      `touch owned; chown NUMBER:$((NUMBER + 1)) owned`,
	"log":        `echo NUMBER > "$R/var/log/app"; echo NUMBER > "$R/tmp/scratch"`,
	"beside":     `[ -z "$R" ] || { mkdir -p "$IMAGE_NAME.d"; echo NUMBER >> "$IMAGE_NAME.d/file-$((NUMBER % 3))"; }`,
	"later hook": `[ -z "$R" ] || { mkdir -p "$H/post-install.d"; printf '#!/bin/sh\necho NUMBER >> /srv/app/order\n' > "$H/post-install.d/60-made-$((NUMBER % 3))"; chmod 755 "$H"/post-install.d/60-made-*; }`,
	"hooks file": `[ -z "$R" ] || { mkdir -p "$H/data"; echo NUMBER > "$H/data/made"; }`,
	"install":    `[ ! -e "$H/bin/tool" ] || { cp "$H/bin/tool" "$R/usr/bin/tool"; chmod 755 "$R/usr/bin/tool"; }`,
	"installed":  `[ -n "$R" ] || [ ! -e /usr/bin/tool ] || /usr/bin/tool >> tools`,
	"more":       `[ ! -x "$H/bin/of-more" ] || "$H/bin/of-more" >> tools`,
	"elements":   `[ -z "$R" ] || { eval declare -A e=($(get_image_element_array)); cat "${e[more]:-/nowhere}/list" >> read 2> /dev/null || echo no list >> read; }`,
	"static":     `[ ! -e "$H/static" ] || cp -r "$H/static/." "$R/"`,
	"source":     `[ ! -e "$H/data/two" ] || { set -- $(cat "$H/data/two"); echo $2 >> read; }`,
	"swap":       `if [ -d kind ]; then rm -r kind; echo NUMBER > kind; else rm -f kind; mkdir kind; echo NUMBER > kind/file; fi`,
	"made file":  `cat "$H/data/made" >> read 2> /dev/null || echo nothing made >> read`,
}
