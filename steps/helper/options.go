package helper

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// packageOptions are the options of one entry of a package-installs file. An
// empty string means the option is not there.
type packageOptions struct {
	line  int
	phase string
	// uninstall and buildOnly count by presence; their values mean nothing.
	uninstall, buildOnly                bool
	installType, arch, notArch, pyMajor string
	when                                []Condition
	given                               map[string]bool
	// unknown tells of options that this program does not know. They are let
	// through: an element may be written for a later one.
	unknown []error
}

func readOptions(file string, p pair, node *yaml.Node) (packageOptions, error) {
	o := packageOptions{line: p.Line, phase: defaultPhase, given: map[string]bool{}}
	entries, err := pairs(file, fmt.Sprintf("package %q", p.Key), node)
	if err != nil {
		return o, err
	}
	var problems []error
	for _, e := range entries {
		o.given[e.Key] = true
		if err := o.set(file, e); err != nil {
			problems = append(problems, err)
		}
	}
	if o.given["arch"] && o.given["not-arch"] {
		problems = append(problems, at(file, p.Line, "package %q has both arch and not-arch; keep one", p.Key))
	}
	return o, errors.Join(problems...)
}

func (o *packageOptions) set(file string, e pair) (err error) {
	switch e.Key {
	case "phase":
		o.phase, err = text(file, "phase", e.Value)
	case "uninstall":
		o.uninstall = true
	case "build-only":
		o.buildOnly = true
	case "installtype":
		o.installType, err = text(file, "installtype", e.Value)
	case "arch":
		o.arch, err = text(file, "arch", e.Value)
	case "not-arch":
		o.notArch, err = text(file, "not-arch", e.Value)
	case "dib_python_version":
		o.pyMajor, err = text(file, "dib_python_version", e.Value)
	case "when":
		o.when, err = readWhen(file, e)
	default:
		o.unknown = append(o.unknown, at(file, e.Line, "option %q is not known and has no effect", e.Key))
	}
	return err
}

func readWhen(file string, e pair) ([]Condition, error) {
	rules := []*yaml.Node{e.Value}
	if e.Value.Kind == yaml.SequenceNode {
		rules = e.Value.Content
	}
	var out []Condition
	for _, rule := range rules {
		words, err := text(file, "when", rule)
		if err != nil {
			return nil, err
		}
		c, err := ParseCondition(words)
		if err != nil {
			return nil, at(file, resolve(rule).Line, "when: %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

// actions returns what the entry asks for; build-only says more than uninstall.
func (o *packageOptions) actions() []string {
	switch {
	case o.buildOnly:
		return []string{installAction, uninstallAction}
	case o.uninstall:
		return []string{uninstallAction}
	}
	return []string{installAction}
}

// wanted applies the filters in their order: install type, architecture, Python
// version, conditions. A condition is only looked at when all before it let the
// entry pass, so its variable need not be set otherwise.
func (o *packageOptions) wanted(element string, env Env) (bool, error) {
	if o.given["installtype"] && o.installType != installType(element, env) {
		return false, nil
	}
	arch := env.get("ARCH", "")
	if o.given["arch"] && !member(o.arch, arch) || o.given["not-arch"] && member(o.notArch, arch) {
		return false, nil
	}
	if o.given["dib_python_version"] && o.pyMajor != env.get("DIB_PYTHON_VERSION", "") {
		return false, nil
	}
	for _, c := range o.when {
		ok, err := c.holds(env)
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// installType is how an element wants to be installed. A variable that is set
// but empty counts as given.
func installType(element string, env Env) string {
	if value, set := env("DIB_INSTALLTYPE_" + strings.ReplaceAll(element, "-", "_")); set {
		return value
	}
	if value, set := env("DIB_DEFAULT_INSTALLTYPE"); set {
		return value
	}
	return "source"
}
