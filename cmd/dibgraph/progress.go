package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// A progress shows on standard error what a build does.
type progress interface {
	begin(image string)
	event(graph.Event)
	notice(text string)
	// renamed says that an older file was in the place of one that was made.
	renamed(from, to string)
	end(*cache.Build)
	// Of several images, part is the end of one, and close that of all.
	part(*cache.Build)
	close(text string)
	// checked comes after end if nodes were run again to be compared.
	checked(checkReport)
	started() time.Time
}

func newProgress(mode string, w io.Writer) (progress, error) {
	file, isFile := w.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd()))
	switch {
	case mode == "json":
		return &jsonProgress{out: json.NewEncoder(w)}, nil
	case mode == "plain", mode == "auto" && !terminal:
		return &plainProgress{w: w}, nil
	case mode == "tty", mode == "auto":
		return newTTYProgress(w, func() (int, int) {
			if isFile {
				if width, height, err := term.GetSize(int(file.Fd())); err == nil {
					return width, height
				}
			}
			return 80, 24 // what terminals are when they do not say
		}), nil
	}
	return nil, &usageError{fmt.Errorf("--progress %q: want auto, tty, plain or json", mode)}
}

// plainProgress writes a line for every node that runs.
type plainProgress struct {
	w     io.Writer
	since time.Time
}

func (p *plainProgress) begin(string)       { p.since = time.Now() }
func (p *plainProgress) started() time.Time { return p.since }
func (p *plainProgress) notice(text string) { fmt.Fprintln(p.w, "note:", text) }

func (p *plainProgress) renamed(from, to string) { p.notice(renamedText(from, to)) }

// renamedText says that a file was in the place of an image.
func renamedText(from, to string) string {
	return fmt.Sprintf("%s was there already, it is %s now", from, to)
}

func (p *plainProgress) event(e graph.Event) {
	switch e := e.(type) {
	case graph.Waiting:
		if e.For != nil {
			return // the line of what it waits for is there
		}
		fmt.Fprintf(p.w, "wait  %s: another process is building it\n", e.Node.Name)
	case graph.Started:
		fmt.Fprintf(p.w, "run   %s: %s\n", e.Node.Name, firstReason(e.Reasons))
	case graph.Rechecking:
		fmt.Fprintf(p.w, "check %s\n", e.Node.Name)
	case graph.Finished:
		if line := finishedLine(e.Result); line != "" {
			fmt.Fprintln(p.w, line)
		}
	}
}

func (p *plainProgress) end(b *cache.Build)  { fmt.Fprintln(p.w, summaryLine(b)) }
func (p *plainProgress) part(b *cache.Build) { p.end(b) }
func (p *plainProgress) close(text string)   { fmt.Fprintln(p.w, text) }

func (p *plainProgress) checked(c checkReport) { fmt.Fprintln(p.w, c.line()) }

// finishedLine says what became of a node.
func finishedLine(r *graph.Result) string {
	if r.Recheck != nil {
		return checkText(r)
	}
	switch r.Status {
	case graph.Hit:
		if r.With != nil {
			return "hit   " + r.Node.Name + " (ran for " + r.With.Image + ")"
		}
		return "hit   " + r.Node.Name + fromWhere(r.Record)
	case graph.Ran:
		after := ""
		if !r.Changed {
			after = ", same result as before"
		}
		return fmt.Sprintf("ran   %s in %s%s", r.Node.Name, seconds(r.Took), after)
	case graph.Failed:
		return fmt.Sprintf("fail  %s after %s", r.Node.Name, seconds(r.Took))
	}
	return ""
}

// fromWhere says behind the name of a node that its result is another machine's.
func fromWhere(r *cache.Record) string {
	if from := r.From(); from != "" {
		return " (from " + from + ")"
	}
	return ""
}

// summaryLine is the last line of a build.
func summaryLine(b *cache.Build) string {
	var hits, ran int
	var saved time.Duration
	for _, n := range b.Nodes {
		switch graph.Status(n.Status) {
		case graph.Hit:
			hits++
			saved += n.Saved
		case graph.Ran:
			ran++
		}
	}
	did := fmt.Sprintf("%d ran", ran)
	if ran == 0 {
		did = "nothing ran"
	}
	text := fmt.Sprintf("%s: %s, %d of %d nodes from the cache, %s", b.Image, did, hits, len(b.Nodes), seconds(b.Duration))
	if saved >= time.Second {
		text += fmt.Sprintf(" (saved %s)", seconds(saved))
	}
	return text
}

