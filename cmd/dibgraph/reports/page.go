package reports

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"change": changeOf,
	"short":  shortLabel,
	"word":   wordOf,
}).Parse(pageText))

// words are what a page calls each status, in the order of its legend.
var words = map[graph.Status]string{
	graph.Failed: "failed", graph.Ran: "ran", graph.Run: "would run", graph.Maybe: "may run",
	graph.Hit: "hit", graph.Skipped: "not reached",
}

// legend is the order in which statuses are listed.
var legend = []graph.Status{graph.Failed, graph.Ran, graph.Run, graph.Maybe, graph.Hit, graph.Skipped}

// A page is what the template shows.
type page struct {
	*Report
	// Policy lets the browser run the script of the page and load nothing, so
	// that what hooks print cannot do anything either.
	Policy   string
	Style    template.CSS
	Script   template.JS
	Drawing  drawing
	Timeline *timeline
	Legend   []graph.Status
	Articles []article
}

// An article is what the page says of one node.
type article struct {
	Node
	Box    box
	UsedBy []string
	// MoreCauses is how many are not shown.
	MoreCauses int
}

// WriteHTML writes a page that needs nothing but itself.
func (r *Report) WriteHTML(w io.Writer) error {
	known := make(map[string]int, len(r.Nodes))
	for i, n := range r.Nodes {
		known[n.Name] = i
	}
	p := &page{
		Report: r, Policy: policy(), Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Drawing: layOut(r.Nodes), Timeline: timelineOf(r.Timed, known), Articles: make([]article, len(r.Nodes)),
	}
	for i, n := range r.Nodes {
		n.Why, p.Articles[i].MoreCauses = shortWhy(n.Why)
		p.Articles[i].Node, p.Articles[i].Box = n, p.Drawing.Boxes[i]
		for _, name := range n.Dependencies {
			if d, ok := known[name]; ok {
				p.Articles[d].UsedBy = append(p.Articles[d].UsedBy, n.Name)
			}
		}
	}
	for _, status := range legend {
		if slices.ContainsFunc(r.Nodes, func(n Node) bool { return n.Status == string(status) }) {
			p.Legend = append(p.Legend, status)
		}
	}
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// Limits of what is shown of a node: in a build where everything is new, each
// has every node before it among its causes, or on the way from there.
const (
	mostCauses = 8
	mostHops   = 4
)

// shortWhy cuts a list of causes, and the ways from them in the middle.
func shortWhy(all []Why) (some []Why, more int) {
	if len(all) > mostCauses {
		all, more = all[:mostCauses], len(all)-mostCauses
	}
	for _, w := range all {
		if between := len(w.Way) - mostHops; between > 0 {
			gap := Hop{Text: fmt.Sprintf("… %d between …", between)}
			w.Way = slices.Concat(w.Way[:mostHops/2], []Hop{gap}, w.Way[len(w.Way)-mostHops/2:])
		}
		some = append(some, w)
	}
	return some, more
}

// policy is the content security policy of a page.
func policy() string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'", hash(pageStyle), hash(pageScript))
}

// wordOf is what a page calls a status.
func wordOf(status graph.Status) string {
	if word, ok := words[status]; ok {
		return word
	}
	return string(status)
}

// Word is what a page calls what became of the node.
func (n Node) Word() string {
	status := graph.Status(n.Status)
	if status == graph.Skipped && n.Duration > 0 {
		return "stopped"
	}
	return wordOf(status)
}

// shortLabel cuts a name so that it fits into a box.
func shortLabel(label string) string {
	const most = 20
	if runes := []rune(label); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return label
}

// changeOf is the class of a line that shows a difference.
func changeOf(line string) string {
	switch {
	case strings.HasPrefix(line, "+"):
		return "added"
	case strings.HasPrefix(line, "-"):
		return "removed"
	}
	return ""
}
