package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/cache/trust"
)

// A Layer is what one place says: Given has the names of the settings that it has.
type Layer struct{ Settings }

// give notes that a setting is given, and where.
func (l *Layer) give(name, where string) {
	if l.Given == nil {
		l.Given = map[string]string{}
	}
	l.Given[name] = where
}

// Merge returns the settings of layers, of which the first counts most, and what
// is usual for those that nobody gives.
func Merge(layers ...Layer) Settings {
	merged := Settings{Given: map[string]string{}}
	for _, name := range Names {
		for _, l := range layers {
			where, ok := l.Given[name]
			if !ok {
				continue
			}
			if old, again := merged.Given[name]; again {
				where = old + ", " + where
			}
			merged.Given[name] = where
			merged.take(name, l.Settings)
			if name != "revoked" {
				break
			}
		}
	}
	if merged.Scope == "" {
		merged.Scope = mainScope
	}
	if merged.ReadScopes == nil {
		// A pull request reads its own results and those it is based on.
		merged.ReadScopes = slices.Compact([]string{merged.Scope, mainScope})
	}
	return merged
}

func (s *Settings) take(name string, from Settings) {
	switch name {
	case "from":
		s.From = from.From
	case "to":
		s.To = from.To
	case "scope":
		s.Scope = from.Scope
	case "read_scopes":
		s.ReadScopes = from.ReadScopes
	case "salt":
		s.Salt = from.Salt
	case "sign":
		s.Sign = from.Sign
	case "trust":
		s.Trust = from.Trust
	case "revoked":
		s.Revoked = append(s.Revoked, from.Revoked...)
	case "max_size":
		s.MaxSize = from.MaxSize
	case "min_free":
		s.MinFree = from.MinFree
	}
}

// Words is a layer as flags and variables give it: lists have blanks between
// their items. What is nil is not given; what is empty is given as nothing.
type Words struct {
	From, To, Scope, ReadScopes, Salt, SignKey, SignKeyFile, Trust *string
}

// Layer reads the words; names are what each is called, for messages. Errors do
// not show keys.
func (w Words) Layer(names Words) (l Layer, err error) {
	var problems []error
	for _, one := range []struct {
		setting     string
		value, name *string
		read        func(string) error
	}{
		{"from", w.From, names.From, func(text string) error { l.From = places(text); return nil }},
		{"to", w.To, names.To, func(text string) error { l.To = places(text); return nil }},
		{"scope", w.Scope, names.Scope, func(text string) error { l.Scope = text; return trust.CheckScope(text) }},
		{"read_scopes", w.ReadScopes, names.ReadScopes, l.readScopes},
		{"salt", w.Salt, names.Salt, func(text string) error { l.Salt = text; return nil }},
		{"sign", w.SignKeyFile, names.SignKeyFile, func(text string) error { l.Sign = Signing{File: text}; return nil }},
		{"sign", w.SignKey, names.SignKey, l.signKey},
		{"trust", w.Trust, names.Trust, l.trusted},
	} {
		if one.value == nil {
			continue
		}
		if where, again := l.Given[one.setting]; again {
			problems = append(problems, fmt.Errorf("both %s and %s are given: want one of them", where, *one.name))
		}
		l.give(one.setting, *one.name)
		if err := one.read(*one.value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", *one.name, err))
		}
	}
	return l, errors.Join(problems...)
}

func places(text string) []Place {
	var all []Place
	for _, address := range strings.Fields(text) {
		all = append(all, Place{URL: address})
	}
	return all
}

// errNoScopes says that a list of scopes to read has none: then nothing would be
// read at all, which is what an empty list of remotes says.
var errNoScopes = errors.New("it is empty; leave it out to read main and the scope that is written")

func (l *Layer) readScopes(text string) error {
	l.ReadScopes = strings.Fields(text)
	if len(l.ReadScopes) == 0 {
		return errNoScopes
	}
	for _, scope := range l.ReadScopes {
		if err := trust.CheckScope(scope); err != nil {
			return err
		}
	}
	return nil
}

func (l *Layer) signKey(text string) error {
	l.Sign = Signing{Key: text}
	_, err := trust.KeySigner(text)
	return err
}

func (l *Layer) trusted(text string) error {
	for _, word := range strings.Fields(text) {
		key, err := trust.ParseKey(word)
		if err != nil {
			return err
		}
		l.Trust = append(l.Trust, Trusted{Key: strings.TrimSuffix(word, "@"+strings.Join(key.Scopes, ",")), Scopes: key.Scopes})
	}
	return nil
}
