package helper

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// addOlder adds the older lists, PHASE.d/package-installs-ELEMENT in the merged
// hooks: one package a line, # begins a comment, a leading - asks for removal.
// They know nothing of precedence: what one asks for is done.
func (s *squasher) addOlder(hooks string) error {
	var problems []error
	for _, phase := range []string{"pre-install.d", "install.d", "post-install.d"} {
		lists, err := filepath.Glob(filepath.Join(hooks, phase, olderPrefix+"*"))
		if err != nil {
			return err
		}
		for _, list := range lists {
			problems = append(problems, s.addOlderList(phase, list))
		}
	}
	return errors.Join(problems...)
}

const olderPrefix = "package-installs-"

func (s *squasher) addOlderList(phase, list string) error {
	info, err := os.Stat(list)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	content, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	element := strings.TrimPrefix(filepath.Base(list), olderPrefix)
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		action, name := installAction, fields[0]
		if rest, ok := strings.CutPrefix(name, "-"); ok {
			action, name = uninstallAction, rest
		}
		s.entries = append(s.entries, packageEntry{phase, action, element, name})
	}
	return nil
}
