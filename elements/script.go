package elements

import (
	"regexp"
	"strings"

	"github.com/dibgraph/dibgraph/steps"
)

// A script is a file that a phase runs or reads: a hook, or a fragment of
// environment.d.
type script struct {
	File File
	Text string
	// Hook says that it is one, and not a fragment of environment.d.
	Hook bool
	// Host says that it runs on the machine that builds.
	Host bool
	// Interpreter is the first line without "#!", empty if there is none.
	Interpreter string
	// Commands are those of a shell script.
	Commands []*shellCommand
}

// scriptOf returns the script that a file of an element is, nil if it is none.
// Hooks of an install type are in a directory below that of the phase.
func scriptOf(f File, text string) *script {
	top, rest, _ := strings.Cut(f.Path, "/")
	phase, isPhase := PhaseNamed(strings.TrimSuffix(top, ".d"))
	isPhase = isPhase && strings.HasSuffix(top, ".d")
	s := &script{File: f, Text: text, Hook: isPhase, Host: isPhase && !phase.Chroot}
	switch {
	case isPhase && (parent(rest) == "" || installTypeDir.MatchString(parent(rest))):
		if !f.Executable && !strings.HasPrefix(text, "#!") {
			return nil
		}
	case top == environmentDir && parent(rest) == "" && steps.IsEnvironmentFile(rest):
	default:
		return nil
	}
	if first, _, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "#!") {
		s.Interpreter = strings.TrimSpace(first[2:])
	}
	if s.shell() {
		s.Commands = shellCommands(text)
	}
	return s
}

// installTypeDir matches the directories from which the element install-types
// chooses.
var installTypeDir = regexp.MustCompile(`^[^/]+-[^/-]+-install$`)

var shellName = regexp.MustCompile(`(^|[/ ])(ba|da|k|z)?sh( |$)`)

// shell reports whether the script is one of a shell.
func (s *script) shell() bool {
	return !s.Hook && s.Interpreter == "" || shellName.MatchString(s.Interpreter)
}

// binary reports whether the file is a program and no text.
func (s *script) binary() bool { return strings.IndexByte(s.Text, 0) >= 0 }
