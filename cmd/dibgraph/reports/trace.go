package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// A traceEvent is one of the Chrome trace event format. Times are microseconds.
type traceEvent struct {
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	Phase    string         `json:"ph"`
	Time     int64          `json:"ts"`
	Duration *int64         `json:"dur,omitempty"`
	Process  int            `json:"pid"`
	Thread   int            `json:"tid"`
	Scope    string         `json:"s,omitempty"`
	Args     map[string]any `json:"args,omitempty"`
}

// Threads of a trace: the hits, then the lanes of what ran. Viewers take thread
// 0 for the idle one of the machine.
const (
	traceProcess = 1
	hitThread    = 1
	firstWorker  = 2
)

// WriteTrace writes the build in the Chrome trace event format, which Perfetto
// and chrome://tracing show: what ran as an event of its length on the lane of
// a worker, and each hit as an instant.
func (r *Report) WriteTrace(w io.Writer) error {
	spans := spansOf(r.Build)
	events := traceNames(r.Build.Image, laneCount(spans))
	nodes := make(map[string]Node, len(r.Nodes))
	for _, n := range r.Nodes {
		nodes[n.Name] = n
	}
	for _, s := range spans {
		took := (s.end - s.start).Microseconds()
		events = append(events, traceEvent{
			Name: s.node.Name, Category: s.node.Kind, Phase: "X", Time: s.start.Microseconds(), Duration: &took,
			Process: traceProcess, Thread: firstWorker + s.lane, Args: traceArgs(nodes[s.node.Name]),
		})
	}
	for _, n := range r.Nodes {
		if graph.Status(n.Status) == graph.Hit && !n.Started.IsZero() {
			events = append(events, traceEvent{
				Name: n.Name, Category: n.Kind, Phase: "i", Time: max(n.Started.Sub(r.Build.Started), 0).Microseconds(),
				Process: traceProcess, Thread: hitThread, Scope: "t", Args: traceArgs(n),
			})
		}
	}
	return json.NewEncoder(w).Encode(map[string]any{
		"traceEvents": events, "displayTimeUnit": "ms",
		"otherData": traceFacts(r.Build),
	})
}

// traceNames are the events that name the process and its threads.
func traceNames(image string, lanes int) []traceEvent {
	name := func(what string, thread int, args map[string]any) traceEvent {
		return traceEvent{Name: what, Phase: "M", Process: traceProcess, Thread: thread, Args: args}
	}
	threads := []string{"from the cache"}
	for lane := range lanes {
		threads = append(threads, fmt.Sprintf("worker %d", lane+1))
	}
	events := []traceEvent{name("process_name", hitThread, map[string]any{"name": "dibgraph build " + image})}
	for i, text := range threads {
		events = append(events,
			name("thread_name", hitThread+i, map[string]any{"name": text}),
			name("thread_sort_index", hitThread+i, map[string]any{"sort_index": i}))
	}
	return events
}

func traceArgs(n Node) map[string]any {
	args := map[string]any{"status": n.Status}
	if n.Reason != "" {
		args["reason"] = n.Reason
	}
	var causes []string
	for _, w := range n.Why {
		causes = append(causes, w.Title)
	}
	if causes != nil {
		args["causes"] = causes
	}
	if n.Error != "" {
		args["error"] = n.Error
	}
	if !n.Key.IsZero() {
		args["key"] = n.Key
	}
	if n.Saved != "" {
		args["saved"] = n.Saved
	}
	return args
}

func traceFacts(b *cache.Build) map[string]any {
	return map[string]any{
		"image": b.Image, "build": b.ID, "outcome": b.Outcome, "arguments": b.Args,
		"started": b.Started.UTC().Format(time.RFC3339Nano),
	}
}
