package steps

import "regexp"

// defaultHookName is what the names of hooks look like: a dot excludes them.
var defaultHookName = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

// HookPattern compiles the pattern that selects the hooks of a phase by name:
// an extended regular expression of POSIX that can match anywhere in it
// (RUN_PARTS_REGEX). The empty pattern is the default one.
func HookPattern(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return defaultHookName, nil
	}
	return regexp.CompilePOSIX(pattern)
}

var environmentName = regexp.MustCompile(`^[0-9A-Za-z_.-]+$`)

// IsEnvironmentFile reports whether a file of environment.d is one that is
// sourced, by its name.
func IsEnvironmentFile(name string) bool { return environmentName.MatchString(name) }
