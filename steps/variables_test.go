package steps

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

var someVariables = &Variables{
	Unkeyed: func(name string) bool { return name == "HOME" },
	Secret:  func(name, value string) bool { return strings.HasSuffix(name, "_PASSWORD") || value == "hidden" },
	Own: func(name string) bool {
		return strings.HasPrefix(name, "DIB_") || strings.HasPrefix(name, "BASH_FUNC_")
	},
}

func wordsOf(text string) mention.Words { return mention.Of([]byte(text)) }

func TestVariablesDescribe(t *testing.T) {
	env := map[string]string{
		"HOME": "/root", "TZ": "UTC", "DIB_A": "a\n\"quoted\"", "DIB_B": "b", "DIB_B_LONGER": "c",
		"DIB_PASSWORD": "one", "DIB_HIDDEN": "hidden", "BASH_FUNC_die%%": "() { exit; }",
	}
	secret := func(value string) string { return "secret " + graph.DigestText(value).String() }
	for _, test := range []struct {
		name, text string
		want       map[string]string
	}{
		{"nothing mentioned", "exit 0", map[string]string{"env TZ": `"UTC"`}},
		{"not an input", "echo $HOME", map[string]string{"env TZ": `"UTC"`}},
		{"a word", "echo ${DIB_A:-}", map[string]string{"env TZ": `"UTC"`, "env DIB_A": `"a\n\"quoted\""`}},
		{"no part of a word", "echo $DIB_B", map[string]string{"env TZ": `"UTC"`, "env DIB_B": `"b"`}},
		{"a beginning", "v=DIB_B_$x", map[string]string{"env TZ": `"UTC"`, "env DIB_B_LONGER": `"c"`}},
		{"a function", "die no more", map[string]string{"env TZ": `"UTC"`, "env BASH_FUNC_die%%": `"() { exit; }"`}},
		{"secrets", "$DIB_PASSWORD $DIB_HIDDEN", map[string]string{
			"env TZ": `"UTC"`, "env DIB_PASSWORD": secret("one"), "env DIB_HIDDEN": secret("hidden"),
		}},
		{"all of them", "exec env", map[string]string{
			"env TZ": `"UTC"`, "env DIB_A": `"a\n\"quoted\""`, "env DIB_B": `"b"`, "env DIB_B_LONGER": `"c"`,
			"env DIB_PASSWORD": secret("one"), "env DIB_HIDDEN": secret("hidden"), "env BASH_FUNC_die%%": `"() { exit; }"`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var d graph.Description
			someVariables.prepare(env).describe(&d, readers{wordsOf(test.text)})
			if got := lines(&d); !maps.Equal(got, test.want) {
				t.Errorf("described %q, want %q", got, test.want)
			}
			if text := d.String(); strings.Contains(text, "hidden") || strings.Contains(text, `"one"`) {
				t.Errorf("a secret is described in clear: %s", text)
			}
		})
	}
}

// lines returns a description as a map.
func lines(d *graph.Description) map[string]string {
	all := make(map[string]string)
	for _, l := range d.Lines() {
		all[l.Name] = l.Value
	}
	return all
}

// What is kept of words for later steps reads back as what they have to know.
func TestKeptMentions(t *testing.T) {
	kept := parseMentions(someVariables.keep(wordsOf("echo $DIB_A $OTHER; v=DIB_B_$x; die")))
	for name, want := range map[string]bool{
		"DIB_A": true, "DIB_B_LONGER": true, "BASH_FUNC_die%%": true, "OTHER": false, "DIB_B": false, "DIB_C": false,
	} {
		if got := kept.Match(functionName(name)); got != want {
			t.Errorf("%s is kept: %t, want %t", name, got, want)
		}
	}
	if all := parseMentions(someVariables.keep(wordsOf("exec env"))); !all.All {
		t.Error("that a text uses all variables is lost")
	}
	if bad := parseMentions([]string{"from a later version?\x00"}); !bad.All {
		t.Error("mentions that cannot be read do not count as all")
	}
}

func TestDifference(t *testing.T) {
	before := map[string]string{"SAME": "1", "CHANGED": "1", "REMOVED": "1", "ALSO": "", "PWD": "/a", "_": "x"}
	after := map[string]string{"SAME": "1", "CHANGED": "2", "NEW": "3", "EMPTY": "", "PWD": "/b", "SHLVL": "1", "_": "y"}
	got := difference(before, after)
	want := PhaseResult{Set: map[string]string{"CHANGED": "2", "NEW": "3", "EMPTY": ""}, Unset: []string{"ALSO", "REMOVED"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("difference = %+v, want %+v", got, want)
	}
	applied := got.Apply(before)
	delete(after, "SHLVL")
	after["PWD"], after["_"] = "/a", "x"
	if !maps.Equal(applied, after) {
		t.Errorf("applied it is %q, want %q", applied, after)
	}
	if before["CHANGED"] != "1" {
		t.Error("apply changed the variables it was given")
	}
}

func TestParseEnvironment(t *testing.T) {
	got := parseEnvironment([]byte("A=1\x00B=two\nlines=2\x00EMPTY=\x00no assignment\x00BASH_FUNC_f%%=() {  :\n}\x00"))
	want := map[string]string{"A": "1", "B": "two\nlines=2", "EMPTY": "", "BASH_FUNC_f%%": "() {  :\n}"}
	if !maps.Equal(got, want) {
		t.Errorf("parsed %q, want %q", got, want)
	}
	if got := parseEnvironment(nil); len(got) != 0 {
		t.Errorf("nothing parses as %q", got)
	}
}

func TestReadPhase(t *testing.T) {
	want := PhaseResult{
		Set: map[string]string{"A": "1"}, Unset: []string{"B"},
		Hooks: []PhaseHook{
			{Name: "10-a", Path: "install.d/10-a"},
			{Name: "20-b", Path: "bin/b", Digest: graph.DigestText("b"), Mentions: []string{"DIB_A"}},
		},
	}
	content, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadPhase(func(output string) ([]byte, error) {
		if output != phaseOutput {
			t.Errorf("it reads %q", output)
		}
		return content, nil
	})
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("read %+v, %v, want %+v", got, err, want)
	}
	if !slices.EqualFunc(got.Hooks, want.Hooks, PhaseHook.Same) {
		t.Error("hooks differ from themselves")
	}
	lost := errors.New("lost")
	if _, err := ReadPhase(func(string) ([]byte, error) { return nil, lost }); !errors.Is(err, lost) {
		t.Errorf("error %v, want that of reading", err)
	}
	if _, err := ReadPhase(func(string) ([]byte, error) { return []byte("{"), nil }); err == nil {
		t.Error("half a result was read")
	}
}

func TestPhaseHookSame(t *testing.T) {
	a := PhaseHook{Name: "10-a", Path: "install.d/10-a", Digest: graph.DigestText("a")}
	for name, change := range map[string]func(*PhaseHook){
		"name":   func(h *PhaseHook) { h.Name = "10-b" },
		"path":   func(h *PhaseHook) { h.Path = "bin/a" },
		"digest": func(h *PhaseHook) { h.Digest = graph.DigestText("b") },
	} {
		b := a
		if change(&b); a.Same(b) {
			t.Errorf("another %s is the same hook", name)
		}
	}
}
