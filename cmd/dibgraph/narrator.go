package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// A narrator tells people what happened in a build, and why.
type narrator struct {
	comparer
	w     io.Writer
	build *cache.Build
}

func (n narrator) say(format string, args ...any) { fmt.Fprintf(n.w, format+"\n", args...) }

// headline says which build it is about, and what became of its nodes.
func (n narrator) headline(explained []graph.Explanation, whole bool) {
	count := make(map[graph.Status]int)
	for _, e := range explained {
		count[graph.Status(e.Status)]++
	}
	switch b := n.build; {
	case !whole && b.Outcome == graph.OutcomePlanned:
		n.say("%s, if it were built now:", b.Image)
	case !whole:
		n.say("%s, built %s:", b.Image, when(b))
	case b.Outcome == graph.OutcomePlanned:
		n.say("%s, if it were built now: %s", b.Image, counts(count))
	case b.Outcome == graph.OutcomeCompared:
		n.say("%s", differing(count))
	default:
		n.say("%s, built %s in %s: %s", b.Image, when(b), seconds(b.Duration), counts(count))
	}
}

func differing(count map[graph.Status]int) string {
	return fmt.Sprintf("%d nodes differ, %d are the same", count[graph.Differs], count[graph.Hit])
}

// A change is one thing that differs from last time, and the nodes it made run.
type change struct {
	cause graph.Cause
	// also are further causes that are about the same thing.
	also  []cache.Reason
	nodes []consequence
}

// A consequence is a node that ran because of a change.
type consequence struct {
	node graph.Explanation
	// via is why it did: the last step of the way from the change to it.
	via cache.Reason
	// direct says that the change is at the node itself.
	direct bool
}

// changesOf groups the causes of all nodes that did not simply hit, in the order
// of the build.
func changesOf(explained []graph.Explanation) []*change {
	var changes []*change
	known := make(map[string]*change)
	for _, e := range explained {
		if graph.Status(e.Status) == graph.Hit {
			continue
		}
		told := make(map[*change]bool)
		for _, cause := range e.Causes {
			key := changeKey(cause)
			c := known[key]
			if c == nil {
				c = &change{cause: cause}
				known[key] = c
				changes = append(changes, c)
			} else if !sameReason(c, cause.Reason) {
				c.also = append(c.also, cause.Reason)
			}
			if told[c] {
				continue
			}
			told[c] = true
			consequence := consequence{node: e, via: cause.Reason, direct: true}
			if last := len(cause.Path) - 1; last >= 0 {
				consequence.via, consequence.direct = cause.Path[last].Reason, false
			}
			c.nodes = append(c.nodes, consequence)
		}
	}
	return changes
}

// changeKey tells changes apart: by the file or the input, or by the node where
// the reason is about that.
func changeKey(c graph.Cause) string {
	r := c.Reason
	switch {
	case r.Kind == cache.ReasonNeverBuilt && r.Where == "" || r.Detail == graph.NeverBuilt:
		return r.Detail
	case r.Where != "":
		return "where " + r.Where
	case r.Input != "":
		return r.Input + "\x00" + r.Old + "\x00" + r.New
	}
	return r.Kind + "\x00" + c.Node
}

func sameReason(c *change, r cache.Reason) bool {
	same := func(o cache.Reason) bool { return o.Input == r.Input && o.Old == r.Old && o.New == r.New }
	if same(c.cause.Reason) {
		return true
	}
	for _, o := range c.also {
		if same(o) {
			return true
		}
	}
	return false
}

// changes tells what differs, and below each thing what it made run. Nodes that
// were never built are only counted, unless all are wanted or they failed.
func (n narrator) changes(explained []graph.Explanation, all bool) {
	for _, c := range changesOf(explained) {
		n.say("")
		n.change(c)
		few := !all && c.cause.Reason.Detail == graph.NeverBuilt && len(c.nodes) > 1
		if few {
			n.say("  all %d nodes that had no record: %s", len(c.nodes), namesOf(c.nodes))
		}
		n.consequences(c.nodes, few, all)
	}
}

// consequences tells what a change made run. Nodes that it reached by the same
// way are told together, unless all are wanted: first those that took long.
func (n narrator) consequences(nodes []consequence, few, all bool) {
	var lastVia string
	var short []consequence
	flush := func() {
		n.together(short)
		short = nil
	}
	for _, c := range nodes {
		via := n.via(c)
		if c.node.Error == "" && (few || !all && !c.direct && via == lastVia && briefly(c.node)) {
			if !few {
				short = append(short, c)
			}
			continue
		}
		if via != lastVia && !all && !c.direct && graph.Status(c.node.Status) == graph.Maybe && lastVia != "" {
			// Each of a chain of plans waits for the one before.
			short = append(short, c)
			continue
		}
		flush()
		shown := via
		if via == lastVia && !c.direct && !all {
			shown = "likewise"
		}
		n.consequence(c, shown)
		lastVia = via
	}
	flush()
}

// briefly reports whether a node took no time worth a line.
func briefly(e graph.Explanation) bool {
	return graph.Status(e.Status) == graph.Ran && e.Duration < time.Second
}

