package elements

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/steps"
	"github.com/dibgraph/dibgraph/steps/helper"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// LintRules are the rules of [Lint], in the order in which they are listed.
var LintRules = []LintRule{
	{Name: "network", About: "downloads", script: lintNetwork,
		Advice: "what is there is no input, so a cached result stays when it changes: name a version, and check a digest"},
	{Name: "random", About: "random values", script: lintRandom,
		Advice: "every run leaves something else: derive it from an input, or make it when the image boots"},
	{Name: "date", About: "the time of the build", script: lintDate,
		Advice: "every run leaves something else, and a cached result keeps the old one"},
	{Name: "host-path", About: "files of the host", script: lintHostPath,
		Advice: "its content is no input: let a DIB_* variable name the file"},
	{Name: "all-variables", About: "the environment as a whole", script: lintAllVariables,
		Advice: "any variable that changes makes the hook run again: name those that are needed"},
	{Name: "errexit", About: "shell hooks that go on after an error", script: lintErrexit,
		Advice: `write "set -eu" at the top`},
	{Name: "shebang", About: "hooks that cannot be started", script: lintShebang,
		Advice: `begin it with "#!/bin/bash" or the like`},
	{Name: "executable", About: "hooks that are not executable", element: lintExecutable,
		Advice: "chmod +x it, or move it elsewhere"},
	{Name: "hook-name", About: "hooks whose names keep them from running", element: lintHookName,
		Advice: `use letters, digits, "-" and "_" only, or move it elsewhere`},
	{Name: "hook-number", About: "hooks without a number", element: lintHookNumber,
		Advice: `put a number from 00 to 99 and "-" before its name`},
	{Name: "line-ends", About: "line ends of Windows", element: lintLineEnds,
		Advice: "end lines with LF only"},
	{Name: "phase", About: "directories that are nearly those of a phase", element: lintPhase,
		Advice: "nothing in it runs: rename it"},
	{Name: "dependency", About: "dependencies that are not there", element: lintDependency,
		Advice: "an image with this element cannot be built"},
	{Name: "comment", About: "comments in lists of names", element: lintComment,
		Advice: "such a list has no comments, and the line is taken for a name: remove it"},
	{Name: "package-installs", About: "package lists that are wrong", element: lintPackageInstalls,
		Advice: "correct it"},
	{Name: duplicateRule, About: "files that two of the named elements have in one place"},
}

// phaseFiles returns the files, and links to files, that are directly in a
// phase directory.
func (l *lint) phaseFiles() []File {
	var files []File
	for _, p := range Phases {
		for _, entry := range l.element.Tree.Entries(p.Dir()) {
			if f, ok := l.element.Tree.behind(entry); ok {
				files = append(files, f)
			}
		}
	}
	return files
}

// isList reports whether a file in a phase directory is a package list of the
// old form, which is read and does not run.
func isList(name string) bool {
	return strings.HasPrefix(name, "package-installs-") || strings.HasPrefix(name, "package-uninstalls-")
}

func lintExecutable(l *lint) {
	for _, f := range l.phaseFiles() {
		name := path.Base(f.Path)
		if f.Executable || isList(name) || !defaultNames.MatchString(name) {
			continue
		}
		if startsWithDigit(name) || f.startsWith("#!") {
			l.add(f.Source, 0, "it is in a phase directory but not executable, and never runs")
		}
	}
}

func lintHookName(l *lint) {
	for _, f := range l.phaseFiles() {
		name := path.Base(f.Path)
		// A hook may have a file beside it that it installs.
		if !defaultNames.MatchString(name) && !strings.HasPrefix(name, ".") && (f.Executable || f.startsWith("#!")) && !l.mentioned(name) {
			l.add(f.Source, 0, "its name keeps it from running")
		}
	}
	for _, entry := range l.element.Tree.Entries(environmentDir) {
		if f, ok := l.element.Tree.behind(entry); ok && !steps.IsEnvironmentFile(path.Base(f.Path)) {
			l.add(f.Source, 0, "its name keeps it from being read")
		}
	}
}

// mentioned reports whether a hook names a file of its element.
func (l *lint) mentioned(name string) bool {
	for _, f := range l.phaseFiles() {
		content, err := f.Read()
		if err == nil && path.Base(f.Path) != name && strings.Contains(string(content), name) {
			return true
		}
	}
	return false
}

func lintHookNumber(l *lint) {
	for _, f := range l.phaseFiles() {
		name := path.Base(f.Path)
		if f.Executable && defaultNames.MatchString(name) && !startsWithDigit(name) {
			l.add(f.Source, 0, "its name has no number, so it runs before all others")
		}
	}
}

// defaultNames is the pattern of the names that run if nobody chose another.
var defaultNames, _ = steps.HookPattern("")

