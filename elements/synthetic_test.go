package elements

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The sizes are those of the elements in Debian's python3-diskimage-builder
// 3.13: 119 elements with 803 files. Its 218 hooks have 36 lines and 1,340 bytes
// on average and 3.8 names that begin with DIB_ or IMAGE_; 149 of those are
// different. 18 % of them look for a file beside their own, 8 % for an element,
// 5 % ask which elements there are. Seven in ten elements have a file in
// environment.d, half of them a list of packages, a quarter a map of packages, a
// sixth a program in bin. Five hooks an element are more than twice as many as
// there, which is what the elements of their users have.
const syntheticHooks = 5

// syntheticPhases are the phases in proportion to the hooks they have there.
var syntheticPhases = strings.Fields(`
	root.d root.d root.d extra-data.d extra-data.d extra-data.d extra-data.d
	pre-install.d pre-install.d pre-install.d pre-install.d
	install.d install.d install.d install.d install.d install.d
	post-install.d post-install.d post-install.d post-install.d finalise.d cleanup.d cleanup.d`)

// A synthesis writes elements that look like real ones to the machinery, though
// not to a shell.
type synthesis struct {
	rand  *rand.Rand
	files map[string]string
}

// synthetic returns the files of that many elements, "e0000" and so on, which
// depend on each other like a tree, and a definition that takes all of them.
func synthetic(tb testing.TB, count int) Definition {
	tb.Helper()
	s := synthesis{rand: rand.New(rand.NewPCG(1, uint64(count))), files: map[string]string{}}
	var names []string
	for i := range count {
		names = append(names, fmt.Sprintf("e%04d", i))
		s.element(i, names[i])
	}
	s.files["os/element-provides"] = operatingSystem + "\n"
	s.files["os/root.d/10-os"] = s.hook("os", 0)
	dir, home := write(tb, s.files), tb.TempDir()
	return Definition{
		Name: "synthetic", OutputDir: dir, Arch: "amd64", Elements: append(names, "os"), ElementsPath: []string{dir},
		SkipBase: true, Home: home, WorkDir: home, ImageCache: home,
		Environment: map[string]string{"PATH": defaultPath, "DIB_RELEASE": "bookworm", "DIB_E0001_A": "1", "LANG": "C.UTF-8"},
	}
}

func (s *synthesis) element(i int, name string) {
	put := func(path, text string) { s.files[name+"/"+path] = text }
	put(name+"-list", name+"\n")
	put("README.rst", strings.Repeat("What this element is good for.\n", 20))
	if i > 0 {
		put("element-deps", fmt.Sprintf("e%04d\n", i/2))
	}
	for range syntheticHooks {
		phase := syntheticPhases[s.rand.IntN(len(syntheticPhases))]
		put(fmt.Sprintf("%s/%02d-%s-%d", phase, s.rand.IntN(100), name, len(s.files)), s.hook(name, s.rand.IntN(100)))
	}
	if s.rand.IntN(10) < 7 {
		put("environment.d/50-"+name+".bash", fmt.Sprintf("export DIB_%s_A=${DIB_%[1]s_A:-%d}\n", strings.ToUpper(name), i))
	}
	if i%2 == 0 {
		put("package-installs.yaml", fmt.Sprintf("package-%d:\nother-%d:\n  phase: pre-install.d\n", i, i))
	}
	if i%4 == 0 {
		put("pkg-map", fmt.Sprintf("{\"family\": {\"debian\": {\"package-%d\": \"debian-%d\"}}}\n", i, i))
	}
	if i%6 == 0 {
		put("bin/tool-"+name, s.hook(name, 99))
	}
	put(name+"-data/"+name+".conf", fmt.Sprintf("setting = %d\n", i))
}

// hook returns the text of a hook; kind says which of the percentages above it
// is in.
func (s *synthesis) hook(element string, kind int) string {
	var b strings.Builder
	b.WriteString("#!/bin/bash\nif [ ${DIB_DEBUG_TRACE:-0} -gt 0 ]; then\n    set -x\nfi\nset -eu\nset -o pipefail\n")
	switch {
	case kind < 5:
		b.WriteString("echo ${IMAGE_ELEMENT} > /etc/elements\n")
	case kind < 13:
		b.WriteString("install -D $ELEMENTS_PATH/" + element + "/" + element + "-list /usr/share/doc\n")
	case kind < 31:
		fmt.Fprintf(&b, "install -D $(dirname $0)/../%s-data/%[1]s.conf /etc/%[1]s.conf\n", element)
	}
	fmt.Fprintf(&b, "echo \"${DIB_%s_A:-none} ${DIB_RELEASE}\" >> /etc/%s\n", strings.ToUpper(element), element)
	for b.Len() < 1340 {
		fmt.Fprintf(&b, "systemctl enable service-%d.service || true\n", s.rand.IntN(1000))
	}
	return b.String()
}
