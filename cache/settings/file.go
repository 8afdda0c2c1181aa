package settings

import (
	"fmt"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/dibgraph/dibgraph/cache/trust"
	"github.com/dibgraph/dibgraph/internal/problem"
	"github.com/dibgraph/dibgraph/internal/strictyaml"
)

// Keys of a file and of the maps in it, in the order of messages.
var (
	fileKeys  = []string{"cache"}
	cacheKeys = []string{"from", "to", "scope", "read_scopes", "salt", "sign_key_file", "sign_command", "sign_name", "trust", "revoked", "max_size", "min_free"}
	placeKeys = []string{"url", "scope", "require_signature", "ca_file"}
	trustKeys = []string{"key", "scopes", "name", "verify_command"}
)

// ReadFile returns what a file says, which is called by its name in messages. The
// error is all [problem.Problem] that it has.
func ReadFile(name string, text []byte) (Layer, error) {
	r := reader{Reader: strictyaml.Reader{File: name}}
	if root := r.Document(text); root != nil {
		for _, f := range r.Fields(root, "a configuration file", fileKeys) {
			r.cache(f.Value, cacheKeys)
		}
	}
	return r.layer, problem.Join(r.Problems)
}

// SharedKeys are the keys that say which shared caches are used: all but those
// about the local store.
var SharedKeys = slices.DeleteFunc(slices.Clone(cacheKeys), func(key string) bool { return key == "max_size" || key == "min_free" })

// ReadCache returns what a map with the [SharedKeys] says, in a file of another
// kind that is called by its name in messages.
func ReadCache(name string, n *yaml.Node) (Layer, []*problem.Problem) {
	r := reader{Reader: strictyaml.Reader{File: name}}
	r.cache(n, SharedKeys)
	return r.layer, r.Problems
}

type reader struct {
	strictyaml.Reader
	layer Layer
}

func (r *reader) cache(n *yaml.Node, keys []string) {
	for _, f := range r.Fields(n, "cache", keys) {
		what := "cache " + f.Key
		switch f.Key {
		case "from":
			r.layer.From = r.places(f.Value, what)
		case "to":
			r.layer.To = r.places(f.Value, what)
		case "scope":
			r.layer.Scope = r.checked(f.Value, what, trust.CheckScope)
		case "read_scopes":
			if r.layer.ReadScopes = r.texts(f.Value, what, trust.CheckScope); len(r.layer.ReadScopes) == 0 {
				r.Problem(f.Line, "", "%s: %v", what, errNoScopes)
			}
		case "salt":
			r.layer.Salt = r.salt(f.Value, what)
		case "trust":
			r.trust(f.Value)
		case "revoked":
			r.layer.Revoked = r.texts(f.Value, what, trust.CheckRevoked)
		case "max_size":
			r.layer.MaxSize = amount(r, f.Value, what, ParseSize)
		case "min_free":
			r.layer.MinFree = amount(r, f.Value, what, ParseAmount)
		default:
			r.signing(f, what)
			continue
		}
		r.layer.give(f.Key, fmt.Sprintf("%s:%d", r.File, f.Line))
	}
	r.checkSigning(n.Line)
}

// signing reads one of the keys that say how to sign.
func (r *reader) signing(f strictyaml.Field, what string) {
	sign := &r.layer.Sign
	if f.Key != "sign_name" {
		if where, again := r.layer.Given["sign"]; again {
			r.Problem(f.Line, "", "%s: how to sign was said before, at %s; want one of sign_key_file and sign_command", what, where)
		}
		r.layer.give("sign", fmt.Sprintf("%s:%d", r.File, f.Line))
	}
	switch f.Key {
	case "sign_key_file":
		sign.File = r.path(f.Value, what)
	case "sign_command":
		sign.Command = r.texts(f.Value, what, nil)
		if len(sign.Command) == 0 {
			r.Problem(f.Line, "", "%s is empty; want a program and its arguments", what)
		}
	case "sign_name":
		sign.Name = r.checked(f.Value, what, nil)
	}
}

func (r *reader) checkSigning(line int) {
	switch sign := r.layer.Sign; {
	case len(sign.Command) > 0 && sign.Name == "":
		r.Problem(line, "readers have the same name in trust, with a verify_command", "cache sign_command needs a sign_name: what the key is called that it signs with")
	case len(sign.Command) == 0 && sign.Name != "":
		r.Problem(line, "", "cache sign_name is for a sign_command, and there is none")
	}
}

