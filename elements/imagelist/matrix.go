package imagelist

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/internal/problem"
)

// combinations returns every choice of one value for each variable, the last
// variable changing first. There is one, of nothing, without variables.
func combinations(variables []pair) [][]pair {
	all := [][]pair{nil}
	for _, v := range variables {
		var more [][]pair
		for _, before := range all {
			for _, one := range v.list {
				more = append(more, append(slices.Clip(before), pair{at: one.at, name: v.name, text: one.text}))
			}
		}
		all = more
	}
	return all
}

// A matrix puts one choice into texts.
type matrix struct {
	choice   []pair
	problems []*problem.Problem
}

// reference is how a text mentions a variable.
var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// replace puts the values in place of ${NAME}. Other names are left as they
// are: a text can have a dollar for what reads it.
func (m *matrix) replace(_ place, text string) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		for _, c := range m.choice {
			if found == "${"+c.name+"}" {
				return c.text
			}
		}
		return found
	})
}

// name returns the imagename of the choice: with the values that it mentions,
// and behind it, in the order of the matrix, those of which there are several
// and that it does not.
func (m *matrix) name(at place, name string, variables []pair) string {
	if len(m.choice) == 0 {
		return name
	}
	full := m.replace(at, name)
	for _, left := range reference.FindAllStringSubmatch(full, -1) {
		var known []string
		for _, c := range m.choice {
			known = append(known, c.name)
		}
		m.problem(at, nearest.Question(left[1], known), "imagename %q has ${%s}, which is not in its matrix", name, left[1])
	}
	for i, c := range m.choice {
		if len(variables[i].list) < 2 || strings.Contains(name, "${"+c.name+"}") {
			continue
		}
		if strings.ContainsAny(c.text, "/ \t") {
			m.problem(c.at, fmt.Sprintf("write the imagename with ${%s} of another variable, or shorter values", c.name), "matrix %s: %q cannot be part of a name", c.name, c.text)
			continue
		}
		full += "-" + c.text
	}
	return full
}

func (m *matrix) problem(at place, hint, format string, args ...any) {
	m.problems = append(m.problems, &problem.Problem{File: at.file, Line: at.line, Message: fmt.Sprintf(format, args...), Hint: hint})
}