// together tells of several nodes in one line.
func (n narrator) together(nodes []consequence) {
	switch {
	case len(nodes) == 0:
		return
	case len(nodes) == 1 && briefly(nodes[0].node):
		n.consequence(nodes[0], "likewise")
		return
	case len(nodes) == 1:
		n.consequence(nodes[0], n.via(nodes[0]))
		return
	}
	names := make([]string, 0, len(nodes))
	var took time.Duration
	for _, c := range nodes {
		names = append(names, c.node.Name)
		took += c.node.Duration
	}
	status, why := seconds(took), ""
	if graph.Status(nodes[0].node.Status) == graph.Maybe {
		status, why = "may run", "if what they work on is another than last time: "
	}
	n.say("  %-40s %-12s %s", fmt.Sprintf("… %d more", len(nodes)), status, why+some(names))
}

func (n narrator) consequence(c consequence, via string) {
	if c.node.Same {
		via = strings.TrimPrefix(via+", left the same as before", ", ")
	}
	n.say("  %s", strings.TrimRight(fmt.Sprintf("%-40s %-12s %s", c.node.Name, outcomeShort(c.node.BuildNode), via), " "))
	if c.node.Error != "" {
		n.say("      failed: %s", c.node.Error)
	}
}

// change tells what one change is.
func (n narrator) change(c *change) {
	n.say("%s", causeTitle(c.cause))
	lines := n.difference(c.cause.Reason)
	for _, r := range c.also {
		if len(lines) == 0 {
			lines = n.difference(r)
		}
	}
	for _, line := range lines {
		n.say("    %s", line)
	}
}

// causeTitle names a first cause; one that is about a node names it.
func causeTitle(c graph.Cause) string {
	r := c.Reason
	switch {
	case r.Detail == graph.NeverBuilt:
		return "never built before"
	case r.Kind == cache.ReasonNeverBuilt && r.Where != "":
		return fmt.Sprintf("%s (%s) is %s", c.Node, r.Where, r.Detail)
	case r.Kind == cache.ReasonNeverBuilt:
		return c.Node + " is " + r.Detail
	case r.Input == "" && !strings.HasPrefix(r.Detail, c.Node):
		return c.Node + ": " + reasonTitle(r)
	}
	return reasonTitle(r)
}

func namesOf(nodes []consequence) string {
	var names []string
	for _, c := range nodes {
		names = append(names, c.node.Name)
	}
	return some(names)
}

// outcomeShort is what became of a node, for a column.
func outcomeShort(b cache.BuildNode) string {
	if graph.Status(b.Status) == graph.Ran {
		return seconds(b.Duration)
	}
	text, _, _ := strings.Cut(outcome(b), ":")
	return text
}

// via says how a change reached a node.
func (n narrator) via(c consequence) string {
	switch r := c.via; {
	case c.direct:
		return useOf(r)
	case r.Kind == cache.ReasonWaits:
		return r.Detail
	case !r.Before.IsZero() || !r.After.IsZero():
		files := n.files(r)
		if changed := n.packages(r); len(changed) > 0 {
			return fmt.Sprintf("%s changed packages: %s (%s)", r.Cause, some(changed), plural(len(files), "file"))
		}
		if len(files) > 0 {
			return fmt.Sprintf("%s changed %s", r.Cause, some(files))
		}
		return r.Detail
	case r.Cause != "" && strings.HasPrefix(r.Input, "env "):
		return fmt.Sprintf("%s sets %s to another value", r.Cause, strings.TrimPrefix(r.Input, "env "))
	case r.Cause != "":
		return r.Detail
	}
	return reasonTitle(c.via)
}

// useOf says what a node has to do with an input.
func useOf(r cache.Reason) string {
	kind, _, _ := strings.Cut(r.Input, " ")
	switch kind {
	case "hook":
		return "is this hook"
	case "file", "host":
		return "reads it"
	case "exists", "listed":
		return "may test whether it is there"
	case "list":
		return "lists it"
	case "env":
		return "may use it"
	case "environment.d":
		return "sources it"
	}
	return ""
}

// unchanged lists what was not reached, and the hits if they are wanted.
func (n narrator) unchanged(explained []graph.Explanation, all bool) {
	var skipped []string
	for _, e := range explained {
		if graph.Status(e.Status) == graph.Skipped {
			skipped = append(skipped, e.Name)
		}
	}
	if len(skipped) > 0 {
		n.say("\nnot reached: %s", some(skipped))
	}
	if !all {
		return
	}
	n.say("")
	for _, e := range explained {
		if graph.Status(e.Status) == graph.Hit {
			n.say("hit   %s", e.Name)
		}
	}
}

// node tells of one node the whole way from each first cause.
func (n narrator) node(e graph.Explanation) {
	n.say("%s %s", e.Name, outcome(e.BuildNode))
	if e.Coarse {
		n.say("    it could not be observed, so that all that it could have read counts (coarse)")
	}
	for _, cause := range e.Causes {
		n.say("")
		n.say("  because %s", causeTitle(cause))
		for _, line := range n.difference(cause.Reason) {
			n.say("      %s", line)
		}
		if use := useOf(cause.Reason); use != "" {
			n.say("    %s %s", cause.Node, use)
		}
		for _, hop := range cause.Path {
			via := n.via(consequence{via: hop.Reason})
			n.say("    %s works on that: %s", hop.Node, via)
		}
	}
	if tools := toolsOf(n.store, e.Key); len(tools) > 0 {
		n.say("\n  made with these programs of the host, which count only with --strict-host:")
		for _, tool := range tools {
			n.say("    %s", tool)
		}
	}
}
