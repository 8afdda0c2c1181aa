package strictyaml

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestResolve(t *testing.T) {
	for name, test := range map[string]struct{ text, want, problem string }{
		"alias":          {"a: &x [1, 2]\nb: *x", "a: [1, 2] b: [1, 2]", ""},
		"merge":          {"a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}", "a: {k: 1, l: 2} b: {l: 3, k: 1}", ""},
		"earlier wins":   {"a: &x {k: 1}\nb: &y {k: 2, m: 4}\nc: {<<: [*x, *y]}", "a: {k: 1} b: {k: 2, m: 4} c: {k: 1, m: 4}", ""},
		"merge of merge": {"a: &x {k: 1}\nb: &y {<<: *x}\nc: {<<: *y}", "a: {k: 1} b: {k: 1} c: {k: 1}", ""},
		"no map":         {"a: &x 1\nb: {<<: *x}", "", `f:1: << merges a map or a list of maps, and this is "1"`},
		"itself":         {"a: &x [1, *x]", "", "f:1: the alias *x is part of what it stands for"},
		"bomb":           {bomb(), "", "f:1: is more than 200000 values with its aliases written out"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Reader{File: "f"}
			root := r.Resolve(r.Document([]byte(test.text)))
			if test.problem != "" {
				if len(r.Problems) == 0 || r.Problems[0].Error() != test.problem {
					t.Errorf("problems %v, want %q", r.Problems, test.problem)
				}
				return
			}
			if len(r.Problems) > 0 {
				t.Fatal(r.Problems)
			}
			if got := flow(t, root); got != test.want {
				t.Errorf("resolved to %q, want %q", got, test.want)
			}
		})
	}
}

// bomb is a small text that is huge with its aliases written out.
func bomb() string {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return text
}

func flow(t *testing.T, n *yaml.Node) string {
	var clear func(*yaml.Node)
	clear = func(n *yaml.Node) {
		n.Anchor = ""
		for _, c := range n.Content {
			clear(c)
		}
	}
	clear(n)
	text, err := yaml.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", " ")
}
