package elements

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/nearest"
)

// An expandProblem is what is wrong with a variable in a text.
type expandProblem struct{ message, hint string }

// expand replaces $NAME, ${NAME} and ${NAME:-default} in a text; "$$" is a
// dollar sign. A default may hold variables again, and is taken for an empty
// variable too, as in a shell. A variable that is not defined is a problem, but
// not in a default that is not needed. Shown is the value with those variables
// left as they are that must not be shown.
func expand(text string, variables map[string]string) (value, shown string, problems []expandProblem) {
	var v, s strings.Builder
	add := func(text string) {
		v.WriteString(text)
		s.WriteString(text)
	}
	for {
		before, rest, ok := strings.Cut(text, "$")
		add(before)
		if !ok {
			return v.String(), s.String(), problems
		}
		var name, otherwise string
		var hasDefault bool
		switch {
		case strings.HasPrefix(rest, "$"):
			add("$")
			text = rest[1:]
			continue
		case strings.HasPrefix(rest, "{"):
			inside, after, closed := cutBraces(rest[1:])
			if !closed {
				return "", "", append(problems, expandProblem{message: "a } is missing after ${"})
			}
			name, otherwise, hasDefault = strings.Cut(inside, ":-")
			text = after
		default:
			end := 0
			for end < len(rest) && (rest[end] == '_' || 'a' <= rest[end]|0x20 && rest[end]|0x20 <= 'z' || end > 0 && '0' <= rest[end] && rest[end] <= '9') {
				end++
			}
			name, text = rest[:end], rest[end:]
		}
		if !identifier.MatchString(name) {
			problems = append(problems, expandProblem{
				fmt.Sprintf("%q is no name of a variable", name), "write $NAME, ${NAME} or ${NAME:-default}, and $$ for a dollar sign",
			})
			continue
		}
		found, defined := variables[name]
		switch {
		case hasDefault && found == "":
			value, shown, more := expand(otherwise, variables)
			v.WriteString(value)
			s.WriteString(shown)
			problems = append(problems, more...)
		case !defined:
			problems = append(problems, expandProblem{fmt.Sprintf("the variable %s is not defined", name), undefinedHint(name, variables)})
		case IsSecret(name, found):
			v.WriteString(found)
			s.WriteString("${" + name + "}")
		default:
			add(found)
		}
	}
}

// cutBraces divides a text that follows "${" at the "}" which belongs to it.
func cutBraces(text string) (inside, after string, closed bool) {
	depth := 1
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '}':
			depth--
		case strings.HasPrefix(text[i:], "${"):
			depth++
		}
		if depth == 0 {
			return text[:i], text[i+1:], true
		}
	}
	return "", "", false
}

// undefinedHint says what to do about a variable that is not defined.
func undefinedHint(name string, variables map[string]string) string {
	if near := nearest.Question(name, slices.Collect(maps.Keys(variables))); near != "" {
		return near
	}
	return fmt.Sprintf("export it, or write ${%s:-default}; what environment.d sets is not known yet when sources are fetched", name)
}
