package helper

import (
	"fmt"
	"regexp"
	"strings"
)

// A Condition is one "when" rule: VARIABLE=value or VARIABLE!=value.
type Condition struct {
	Variable, Value string
	// Differ is true for "!=".
	Differ bool
}

// The value is the rest of the line, untouched: trailing spaces count, and "=="
// compares with a value that starts with an equals sign.
var conditionForm = regexp.MustCompile(`^(\w+)\s*(!=|=)\s*(.*)`)

// ParseCondition reads a rule.
func ParseCondition(rule string) (Condition, error) {
	m := conditionForm.FindStringSubmatch(rule)
	if m == nil {
		return Condition{}, fmt.Errorf("%q is not a condition; write VARIABLE=value or VARIABLE!=value", rule)
	}
	return Condition{Variable: m[1], Value: m[3], Differ: m[2] == "!="}, nil
}

// Holds reports whether the condition holds for a value of its variable.
func (c Condition) Holds(value string) bool { return (value == c.Value) != c.Differ }

// holds evaluates the condition. A variable that is not set at all is an error:
// a misspelt name must not silently drop a package.
func (c Condition) holds(env Env) (bool, error) {
	value, set := env(c.Variable)
	if !set {
		return false, fmt.Errorf("variable %s is not set; a condition needs one that is (an environment.d file can give it a default)", c.Variable)
	}
	return c.Holds(value), nil
}

// member reports whether want is one of the words of a comma-separated list.
// The words are not trimmed: in "a, b" the second one is " b".
func member(list, want string) bool {
	for word := range strings.SplitSeq(list, ",") {
		if word == want {
			return true
		}
	}
	return false
}
