package elements

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

func TestParseFreshness(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]Freshness{
		"":                   {},
		"follow":             {Follow: true},
		"keep":               {Keep: true},
		"max-age=72h":        {MaxAge: 72 * time.Hour},
		"follow,max-age=7d":  {Follow: true, MaxAge: 7 * day},
		" keep , max-age=2w": {Keep: true, MaxAge: 14 * day},
		"max-age=999999d":    {MaxAge: math.MaxInt64},
		"max-age=1.5d":       {MaxAge: 36 * time.Hour},
	} {
		if got, err := ParseFreshness(text); err != nil || got != want {
			t.Errorf("ParseFreshness(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"always", "keep follow", "max-age", "max-age=", "max-age=d", "max-age=-1h", "max-age=0d", "max-age=7", "max-age=NaNd", "max-age=1y"} {
		if got, err := ParseFreshness(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("ParseFreshness(%q) = %+v, %v, want an error that names it", text, got, err)
		}
	}
}

func TestParseCheck(t *testing.T) {
	for text, want := range map[string]time.Duration{"always": CheckAlways, "never": CheckNever, "30m": 30 * time.Minute, "1d": 24 * time.Hour} {
		if got, err := ParseCheck(text); err != nil || got != want {
			t.Errorf("ParseCheck(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	if got, err := ParseCheck("0"); err == nil {
		t.Errorf("ParseCheck(0) = %v, want an error", got)
	}
}

func TestFreshnessOr(t *testing.T) {
	image := Freshness{Keep: true, MaxAge: time.Hour}
	if got := (Freshness{}).or(image); got != image {
		t.Errorf("an element that says nothing: %+v", got)
	}
	if got, want := (Freshness{Follow: true}).or(image), (Freshness{Follow: true, MaxAge: time.Hour}); got != want {
		t.Errorf("an element that follows: %+v, want %+v", got, want)
	}
}

// freshPlanner plans an image of an element with a policy and one without.
func freshPlanner(t *testing.T, def Definition, policy Freshness) *Planner {
	t.Helper()
	dir := write(t, map[string]string{
		"os/element-provides": "operating-system\n", "os/root.d/10-os": "#!/bin/sh\n",
		"own/install.d/50-own": "#!/bin/sh\n", "plain/install.d/60-plain": "#!/bin/sh\n",
	})
	def.Elements, def.ElementsPath, def.SkipBase, def.Types = []string{"os", "own", "plain"}, []string{dir}, true, []string{"tar"}
	img, err := Load(def, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range img.Elements {
		if e.Name == "own" {
			e.hasSettings, e.Settings = true, Settings{Refresh: []Refresh{{"*", policy}}}
		}
	}
	p := NewPlanner(img, nil, nil, "")
	p.Follow(&Mirrors{})
	return p
}

func TestKeepMakesMirrorsNoInputs(t *testing.T) {
	for _, test := range []struct {
		name           string
		image, element Freshness
		own, plain     bool // whether they follow mirrors
	}{
		{"by default", Freshness{}, Freshness{}, true, true},
		{"the element", Freshness{}, Freshness{Keep: true}, false, true},
		{"the image", Freshness{Keep: true}, Freshness{}, false, false},
		{"all but the element", Freshness{Keep: true}, Freshness{Follow: true}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, err := freshPlanner(t, Definition{Freshness: test.image}, test.element).Graph()
			if err != nil {
				t.Fatal(err)
			}
			follows := func(name string) bool { return g.Node("image", name).Action.(*steps.Hook).Site.Tokens != nil }
			if own, plain := follows("install.d/50-own"), follows("install.d/60-plain"); own != test.own || plain != test.plain {
				t.Errorf("they follow mirrors: %t, %t, want %t, %t", own, plain, test.own, test.plain)
			}
		})
	}
}

func TestFreshen(t *testing.T) {
	now := time.Date(2026, 11, 9, 8, 0, 0, 0, time.UTC)
	def := Definition{Freshness: Freshness{MaxAge: 7 * 24 * time.Hour}}
	p := freshPlanner(t, def, Freshness{MaxAge: time.Hour})
	b := graph.Builder{Now: func() time.Time { return now.Add(2 * time.Hour) }}
	p.Freshen(&b, now)
	record := func(age time.Duration, shape ...string) *cache.Record {
		return &cache.Record{Started: now.Add(-age), Shape: shape}
	}
	for _, test := range []struct {
		node string
		r    *cache.Record
		want bool
	}{
		{"install.d/50-own", record(2*time.Hour, bookworm), true},
		{"install.d/60-plain", record(2*time.Hour, bookworm), false},
		{"install.d/60-plain", record(8*24*time.Hour, bookworm), true},
		{"install.d/60-plain", record(8*24*time.Hour, "file hooks/x"), false},
		{"disk", record(8*24*time.Hour, "file hooks/x", bookworm), true},
		{"install.d/50-own", record(-time.Hour, bookworm), false},
		{"install.d/50-own", record(-90*time.Minute, bookworm), false}, // in this build
		{"install.d/50-own", record(-4*time.Hour, bookworm), true},
		{"install.d/60-plain", record(-4*time.Hour, bookworm), false},
		{"install.d/60-plain", record(-8*24*time.Hour, bookworm), true},
		{"install.d/60-plain", record(-8*24*time.Hour, "file hooks/x"), false},
	} {
		detail, got := b.Expired(&graph.Node{Name: test.node}, test.r)
		if got != test.want || got == (detail == "") {
			t.Errorf("Expired(%s, %v) = %q, %t, want %t", test.node, test.r.Shape, detail, got, test.want)
		}
	}
}

func FuzzParseFreshness(f *testing.F) {
	f.Add("follow,max-age=7d")
	f.Add("max-age=99999999999w")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := ParseFreshness(text); err == nil && (got.MaxAge < 0 || got.Keep && got.Follow) {
			t.Errorf("ParseFreshness(%q) = %+v", text, got)
		}
	})
}
