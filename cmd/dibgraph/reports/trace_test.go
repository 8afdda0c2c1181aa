package reports

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

func TestTrace(t *testing.T) {
	b := &cache.Build{ID: "1", Image: "web", Started: began, Outcome: "failed", Duration: 4 * time.Second, Nodes: []cache.BuildNode{
		{Name: "env:root", Kind: "environment", Status: "hit", Started: began.Add(time.Millisecond), Key: cache.KeyOf("x")},
		{Name: "root.d/10-a", Kind: "hook", Status: "ran", Started: began.Add(time.Second), Duration: 2 * time.Second},
		{Name: "env:install", Kind: "environment", Status: "failed", Started: began.Add(1500 * time.Millisecond), Duration: time.Second, Error: "broken"},
		{Name: "disk", Kind: "disk", Status: "skipped"},
	}}
	r := worded(b)
	r.Nodes[1].Reason = "because"
	var out bytes.Buffer
	if err := r.WriteTrace(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		TraceEvents []struct {
			Name, Cat, Ph, S string
			Ts, Dur          int64
			Pid, Tid         *int
			Args             map[string]any
		}
		DisplayTimeUnit string
		OtherData       map[string]any
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, &out)
	}
	threads := make(map[int]string)
	seen := make(map[string]bool)
	for _, e := range got.TraceEvents {
		if e.Pid == nil || e.Tid == nil || *e.Tid == 0 {
			t.Fatalf("event %+v is on no thread", e)
		}
		switch e.Ph {
		case "M":
			if e.Name == "thread_name" {
				threads[*e.Tid] = e.Args["name"].(string)
			}
			continue
		case "X":
			if e.Dur <= 0 || e.Args["status"] == nil {
				t.Errorf("event %+v lacks its length or its status", e)
			}
		case "i":
			if e.S != "t" || e.Args["key"] == nil {
				t.Errorf("hit %+v lacks its scope or its key", e)
			}
		default:
			t.Errorf("event of kind %q", e.Ph)
		}
		seen[e.Name] = true
		want := map[string][3]any{
			"env:root":    {int64(1000), int64(0), "from the cache"},
			"root.d/10-a": {int64(1000000), int64(2000000), "worker 1"},
			"env:install": {int64(1500000), int64(1000000), "worker 2"},
		}[e.Name]
		if got := [3]any{e.Ts, e.Dur, threads[*e.Tid]}; got != want {
			t.Errorf("%s is %v, want %v", e.Name, got, want)
		}
		if e.Name == "root.d/10-a" && e.Args["reason"] != "because" || e.Name == "env:install" && e.Args["error"] != "broken" {
			t.Errorf("%s says %v", e.Name, e.Args)
		}
	}
	if len(seen) != 3 || got.OtherData["image"] != "web" || got.OtherData["outcome"] != "failed" {
		t.Errorf("events of %v, facts %v", seen, got.OtherData)
	}
}
