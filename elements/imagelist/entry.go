package imagelist

import (
	"slices"

	"github.com/dibgraph/dibgraph/cache/settings"
)

// An entry is what files say of an image, by key.
type entry map[string]value

// A value is what a key has, in the field that its kind uses.
type value struct {
	at     place
	text   string // text, word, number, size; "true" or "false" for a flag
	list   []item
	pairs  []pair
	layers []settings.Layer // of caches, the first counting most
}

// A place is where something is written.
type place struct {
	file string
	line int
}

type item struct {
	at   place
	text string
}

// A pair is a name with its value, or its values.
type pair struct {
	at         place
	name, text string
	list       []item
}

// add returns an entry with what a later one says: lists grow, maps are
// updated, and everything else is replaced.
func (e entry) add(later entry) entry {
	sum := make(entry)
	for name, v := range e {
		sum[name] = v
	}
	for name, v := range later {
		sum[name] = sum[name].add(v)
	}
	return sum
}

func (v value) add(later value) value {
	later.list = slices.Concat(v.list, later.list)
	later.layers = slices.Concat(later.layers, v.layers)
	all := slices.Clone(v.pairs)
	for _, p := range later.pairs {
		if i := slices.IndexFunc(all, func(o pair) bool { return o.name == p.name }); i >= 0 {
			all[i] = p
		} else {
			all = append(all, p)
		}
	}
	later.pairs = all
	return later
}

// texts returns the texts of a list.
func (v value) texts() []string {
	var all []string
	for _, i := range v.list {
		all = append(all, i.text)
	}
	return all
}

// replace returns the entry with f applied to every text.
func (e entry) replace(f func(at place, text string) string) entry {
	replaced := make(entry, len(e))
	for name, v := range e {
		v.text = f(v.at, v.text)
		v.list = slices.Clone(v.list)
		for i := range v.list {
			v.list[i].text = f(v.list[i].at, v.list[i].text)
		}
		v.pairs = slices.Clone(v.pairs)
		for i := range v.pairs {
			v.pairs[i].text = f(v.pairs[i].at, v.pairs[i].text)
		}
		replaced[name] = v
	}
	return replaced
}
