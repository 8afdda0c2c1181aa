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
// dollar sign. A default is taken as it is, and for an empty variable too, as
// in a shell. A variable that is not defined is a problem. Shown is the value
// with those variables left as they are that must not be shown.
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
			inside, after, closed := strings.Cut(rest[1:], "}")
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
			add(otherwise)
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

// undefinedHint says what to do about a variable that is not defined.
func undefinedHint(name string, variables map[string]string) string {
	if near := nearest.Question(name, slices.Collect(maps.Keys(variables))); near != "" {
		return near
	}
	return fmt.Sprintf("export it, or write ${%s:-default}; what environment.d sets is not known yet when sources are fetched", name)
}
