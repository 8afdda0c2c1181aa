package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/elements"
)

func newElementsLintCommand(library func() (*elements.Library, error)) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "lint [ELEMENT…]",
		Short: "warn of what hurts caching or correctness in elements",
		Long: `Look for what makes the results of elements worth less in a cache, or does not do
what it looks like: all elements in the directories given, or those that are
named, which can be embedded ones. Elements that are named together are also
looked at together. The rules:

` + lintRuleTable() + `
A line that is meant as it is has, or follows a line with, the comment

    # dibgraph: ignore=RULE

which in the comments at the head of a file exempts all of it. The exit status is 1 if
anything is found.
`,
		Example: `  dibgraph elements lint --elements-path elements
  dibgraph elements lint --json web | jq -r '.[].rule'`,
		RunE: func(c *cobra.Command, args []string) error {
			l, err := library()
			if err != nil {
				return err
			}
			return runLint(c.OutOrStdout(), l, args, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// lintRuleTable lists the rules for the help.
func lintRuleTable() string {
	var b strings.Builder
	for _, r := range elements.LintRules {
		fmt.Fprintf(&b, "    %-17s %s\n", r.Name, r.About)
	}
	return b.String()
}

func runLint(w io.Writer, l *elements.Library, names []string, asJSON bool) error {
	together := len(names) > 1
	if len(names) == 0 {
		names = slices.DeleteFunc(l.Names(), func(name string) bool {
			e, _ := l.Find(name)
			return e.Embedded()
		})
		if len(names) == 0 {
			return &hintError{&usageError{errors.New("no element is named, and no directory with elements is given")}, `name elements, or a directory with --elements-path`}
		}
	}
	findings, err := elements.Lint(l, names, together)
	if err != nil {
		return err
	}
	if asJSON {
		err = lintJSON(w, findings)
	} else {
		for _, f := range findings {
			fmt.Fprintln(w, f)
		}
	}
	if err == nil && len(findings) > 0 {
		return &statusError{status: exitFailed}
	}
	return err
}

func lintJSON(w io.Writer, findings []elements.Finding) error {
	type jsonFinding struct {
		Element string `json:"element,omitempty"`
		File    string `json:"file"`
		Line    int    `json:"line,omitempty"`
		Rule    string `json:"rule"`
		Text    string `json:"text"`
		Advice  string `json:"advice"`
	}
	list := []jsonFinding{}
	for _, f := range findings {
		list = append(list, jsonFinding(f))
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(list)
}
