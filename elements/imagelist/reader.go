package imagelist

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/internal/strictyaml"
)

// fileKeys are those of a file that is a map. Others may begin with "x-": they
// hold anchors.
var fileKeys = []string{"defaults", "images"}

// A reader reads one file.
type reader struct {
	strictyaml.Reader
	defaults entry
	entries  []entry
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	decimal      = regexp.MustCompile(`^([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)
)

func (r *reader) read(content []byte) {
	root := r.Document(content)
	if root == nil {
		if len(r.Problems) == 0 {
			r.Problem(0, "", "is empty; want a list of images")
		}
		return
	}
	if root = r.Resolve(root); root == nil {
		return
	}
	switch root.Kind {
	case yaml.SequenceNode:
		r.images(root)
	case yaml.MappingNode:
		r.file(root)
	default:
		r.Problem(root.Line, "", "must be a list of images, or a map with images, and is %s", strictyaml.Kind(root))
	}
}

func (r *reader) file(root *yaml.Node) {
	known := *root
	known.Content = nil
	for i := 0; i+1 < len(root.Content); i += 2 {
		if !strings.HasPrefix(root.Content[i].Value, "x-") {
			known.Content = append(known.Content, root.Content[i], root.Content[i+1])
		}
	}
	found := false
	for _, f := range r.Fields(&known, "a file of images", fileKeys) {
		if f.Key == "images" {
			found = true
			r.images(f.Value)
			continue
		}
		r.defaults = r.entry(f.Value, "defaults")
		for _, name := range []string{"imagename", "depends"} {
			if v, ok := r.defaults[name]; ok {
				r.Problem(v.at.line, "", "defaults cannot have %s: it is of one image", name)
			}
		}
	}
	if !found {
		r.Problem(root.Line, "images belong into a list below the key \"images\"", "a file of images without images")
	}
}

func (r *reader) images(n *yaml.Node) {
	for _, item := range r.List(n, "images") {
		r.entries = append(r.entries, r.entry(item, "an image"))
	}
}

// Keys that no file can have: where the entry begins, and that something is wrong
// with it.
const (
	entryLine   = ""
	flawedEntry = "!"
)

func (r *reader) entry(n *yaml.Node, what string) entry {
	e, flaws := entry{entryLine: {at: r.at(n)}}, len(r.Problems)
	for _, f := range r.Fields(n, what, keyNames) {
		k := keyOf(f.Key)
		v := value{at: place{r.File, f.Line}}
		switch k.kind {
		case text:
			v.text = r.text(f.Value, k.name)
			r.checkText(k, f.Value.Line, v.text)
		case word:
			v.text, _ = r.Text(f.Value, k.name)
			r.word(f.Value, k, v.text)
		case flag:
			v.text = r.flag(f.Value, k.name)
		case number, size:
			v.text = r.number(f.Value, k)
		case list:
			v.list = r.list(f.Value, k)
		case pairs:
			v.pairs = r.pairs(f.Value, k)
		case choices:
			v.pairs = r.choices(f.Value, k)
		case caches:
			layer, problems := settings.ReadCache(r.File, f.Value)
			r.Problems = append(r.Problems, problems...)
			v.layers = []settings.Layer{layer}
		}
		e[f.Key] = v
	}
	if len(r.Problems) > flaws {
		e[flawedEntry] = value{}
	}
	return e
}

func (r *reader) at(n *yaml.Node) place { return place{r.File, n.Line} }

// text reads a text that may be empty, which is as if it were not there.
func (r *reader) text(n *yaml.Node, what string) string {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Value == "" {
		return ""
	}
	text, _ := r.Text(n, what)
	return text
}

func (r *reader) checkText(k key, line int, text string) {
	if text == "" {
		return
	}
	var err error
	switch k.name {
	case "freshness":
		_, err = elements.ParseFreshness(text)
	case "check-mirrors":
		_, err = elements.ParseCheck(text)
	}
	if err != nil {
		r.Problem(line, "", "%s: %v", k.name, err)
	}
}

func (r *reader) word(n *yaml.Node, k key, text string) {
	if k.words != nil && text != "" && !slices.Contains(k.words, text) {
		r.Problem(n.Line, nearest.Question(text, k.words), "%s: %q is not known; want %s", k.name, text, strings.Join(k.words, ", "))
	}
}

func (r *reader) flag(n *yaml.Node, what string) string {
	var yes bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&yes) != nil {
		r.Problem(n.Line, "", "%s must be true or false, and is %s", what, strictyaml.Kind(n))
		return ""
	}
	return strconv.FormatBool(yes)
}

func (r *reader) number(n *yaml.Node, k key) string {
	whole := k.kind == number
	isNumber := n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float" && !whole) && decimal.MatchString(n.Value)
	if !isNumber {
		want := "a number"
		if whole {
			want = "a whole number"
		}
		r.Problem(n.Line, "", "%s must be %s, and is %s", k.name, want, strictyaml.Kind(n))
		return ""
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case err != nil || whole && v < float64(k.min) || v < 0 || k.min > 0 && v == 0:
		r.Problem(n.Line, "", "%s must be at least %d, and is %s", k.name, k.min, n.Value)
	case k.max > 0 && v > float64(k.max):
		r.Problem(n.Line, "", "%s must be at most %d, and is %s", k.name, k.max, n.Value)
	}
	return n.Value
}

func (r *reader) list(n *yaml.Node, k key) []item {
	var all []item
	for _, one := range r.List(n, k.name) {
		text, ok := r.Text(one, k.name)
		if !ok {
			continue
		}
		r.word(one, k, text)
		all = append(all, item{r.at(one), text})
	}
	return all
}

func (r *reader) pairs(n *yaml.Node, k key) []pair {
	var all []pair
	for _, f := range r.Fields(n, k.name, nil) {
		r.variable(f, k)
		v := f.Value
		if v.Kind != yaml.ScalarNode || v.Tag != "!!str" {
			hint := ""
			if v.Kind == yaml.ScalarNode {
				hint = "put it in quotes"
			}
			r.Problem(v.Line, hint, "%s %s must be a text, and is %s", k.name, f.Key, notText(v))
			continue
		}
		all = append(all, pair{at: r.at(v), name: f.Key, text: v.Value})
	}
	return all
}

func notText(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Value != "" && n.Tag != "!!null" {
		return n.Value + ", which is something else to YAML"
	}
	return strictyaml.Kind(n)
}

func (r *reader) variable(f strictyaml.Field, k key) {
	if k.name != "qemu-img-options" && !variableName.MatchString(f.Key) {
		r.Problem(f.Line, "", "%s: %q is no name of a variable", k.name, f.Key)
	}
}

func (r *reader) choices(n *yaml.Node, k key) []pair {
	var all []pair
	for _, f := range r.Fields(n, k.name, nil) {
		r.variable(f, k)
		p := pair{at: place{r.File, f.Line}, name: f.Key}
		p.list = r.list(f.Value, key{name: k.name + " " + f.Key})
		if f.Value.Kind == yaml.SequenceNode && len(f.Value.Content) == 0 {
			r.Problem(f.Line, "", "%s %s has no values", k.name, f.Key)
		}
		all = append(all, p)
	}
	return all
}
