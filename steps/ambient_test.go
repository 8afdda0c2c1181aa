package steps

import (
	"io/fs"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/observe"
	"github.com/dibgraph/dibgraph/steps/mention"
)

func someAmbient() *Ambient {
	file := func(text string) Entry {
		return Entry{Digest: graph.DigestText(text), Mode: 0o755, Words: func() mention.Words { return wordsOf(text) }}
	}
	return NewAmbient(map[string]Entry{
		"hooks/bin":                      {Mode: fs.ModeDir | 0o755},
		"hooks/bin/tool":                 file("echo $DIB_TOOL"),
		"hooks/static/etc/motd":          file("welcome"),
		"hooks/install.d":                {Mode: fs.ModeDir | 0o755},
		"hooks/install.d/50-app":         file("echo $DIB_APP"),
		"hooks/install.d/app.conf":       file("conf"),
		"hooks/README.md":                file("read me"),
		"hooks/data":                     file("data"),
		"hooks/link":                     {Mode: fs.ModeSymlink | 0o777, Link: "bin/tool"},
		"elements/app/element-deps":      file("base"),
		"elements/app/install.d/50-app":  file("echo $DIB_APP"),
		"elements/app/package-list":      file("vim"),
		"elements.2/app/package-list":    file("emacs"),
		"elements.2/app/install.d/60-up": file("exit"),
	})
}

func TestAmbientDescribe(t *testing.T) {
	a := someAmbient()
	for observation, want := range map[string]map[string]string{
		"file hooks/bin/tool":     {`file "hooks/bin/tool"`: graph.DigestText("echo $DIB_TOOL").String() + " 0755"},
		"file hooks/bin":          {`file "hooks/bin"`: "directory"},
		"file hooks/link":         {`file "hooks/link"`: `link "bin/tool"`},
		"file hooks/none":         {`file "hooks/none"`: "absent"},
		"dir hooks/install.d":     {`list "hooks/install.d"`: `["50-app (file 0755)" "app.conf (file 0755)"]`},
		"dir hooks/static":        {`list "hooks/static"`: `["etc (directory)"]`}, // implied by what is in it
		"dir hooks/none":          {`list "hooks/none"`: `[]`},
		"dir elements.2/app":      {`list "elements.2/app"`: `["install.d (directory)" "package-list (file 0755)"]`},
		"what a later version is": {},
	} {
		var d graph.Description
		a.describe(&d, observation)
		if got := lines(&d); !maps.Equal(got, want) {
			t.Errorf("%q is described as %q, want %q", observation, got, want)
		}
	}
	var d graph.Description
	a.describe(&d, observedAll)
	if got := len(d.Lines()); got != 14 {
		t.Errorf("all is %d lines, want one for each of 14 entries", got)
	}
}

func TestAmbientWords(t *testing.T) {
	a := someAmbient()
	if w := a.words("file hooks/bin/tool"); !w.Match("DIB_TOOL") || w.Match("DIB_APP") {
		t.Errorf("the words of the tool are %+v", w)
	}
	if w := a.words(observedAll); !w.Match("DIB_TOOL") || !w.Match("DIB_APP") {
		t.Errorf("the words of all are %+v", w)
	}
	for _, observation := range []string{"dir hooks/bin", "file hooks/none", "file hooks/link"} {
		if w := a.words(observation); w.Match("DIB_TOOL") || w.All {
			t.Errorf("the words of %q are %+v, want none", observation, w)
		}
	}
}

// That a file exists is an input of text that can find out, unless it is one
// that comes and goes with every element.
func TestAmbientNames(t *testing.T) {
	a := someAmbient()
	hooks := []string{"hooks/bin", "hooks/bin/tool", "hooks/data", "hooks/link", "hooks/static/etc/motd"}
	elements := []string{"elements.2/app/package-list", "elements/app/element-deps", "elements/app/package-list"}
	named := &Variables{
		Values:  map[string]string{"DIB_NAMED": "/tmp/in_target.d/link", "DIB_OTHER": "motd"},
		Unkeyed: func(string) bool { return false }, Secret: func(string, string) bool { return false },
		Own: someVariables.Own,
	}
	for text, want := range map[string][]string{
		"exit 0":                          nil,
		"[ -e $TMP_HOOKS_PATH/bin/tool ]": {"hooks/bin", "hooks/bin/tool"},
		"[ -e $TMP_HOOKS_PATH/more ]":     nil,
		"[ -e $TMP_HOOKS_PATH/$more ]":    hooks,
		"[ -e $DIB_NAMED ]":               {"hooks/link"}, // where it is, is in the value
		"[ -e $DIB_NAMED ] $DIB_OTHER":    {"hooks/link", "hooks/static/etc/motd"},
		"cd $(dirname $0)/..":             hooks,
		"stat $ELEMENTS_PATH/*/$x":        elements,
		"cat $ELEMENTS_PATH/package-list": {"elements.2/app/package-list", "elements/app/package-list"},
		"exec env":                        slices.Concat(elements, hooks),
	} {
		var d graph.Description
		a.describeNames(&d, wordsOf(text), named.before())
		var got []string
		for _, list := range d.Lines() {
			if list.Text == "" {
				got = append(got, list.Name)
			}
			for _, l := range graph.ParseDescription(list.Text) {
				got = append(got, l.Name)
			}
		}
		var wantLines []string
		for _, name := range want {
			wantLines = append(wantLines, `exists "`+name+`"`)
		}
		slices.Sort(got)
		slices.Sort(wantLines)
		if !slices.Equal(got, wantLines) {
			t.Errorf("%q depends on %q, want %q", text, got, wantLines)
		}
	}
}

func TestObservations(t *testing.T) {
	seen := sightOf([]observe.Opened{
		{Path: HooksDir, Dir: true},
		{Path: HooksDir + "/bin/tool"},
		{Path: TargetDir + InTarget + "/install.d", Dir: true},
		{Path: TargetDir + InTarget + "/install.d/50-app"},
		{Path: ElementsDir + "/app/package-list"},
		{Path: ElementsDir + ".2/app", Dir: true},
	}, nil, time.Now())
	want := []string{
		"dir hooks", "file hooks/bin/tool", "dir hooks/install.d", "file hooks/install.d/50-app",
		"file elements/app/package-list", "dir elements.2/app",
	}
	if seen.Coarse || !slices.Equal(seen.Observed, want) {
		t.Errorf("observed %+v, want %q", seen, want)
	}
	for _, path := range []string{HooksDir + "/static/\xff", "/etc/passwd", HooksDir + "-2/x", RunDir + "/lib/die"} {
		if seen := sightOf([]observe.Opened{{Path: path}}, nil, time.Now()); !seen.Coarse {
			t.Errorf("%s cannot be told, and yet the run is not coarse", path)
		}
	}
}
