package reports

import (
	"bytes"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

func pageOf(t *testing.T, r *Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Every link leads to a node of the page, from the graph, the timeline and the
// table; nothing is loaded from anywhere.
func TestPageIsWhole(t *testing.T) {
	r := sample(37)
	text := pageOf(t, r)
	ids := make(map[string]bool)
	for _, id := range regexp.MustCompile(`<article id="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		ids[html.UnescapeString(id[1])] = true
	}
	if len(ids) != len(r.Nodes) {
		t.Errorf("%d articles of %d nodes", len(ids), len(r.Nodes))
	}
	links := regexp.MustCompile(`<a [^>]*href="([^"]*)"`).FindAllStringSubmatch(text, -1)
	for _, link := range links {
		name, err := url.PathUnescape(strings.TrimPrefix(html.UnescapeString(link[1]), "#"))
		if err != nil || !ids[name] {
			t.Errorf("a link to %q leads nowhere", link[1])
		}
	}
	if len(links) < 3*len(r.Nodes) {
		t.Errorf("only %d links", len(links))
	}
	if outside := regexp.MustCompile(`(?i)(src|srcset|action|data|poster)=|https?:|@import|url\((?:[^#])`).FindString(text); outside != "" {
		t.Errorf("the page has %q", outside)
	}
	for _, status := range []string{"hit", "ran"} {
		if !strings.Contains(text, `<li class="s-`+status) {
			t.Errorf("the legend lacks %s", status)
		}
	}
}

func TestPageIsSmall(t *testing.T) {
	for hooks, limit := range map[int]int{37: 130 << 10, 480: 1300 << 10} {
		if r := sample(hooks); len(pageOf(t, r)) > limit {
			t.Errorf("%d nodes take %d bytes, more than %d", len(r.Nodes), len(pageOf(t, r)), limit)
		}
	}
}

// hostile is what somebody who wants to run code in the page would try.
const hostile = `"'><script>alert(1)</script></script></style><img src=x onerror=alert(1)>`

func TestPageEscapes(t *testing.T) {
	r := sample(37)
	clean := pageOf(t, r)
	n := &r.Nodes[len(r.Nodes)-5]
	n.Name, n.Status, n.Outcome, n.Reason, n.Error = "install.d/50-"+hostile, "failed", hostile, hostile, hostile
	n.Why = []Why{{hostile, []string{"+" + hostile, hostile}, []Hop{{hostile, hostile}}}}
	n.Log, n.Kind, n.Dependencies = Log{Text: hostile}, hostile, append(n.Dependencies, hostile)
	r.Build.Image, r.Headline, r.Facts = hostile, hostile, []Fact{{hostile, hostile}}
	r.Timed = &cache.Build{Started: began, Nodes: []cache.BuildNode{n.BuildNode}}
	text := pageOf(t, r)
	for _, tag := range []string{"<script", "</script", "<style", "</style", "<img"} {
		if got, want := strings.Count(text, tag), strings.Count(clean, tag); got != want {
			t.Errorf("%d times %q, want %d", got, tag, want)
		}
	}
	if !strings.Contains(text, html.EscapeString("<script>alert(1)</script>")) {
		t.Error("what the hook printed is not there at all")
	}
}

// What is particular about a run is said.
func TestPageSaysWhatIsParticular(t *testing.T) {
	r := worded(&cache.Build{Outcome: "done", Nodes: []cache.BuildNode{
		{Name: "one", Status: "ran"}, {Name: "two", Status: "ran", Same: true}, {Name: "three", Status: "hit", Coarse: true},
		{Name: "four", Status: "skipped", Duration: time.Second}, {Name: "five", Status: "skipped"},
	}})
	for i, want := range []string{"ran", "ran", "hit", "stopped", "not reached"} {
		if got := r.Nodes[i].Word(); got != want {
			t.Errorf("node %d is called %q, want %q", i, got, want)
		}
	}
	r.Nodes[2].Why = []Why{{Title: "it changed"}}
	articles := strings.Split(pageOf(t, r), "<article ")[1:]
	for i, want := range []string{"", "It left the same as before", "could not be observed"} {
		for _, text := range []string{"It left the same as before", "could not be observed"} {
			if got := strings.Contains(articles[i], text); got != (text == want) {
				t.Errorf("node %d says %q: %t", i, text, got)
			}
		}
	}
	if !strings.Contains(articles[2], "Why it has another result than last time") {
		t.Error("a hit on another result looks as if it had run")
	}
}

// A page of a build that planned or did nothing is one too.
func TestPageOfLittle(t *testing.T) {
	for _, b := range []*cache.Build{
		{Image: "none", Outcome: "failed"},
		{Image: "plan", Outcome: "planned", Nodes: []cache.BuildNode{{Name: "disk", Status: "maybe"}}},
	} {
		r := worded(b)
		r.Timed = nil
		if text := pageOf(t, r); !strings.Contains(text, "This image was not built yet.") || !strings.Contains(text, "</html>") {
			t.Errorf("the page of %s lacks its end or its empty timeline:\n%s", b.Image, text)
		}
	}
}

func TestShortWhy(t *testing.T) {
	var all []Why
	for i := range 10 {
		all = append(all, Why{Title: string(rune('a' + i)), Way: make([]Hop, i)})
	}
	all[7].Way[0].Node, all[7].Way[6].Node = "first", "last"
	some, more := shortWhy(all)
	if len(some) != mostCauses || more != 10-mostCauses || len(some[mostHops].Way) != mostHops {
		t.Errorf("%d causes and %d more, %d hops", len(some), more, len(some[mostHops].Way))
	}
	way := some[7].Way
	if len(way) != mostHops+1 || way[0].Node != "first" || way[mostHops].Node != "last" || way[mostHops/2].Text != "… 3 between …" {
		t.Errorf("the longest way is %q", way)
	}
	if len(all[7].Way) != 7 || all[7].Way[3].Text != "" {
		t.Error("what was given is changed")
	}
}