func (r *reader) places(n *yaml.Node, what string) []Place {
	var all []Place
	for _, item := range r.List(n, what) {
		var p Place
		if item.Kind != yaml.MappingNode {
			if p.URL, _ = r.Text(item, what); p.URL != "" {
				all = append(all, p)
			}
			continue
		}
		for _, f := range r.Fields(item, what, placeKeys) {
			switch what := what + " " + f.Key; f.Key {
			case "url":
				p.URL, _ = r.Text(f.Value, what)
			case "scope":
				p.Scope = r.checked(f.Value, what, trust.CheckScope)
			case "require_signature":
				p.RequireSignature = r.yes(f.Value, what)
			case "ca_file":
				p.CAFile = r.path(f.Value, what)
			}
		}
		if p.URL == "" {
			r.Problem(item.Line, "", "%s: a remote without a url", what)
		}
		all = append(all, p)
	}
	return all
}

func (r *reader) trust(n *yaml.Node) {
	for _, item := range r.List(n, "cache trust") {
		var t Trusted
		if item.Kind != yaml.MappingNode {
			text, ok := r.Text(item, "cache trust")
			if !ok {
				continue
			}
			if err := r.layer.trusted(text); err != nil {
				r.Problem(item.Line, "", "cache trust: %v", err)
			}
			continue
		}
		for _, f := range r.Fields(item, "cache trust", trustKeys) {
			switch what := "cache trust " + f.Key; f.Key {
			case "key":
				t.Key, _ = r.Text(f.Value, what)
			case "scopes":
				if t.Scopes = r.texts(f.Value, what, nil); len(t.Scopes) == 0 {
					r.Problem(f.Line, "leave scopes out for a key that is trusted for all", "%s is empty", what)
				}
			case "name":
				t.Name, _ = r.Text(f.Value, what)
			case "verify_command":
				t.VerifyCommand = r.texts(f.Value, what, nil)
			}
		}
		r.addTrusted(item.Line, t)
	}
}

func (r *reader) addTrusted(line int, t Trusted) {
	if (t.Key == "") == (len(t.VerifyCommand) == 0) || (t.Key == "") != (t.Name != "") {
		r.Problem(line, "", "cache trust: want either a key, or a name and a verify_command")
		return
	}
	if _, err := t.key(nil); err != nil {
		r.Problem(line, "", "cache trust: %v", err)
		return
	}
	r.layer.Trust = append(r.layer.Trust, t)
}

// checked returns a text that a function takes.
func (r *reader) checked(n *yaml.Node, what string, check func(string) error) string {
	text, ok := r.Text(n, what)
	if ok && check != nil {
		if err := check(text); err != nil {
			r.Problem(n.Line, "", "%s: %v", what, err)
		}
	}
	return text
}

func (r *reader) texts(n *yaml.Node, what string, check func(string) error) []string {
	all := []string{} // given, even if there are none
	for _, item := range r.List(n, what) {
		all = append(all, r.checked(item, what, check))
	}
	return all
}

// salt reads a text that may be empty.
func (r *reader) salt(n *yaml.Node, what string) string {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Value == "" {
		return ""
	}
	text, _ := r.Text(n, what)
	return text
}

func (r *reader) path(n *yaml.Node, what string) string {
	text, ok := r.Text(n, what)
	if ok && !filepath.IsAbs(text) {
		r.Problem(n.Line, "", "%s: %q is no absolute path", what, text)
	}
	return text
}

func (r *reader) yes(n *yaml.Node, what string) *bool {
	var value bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&value) != nil {
		r.Problem(n.Line, "", "%s must be true or false, and is %s", what, strictyaml.Kind(n))
		return nil
	}
	return &value
}

// amount reads a number with a unit, which is a text or a number to YAML.
func amount[T any](r *reader, n *yaml.Node, what string, parse func(string) (T, error)) (value T) {
	if n.Kind != yaml.ScalarNode {
		r.Problem(n.Line, "", "%s must be a size, and is %s", what, strictyaml.Kind(n))
		return value
	}
	value, err := parse(n.Value)
	if err != nil {
		r.Problem(n.Line, "", "%s: %v", what, err)
	}
	return value
}