// seconds writes a duration for people: three digits are enough.
func seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// jsonProgress writes one object a line.
type jsonProgress struct {
	out   *json.Encoder
	since time.Time
	// several says that nodes of several images come.
	several bool
}

type jsonEvent struct {
	Event   string         `json:"event"`
	Node    string         `json:"node,omitempty"`
	Kind    string         `json:"kind,omitempty"`
	Status  graph.Status   `json:"status,omitempty"`
	Changed *bool          `json:"changed,omitempty"`
	Reasons []cache.Reason `json:"reasons,omitempty"`
	Seconds float64        `json:"seconds,omitempty"`
	Error   string         `json:"error,omitempty"`
	Text    string         `json:"text,omitempty"`
	Nodes   int            `json:"nodes,omitempty"`
	Image   string         `json:"image,omitempty"`
	Outcome string         `json:"outcome,omitempty"`
	With    string         `json:"with,omitempty"` // the image that a hit ran for
	Check   *jsonCheck     `json:"check,omitempty"`
	Checked *jsonChecked   `json:"checked,omitempty"`
}

func (p *jsonProgress) write(e jsonEvent) {
	// Nothing better can be done about a standard error that is gone than to
	// go on without it.
	_ = p.out.Encode(e)
}

func (p *jsonProgress) begin(image string) {
	p.since = time.Now()
	p.write(jsonEvent{Event: "begin", Image: image})
}
func (p *jsonProgress) started() time.Time { return p.since }
func (p *jsonProgress) notice(text string) { p.write(jsonEvent{Event: "notice", Text: text}) }

func (p *jsonProgress) renamed(from, to string) { p.notice(renamedText(from, to)) }

func (p *jsonProgress) event(e graph.Event) {
	switch e := e.(type) {
	case graph.Planned:
		p.write(jsonEvent{Event: "planned", Nodes: len(e.Nodes)})
	case graph.Waiting:
		p.write(jsonEvent{Event: "waiting", Node: e.Node.Name, Image: p.image(e.Node), With: withWhom(e.For)})
	case graph.Started:
		p.write(jsonEvent{Event: "started", Node: e.Node.Name, Kind: e.Node.Kind, Image: p.image(e.Node), Reasons: e.Reasons})
	case graph.Rechecking:
		p.write(jsonEvent{Event: "rechecking", Node: e.Node.Name, Kind: e.Node.Kind, Image: p.image(e.Node)})
	case graph.Finished:
		r := e.Result
		out := jsonEvent{Event: "finished", Node: r.Node.Name, Kind: r.Node.Kind, Status: r.Status, Reasons: r.Reasons, Seconds: r.Took.Seconds(), Image: p.image(r.Node), With: withWhom(r.With)}
		if r.Status == graph.Ran {
			out.Changed = &r.Changed
		}
		if r.Recheck != nil {
			out.Check = newJSONCheck(r.Recheck)
		}
		if r.Err != nil {
			out.Error = r.Err.Error()
		}
		p.write(out)
	}
}

// image names the image of a node where there are several.
func (p *jsonProgress) image(n *graph.Node) string {
	if p.several {
		return n.Image
	}
	return ""
}

func withWhom(n *graph.Node) string {
	if n == nil {
		return ""
	}
	return n.Image
}

func (p *jsonProgress) part(b *cache.Build) { p.end(b) }
func (p *jsonProgress) close(text string)   { p.write(jsonEvent{Event: "end", Text: text}) }

func (p *jsonProgress) end(b *cache.Build) {
	p.write(jsonEvent{Event: "end", Image: b.Image, Outcome: b.Outcome, Nodes: len(b.Nodes), Seconds: b.Duration.Seconds()})
}

func (p *jsonProgress) checked(c checkReport) {
	p.write(jsonEvent{Event: "checked", Checked: newJSONChecked(c)})
}
