package main

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A report collects a run and prints it as it goes.
type report struct {
	out      io.Writer
	expected []*regexp.Regexp  // reasons of skips that are no surprise
	packages map[string]*pkg   // those that have not ended
	builds   map[string]string // output of builds, by their import path
	skips    []skip

	passed, failed int
}

type pkg struct {
	output strings.Builder
	tests  map[string]*test
	order  []string // the tests as they started

	passed, failed, skipped int
}

type test struct {
	output strings.Builder
	state  string // "pass", "fail" or "skip"; empty: it has not ended
	// parent and failedChild say whether there are subtests, and whether one of
	// them has failed.
	parent, failedChild bool
}

type skip struct {
	pkg, test, reason string
	expected          bool
}

func newReport(out io.Writer, expected []*regexp.Regexp) *report {
	return &report{out: out, expected: expected, packages: map[string]*pkg{}, builds: map[string]string{}}
}

func (r *report) add(e event) {
	switch {
	case e.Action == "build-output":
		r.builds[e.ImportPath] += e.Output
	case e.Action == "build-fail":
		// The package that needed the build says that it failed.
	case e.Test == "":
		r.addToPackage(e)
	default:
		r.addToTest(e)
	}
}

func (r *report) pkg(name string) *pkg {
	if r.packages[name] == nil {
		r.packages[name] = &pkg{tests: map[string]*test{}}
	}
	return r.packages[name]
}

func (p *pkg) test(name string) *test {
	if p.tests[name] == nil {
		p.tests[name] = &test{}
		p.order = append(p.order, name)
	}
	return p.tests[name]
}

func (r *report) addToTest(e event) {
	p := r.pkg(e.Package)
	t := p.test(e.Test)
	switch e.Action {
	case "run":
		for _, parent := range p.parents(e.Test) {
			parent.parent = true
		}
	case "output":
		if !isProgress(e.Output) {
			t.output.WriteString(e.Output)
		}
	case "pass", "fail", "skip":
		t.state = e.Action
		r.end(e, p, t)
	}
}

// end counts a test that has ended.
func (r *report) end(e event, p *pkg, t *test) {
	switch {
	case e.Action == "skip":
		p.skipped++
		why := reason(t.output.String())
		known := slices.ContainsFunc(r.expected, func(x *regexp.Regexp) bool { return x.MatchString(why) })
		r.skips = append(r.skips, skip{e.Package, e.Test, why, known})
	case e.Action == "fail" && !t.failedChild:
		p.failed++
	case e.Action == "pass" && !t.parent:
		p.passed++
	}
	if e.Action == "fail" {
		for _, parent := range p.parents(e.Test) {
			parent.failedChild = true
		}
	} else {
		t.output.Reset()
	}
}

// parents are the tests that name is a subtest of.
func (p *pkg) parents(name string) []*test {
	var all []*test
	for i, c := range name {
		if c == '/' && p.tests[name[:i]] != nil {
			all = append(all, p.tests[name[:i]])
		}
	}
	return all
}

func (r *report) addToPackage(e event) {
	p := r.pkg(e.Package)
	switch e.Action {
	case "output":
		if !isVerdict(e.Output) {
			p.output.WriteString(e.Output)
		}
	case "pass", "fail", "skip":
		r.endPackage(e, p)
		delete(r.packages, e.Package)
	}
}

func (r *report) endPackage(e event, p *pkg) {
	verdict := "ok"
	switch {
	case e.Action == "fail":
		verdict = "FAIL"
		r.show(e, p)
	case len(p.tests) == 0:
		verdict = "-"
	}
	r.passed += p.passed
	r.failed += p.failed
	counts := fmt.Sprintf("%d passed", p.passed)
	if p.failed > 0 {
		counts += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.skipped > 0 {
		counts += fmt.Sprintf(", %d skipped", p.skipped)
	}
	if verdict == "-" {
		counts = "no tests"
	}
	fmt.Fprintf(r.out, "%-4s %7.1fs  %s  %s\n", verdict, e.Elapsed, e.Package, counts)
}

// show prints everything that may explain the failure of a package, and counts
// what ended without a verdict: a test that was running when the process ended,
// or the package as a whole.
func (r *report) show(e event, p *pkg) {
	fmt.Fprint(r.out, withNewline(r.builds[e.FailedBuild]))
	for _, name := range p.order {
		t := p.tests[name]
		if t.state == "" {
			fmt.Fprintf(r.out, "--- did not end: %s %s\n", e.Package, name)
			if !t.parent {
				p.failed++
			}
		}
		if t.state == "" || t.state == "fail" {
			fmt.Fprint(r.out, withNewline(t.output.String()))
		}
	}
	fmt.Fprint(r.out, withNewline(p.output.String()))
	if p.failed == 0 {
		p.failed++
	}
}

// finish prints the end of the report and says whether the run is good.
func (r *report) finish() bool {
	for _, name := range slices.Sorted(maps.Keys(r.packages)) {
		r.addToPackage(event{Action: "fail", Package: name})
	}
	surprises := r.showSkips()
	if r.passed == 0 {
		fmt.Fprintln(r.out, "no test passed: was anything tested?")
	}
	fmt.Fprintf(r.out, "%s\n", plural(surprises, "unexpected skip"))
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, len(r.skips))
	return r.passed > 0 && r.failed == 0 && surprises == 0
}

// showSkips prints every unexpected skip, and the expected ones of each package
// that have one reason together. It returns the number of the former.
func (r *report) showSkips() (surprises int) {
	expected := map[string][]string{}
	for _, s := range r.skips {
		if s.expected {
			group := s.pkg + ": " + s.reason
			expected[group] = append(expected[group], s.test)
		}
	}
	for _, group := range slices.Sorted(maps.Keys(expected)) {
		fmt.Fprintf(r.out, "expected skips: %s: %s\n", group, strings.Join(expected[group], " "))
	}
	for _, s := range r.skips {
		if !s.expected {
			surprises++
			fmt.Fprintf(r.out, "UNEXPECTED SKIP: %s: %s: %s\n", s.pkg, s.reason, s.test)
		}
	}
	return surprises
}

func withNewline(text string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
