package elements

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Finding is something in an element that makes its results worth less in a
// cache, or that does not do what it looks like.
type Finding struct {
	// Element is the name of the element.
	Element string
	// File is the file as the user knows it, and Line counts from 1 in it; 0 is
	// the file as a whole.
	File string
	Line int
	// Rule is the name of the [LintRule].
	Rule string
	// Text says what was found, and Advice what to do about it.
	Text, Advice string
}

// String returns "file:line: warning: text; advice (rule)".
func (f Finding) String() string {
	where := f.File
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	return fmt.Sprintf("%s: warning: %s; %s (%s)", where, f.Text, f.Advice, f.Rule)
}

// A LintRule is one thing that [Lint] looks for. A line that has, or follows a
// line that has, the comment "dibgraph: ignore=NAME" is exempt; in the comments
// at the head of a file it exempts what is found about the file as a whole.
type LintRule struct {
	// Name is what findings and exemptions call it.
	Name string
	// About says in a few words what is looked for, and Advice what to do.
	About, Advice string

	element func(l *lint)            // looks at an element
	script  func(l *lint, s *script) // looks at each script that a phase runs
}

// A lint is the work of one rule on one element.
type lint struct {
	library  *Library
	element  *Element
	rule     *LintRule
	ignored  func(source string, line int) []string
	findings *[]Finding
}

// add adds a finding, unless the file says that it is meant so.
func (l *lint) add(source string, line int, format string, args ...any) {
	if slices.Contains(l.ignored(source, line), l.rule.Name) {
		return
	}
	*l.findings = append(*l.findings, Finding{
		Element: l.element.Name, File: source, Line: line, Rule: l.rule.Name,
		Text: fmt.Sprintf(format, args...), Advice: l.rule.Advice,
	})
}

// Lint applies all rules to the elements of these names, and returns what they
// find, sorted by element, file and line. If together is set, the elements are
// meant for one image, and what they have twice is a finding, too. The error is
// made of [Problem] values: an element is not there or cannot be read.
func Lint(library *Library, names []string, together bool) ([]Finding, error) {
	var all []*Element
	var problems []*Problem
	for _, name := range names {
		e, err := library.Open(name)
		if err != nil {
			problems = append(problems, Problems(err)...)
			continue
		}
		all = append(all, e)
	}
	if len(problems) > 0 {
		return nil, join(problems)
	}
	var findings []Finding
	for _, e := range all {
		found, err := lintElement(library, e)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	if together {
		findings = append(findings, duplicates(all)...)
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Element, b.Element), strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.Rule, b.Rule))
	})
	return slices.Compact(findings), nil
}

func lintElement(library *Library, e *Element) ([]Finding, error) {
	texts := make(map[string][]string) // by source
	var scripts []*script
	for _, f := range e.Tree.Files {
		if !f.Mode.IsRegular() || f.Size > maxText {
			continue
		}
		content, err := f.Read()
		if err != nil {
			return nil, err
		}
		texts[f.Source] = strings.Split(string(content), "\n")
		if s := scriptOf(f, string(content)); s != nil {
			scripts = append(scripts, s)
		}
	}
	var findings []Finding
	ignored := func(source string, line int) []string { return ignoredAt(texts[source], line) }
	for i := range LintRules {
		l := &lint{library, e, &LintRules[i], ignored, &findings}
		if l.rule.element != nil {
			l.rule.element(l)
		}
		for _, s := range scripts {
			if l.rule.script != nil {
				l.rule.script(l, s)
			}
		}
	}
	return findings, nil
}

var ignoreComment = regexp.MustCompile(`#.*\bdibgraph: ignore=([a-z,-]+)`)

// ignoredAt returns the rules that do not count on a line; 0 is the file.
func ignoredAt(lines []string, line int) []string {
	var rules []string
	for _, l := range lines {
		if !strings.HasPrefix(l, "#") {
			break
		}
		rules = append(rules, ignoredBy(l)...)
	}
	if line > 0 && line <= len(lines) {
		rules = append(rules, ignoredBy(lines[line-1])...)
	}
	// A comment behind what is on the line before is about that.
	if line > 1 && line <= len(lines)+1 && strings.HasPrefix(strings.TrimSpace(lines[line-2]), "#") {
		rules = append(rules, ignoredBy(lines[line-2])...)
	}
	return rules
}

func ignoredBy(line string) []string {
	m := ignoreComment.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	return strings.Split(m[1], ",")
}

// duplicates returns what more than one of the elements has in the same place.
func duplicates(all []*Element) []Finding {
	_, problems := merge(all)
	var findings []Finding
	for _, p := range problems {
		findings = append(findings, Finding{
			File: p.File, Line: p.Line, Rule: duplicateRule, Text: p.Message,
			Advice: "an image with both cannot be built: rename one",
		})
	}
	return findings
}

// duplicateRule is the name of the rule about several elements.
const duplicateRule = "duplicate"
