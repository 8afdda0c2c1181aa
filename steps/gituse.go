package steps

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/steps/mention"
)

// Files of this name say, a line each, which sources are fetched into an image.
const sourceRepository = "hooks/source-repository-"

// gitUses returns the references of git repositories that the sources in one
// such file are fetched from, as the fetching hook reads it.
func gitUses(text string, env map[string]string) []use {
	if env["NO_SOURCE_REPOSITORIES"] != "" {
		return nil
	}
	var uses []use
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		expanded, plain := expand(line, env)
		if !plain {
			// Nothing but a shell can tell. Such a line never stays as it was.
			fields := strings.Fields(line)
			for i, field := range fields {
				fields[i] = withoutUserinfo(field)
			}
			uses = append(uses, use{name: GitToken(Untold, strings.Join(fields, " "))})
			continue
		}
		if u, ok := gitUse(strings.Fields(expanded), env); ok {
			uses = append(uses, u)
		}
	}
	return uses
}

// Untold stands in a git token for the address of a repository that only a
// shell can tell.
const Untold = "?"

// commitID is a reference that always points to the same.
var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// gitUse reads a line of the form NAME TYPE DESTINATION LOCATION [REF], as far
// as it names a git repository to fetch from.
func gitUse(fields []string, env map[string]string) (use, bool) {
	if len(fields) < 4 {
		return use{}, false
	}
	name := variableName.ReplaceAllString(fields[0], "_")
	setting := func(variable, otherwise string) string {
		if value := env[variable+name]; value != "" {
			return value
		}
		return otherwise
	}
	kind := setting("DIB_REPOTYPE_", fields[1])
	install := setting("DIB_INSTALLTYPE_", env["DIB_DEFAULT_INSTALLTYPE"])
	if kind != "git" || install != "source" && install != "" {
		return use{}, false
	}
	ref := "master"
	if len(fields) > 4 {
		ref = fields[4]
	}
	location, ref := setting("DIB_REPOLOCATION_", fields[3]), setting("DIB_REPOREF_", ref)
	if base := env["DIB_GITREPOBASE"]; base != "" {
		location = hostPart.ReplaceAllLiteralString(location, strings.TrimRight(base, "/")+"/")
	}
	if commitID.MatchString(ref) || strings.ContainsAny(location+ref, " \t\n") {
		return use{}, false
	}
	return use{name: GitToken(location, ref)}, true
}

var (
	variableName = regexp.MustCompile(`[^A-Za-z0-9]`)
	hostPart     = regexp.MustCompile(`^[^:]+://[^/]*/`)
)

// plainVariable is a variable, with or without a default, as a shell has it.
var plainVariable = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(:?-[^${}]*)?\})`)

// expand does what a shell does with plain variables and quotes. It reports
// false for text that means more than that to a shell.
func expand(line string, env map[string]string) (string, bool) {
	const special = "$`\\;|&<>(){}'\""
	outside := plainVariable.ReplaceAllString(line, "")
	if strings.ContainsAny(strings.ReplaceAll(outside, `"`, ""), special) || strings.Count(outside, `"`)%2 != 0 {
		return "", false
	}
	expanded := plainVariable.ReplaceAllStringFunc(line, func(match string) string {
		parts := plainVariable.FindStringSubmatch(match)
		value, set := env[parts[1]+parts[2]]
		switch otherwise := parts[3]; {
		case strings.HasPrefix(otherwise, ":-") && value == "":
			return otherwise[2:]
		case strings.HasPrefix(otherwise, "-") && !set:
			return otherwise[1:]
		}
		return value
	})
	return strings.ReplaceAll(expanded, `"`, ""), true
}

// gitUses returns the references that the files among the observations lead to.
func (a *Ambient) gitUses(observed []string, env map[string]string) []use {
	var uses []use
	for _, observation := range observed {
		for _, name := range a.files(observation) {
			e := a.entries[name]
			if !strings.HasPrefix(name, sourceRepository) || e.Read == nil {
				continue
			}
			if text, err := e.Read(); err == nil {
				uses = append(uses, gitUses(string(text), env)...)
			}
		}
	}
	slices.SortFunc(uses, func(a, b use) int { return strings.Compare(a.name, b.name) })
	return slices.Compact(uses)
}

// fetchesSources reports whether text with these words may look for the files.
// One that it does not recognize runs once more in the next build.
func fetchesSources(words mention.Words) bool { return words.Match("repository") }