func startsWithDigit(name string) bool { return name != "" && '0' <= name[0] && name[0] <= '9' }

// startsWith reports what a readable file starts with.
func (f File) startsWith(prefix string) bool {
	content, err := f.Read()
	return err == nil && strings.HasPrefix(string(content), prefix)
}

func lintLineEnds(l *lint) {
	for _, f := range l.element.Tree.Files {
		top, _, inDir := strings.Cut(f.Path, "/")
		used := top == environmentDir || top == "bin" || isHookPath(path.Join(top, "x")) || !inDir && (top == "element-deps" || top == "element-provides")
		if !used || !f.Mode.IsRegular() || f.Size > maxText {
			continue
		}
		content, err := f.Read()
		if err != nil || strings.IndexByte(string(content), 0) >= 0 {
			continue
		}
		if before, _, found := strings.Cut(string(content), "\r\n"); found {
			l.add(f.Source, 1+strings.Count(before, "\n"), "the line ends in CR and LF")
		}
	}
}

// knownDirs are directories with a meaning that are no phases.
var knownDirs = []string{
	environmentDir, "binary-deps.d", "init.d", "udev.d", "ramdisk-install.d", "dracut-drivers.d", "dracut.conf.d",
	"modprobe.d", "yum.repos.d", "bin", "static", "init-scripts", "tests", "test-elements", "containerfiles",
}

func lintPhase(l *lint) {
	dirs := []string{environmentDir}
	for _, p := range Phases {
		dirs = append(dirs, p.Dir())
	}
	for _, f := range l.element.Tree.Entries("") {
		if !f.IsDir() || slices.Contains(knownDirs, f.Path) || slices.Contains(dirs, f.Path) {
			continue
		}
		if near := nearest.Names(f.Path, dirs); len(near) > 0 {
			l.add(f.Source, 0, "%q is no phase, did you mean %q?", f.Path, near[0])
		}
	}
}

func lintDependency(l *lint) {
	for _, d := range l.element.deps {
		if _, found := l.library.Find(d.name); found || strings.HasPrefix(d.name, "#") || len(l.library.providers(d.name)) > 0 {
			continue
		}
		text := fmt.Sprintf("there is no element %q", d.name)
		if hint := nearest.Question(d.name, l.library.Names()); hint != "" {
			text += ", " + hint
		}
		l.add(l.element.source("element-deps"), d.line, "%s", text)
	}
}

func lintComment(l *lint) {
	for _, list := range []struct {
		file string
		refs []reference
	}{{"element-deps", l.element.deps}, {"element-provides", l.element.provides}} {
		for _, r := range list.refs {
			if strings.HasPrefix(r.name, "#") {
				l.add(l.element.source(list.file), r.line, "%q is a name here", r.name)
			}
		}
	}
}

func lintPackageInstalls(l *lint) {
	for _, name := range []string{"package-installs.json", "package-installs.yaml"} {
		f, ok := l.element.Tree.Lookup(name)
		if !ok || f.Open == nil {
			continue
		}
		content, err := f.Read()
		if err != nil {
			continue // it was read when the element was opened
		}
		for _, m := range helper.CheckPackages(content) {
			l.add(f.Source, m.Line, "%s", m.Text)
		}
	}
}

func lintShebang(l *lint, s *script) {
	if s.Hook && s.Interpreter == "" && !s.binary() {
		l.add(s.File.Source, 0, `it does not begin with "#!", and the kernel does not know what to run it with`)
	}
}

func lintErrexit(l *lint, s *script) {
	if !s.Hook || !s.shell() || len(s.Commands) < 2 || shellOption(strings.Fields(s.Interpreter)[1:]) {
		return
	}
	for _, c := range s.Commands {
		if c.Words != nil && c.Words[0] == "set" && shellOption(c.Words[1:]) {
			return
		}
	}
	l.add(s.File.Source, 0, "it goes on after a command that failed, and a broken result is kept")
}

// shellOption reports whether arguments of a shell, or of set, make it end at
// the first error.
func shellOption(args []string) bool {
	for i, a := range args {
		if a == "--" {
			break
		}
		if strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.Contains(a, "e") || a == "errexit" && i > 0 {
			return true
		}
	}
	return false
}

func lintAllVariables(l *lint, s *script) {
	if !s.File.Words.All {
		return
	}
	if s.binary() {
		l.add(s.File.Source, 0, "a program that is no text counts as reading every variable")
		return
	}
	head := ""
	if s.Interpreter != "" {
		head = "#!" + s.Interpreter + "\n"
	}
	line := 0
	for i, text := range strings.Split(s.Text, "\n") {
		if mention.Of([]byte(head + text + "\n")).All {
			line = i + 1
			break
		}
	}
	l.add(s.File.Source, line, "it reads the environment as a whole, or variables whose names it computes")
}
