package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// A checkReport says what came of running cached nodes again (build --check).
type checkReport struct {
	results []*graph.Result // of the nodes that were run again
	unused  int             // chosen nodes that had no record to compare with
}

func newCheckReport(chosen nodeGlobs, results []*graph.Result) checkReport {
	var c checkReport
	for _, r := range results {
		switch {
		case r.Recheck != nil:
			c.results = append(c.results, r)
		case r.Status == graph.Ran && chosen.match(r.Node.Name):
			c.unused++
		}
	}
	return c
}

// differing returns the results that are not what is recorded, and apart from
// them those of which that is to be expected and nobody can tell.
func (c checkReport) differing() (differ, images []*graph.Result) {
	for _, r := range c.results {
		switch {
		case r.Recheck.Agrees():
		case onlyDiskImage(r):
			images = append(images, r)
		default:
			differ = append(differ, r)
		}
	}
	return differ, images
}

// onlyDiskImage reports whether nothing but the bytes of a disk image differs, of
// which this machine cannot say what is in it. They always may: the kernel fills
// the filesystems, and puts times and blocks where it likes.
func onlyDiskImage(r *graph.Result) bool {
	c := r.Recheck
	if _, disk := r.Node.Action.(*steps.Disk); !disk || c.Failed != nil || c.Agrees() {
		return false
	}
	return !slices.ContainsFunc(c.Outputs, func(o graph.OutputDifference) bool {
		unknown := o.Name == steps.RawOutput && o.Inside == nil && !o.Missing && !o.New && o.Content.Before == o.Content.After
		return !unknown && !o.Agrees()
	})
}

// line is the last line of a check.
func (c checkReport) line() string {
	differ, images := c.differing()
	text := fmt.Sprintf("checked %s: %d agree", plural(len(c.results), "node"), len(c.results)-len(differ)-len(images))
	if len(differ) > 0 {
		var list []string
		for _, r := range differ {
			list = append(list, fmt.Sprintf("%s (%s)", r.Node.Name, checkShort(r.Recheck)))
		}
		text += fmt.Sprintf(", %d differ: %s", len(differ), strings.Join(list, ", "))
	}
	for _, r := range images {
		text += fmt.Sprintf("; %s (%s) differs as disk images do, and cannot be looked into here", r.Node.Name, checkShort(r.Recheck))
	}
	if c.unused > 0 {
		text += fmt.Sprintf("; %s had nothing to compare with and ran", plural(c.unused, "node"))
	}
	return text
}

// err is the end of a build whose nodes are not what is recorded.
func (c checkReport) err() error {
	if differ, _ := c.differing(); len(differ) > 0 {
		return &statusError{status: exitDiverged}
	}
	return nil
}

// uncheckedErr is the end of a build in which globs of --check chose no node.
func uncheckedErr(chosen nodeGlobs, results []*graph.Result) error {
	names := make([]string, len(results))
	for i, r := range results {
		names[i] = r.Node.Name
	}
	if unmatched := chosen.unmatched(names); len(unmatched) > 0 {
		return &hintError{fmt.Errorf("check %s: no node has such a name", strings.Join(unmatched, ", ")), `"dibgraph graph" lists the nodes of an image`}
	}
	return nil
}
