package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
	"github.com/dibgraph/dibgraph/graph"
)

// A reporter words reports from what the store holds. It changes nothing.
type reporter struct{ store *cache.Store }

// report words a build. Timed is the build whose times and logs go with it: the
// build itself, or for a planned one the last of that image, nil if there is none.
func (r reporter) report(b, timed *cache.Build) *reports.Report {
	count := make(map[graph.Status]int)
	logs := make(map[string]cache.Blob)
	if timed != nil {
		for _, n := range timed.Nodes {
			logs[n.Name] = n.Log
		}
	}
	out := &reports.Report{Build: b, Timed: timed, Facts: factsOf(b)}
	words := newWording(r.store)
	for _, explained := range explainBuild(r.store, b) {
		count[graph.Status(explained.Status)]++
		n := reports.Node{
			Explanation: explained, Outcome: outcome(explained.BuildNode),
			Log: r.logTail(logs[explained.Name], len(b.Nodes), graph.Status(explained.Status) == graph.Failed),
		}
		if len(n.Reasons) > 0 {
			// Without one, causes are those of an earlier build that failed.
			n.Reason, n.Why = firstReason(n.Reasons), words.why(explained.Causes)
		}
		if n.Duration > 0 {
			n.Took = seconds(n.Duration)
		}
		if n.BuildNode.Saved > 0 {
			n.Saved = seconds(n.BuildNode.Saved)
		}
		out.Nodes = append(out.Nodes, n)
	}
	out.Headline = counts(count)
	if b.Outcome == graph.OutcomeFailed || b.Outcome == graph.OutcomeInterrupted {
		out.Headline = b.Outcome + ": " + out.Headline
	}
	return out
}

// buildBefore returns the build of an image before the one of that id, its last
// one for the empty id. One that cannot be read is as good as none: a reason
// then leads back less far.
func buildBefore(store *cache.Store, image, id string) *cache.Build {
	ids, err := store.Builds(image)
	if err != nil {
		return nil
	}
	for _, other := range ids {
		if id != "" && other >= id {
			continue
		}
		if b, err := store.Build(other); err == nil {
			return b
		}
	}
	return nil
}

func (r reporter) logTail(log cache.Blob, nodes int, failed bool) reports.Log {
	if log.Digest.IsZero() {
		return reports.Log{}
	}
	content, err := r.store.ReadBlob(log.Digest)
	if err != nil {
		return reports.Log{Text: fmt.Sprintf("(the log cannot be read: %v)", err)}
	}
	return reports.TailOf(content, reports.LogRoom(nodes, failed))
}

// factsOf says what there is to know of a build besides its nodes.
func factsOf(b *cache.Build) []reports.Fact {
	var facts []reports.Fact
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, reports.Fact{Name: name, Text: text})
		}
	}
	if b.Outcome == graph.OutcomePlanned {
		add("build", "not yet: this is what one would do now")
	} else {
		add("built", b.Started.Local().Format("2006-01-02 15:04:05 -0700"))
		add("outcome", b.Outcome)
		add("took", seconds(b.Duration))
		var saved time.Duration
		for _, n := range b.Nodes {
			saved += n.Saved
		}
		if saved > 0 {
			add("saved", seconds(saved))
		}
	}
	add("arguments", strings.Join(b.Args, " "))
	add("files", strings.Join(b.Outputs, " "))
	add("id", b.ID)
	return facts
}
