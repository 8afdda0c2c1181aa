package blockdevice

import (
	"strconv"

	"go.yaml.in/yaml/v3"
)

// values reads the keys of one item. Keys that are never read are unknown.
type values struct {
	*reader
	item *item
}

func (v values) take(key string) (*yaml.Node, bool) {
	n, ok := v.item.values[key]
	delete(v.item.values, key)
	return n, ok && !isNull(n)
}

// text returns the value of a key, or otherwise when it is not there.
func (v values) text(key, otherwise string) string {
	n, ok := v.take(key)
	if !ok {
		return otherwise
	}
	return v.word(n, v.item.module+" "+key)
}

// required returns the value of a key that must be there.
func (v values) required(key string) string {
	n, ok := v.take(key)
	if !ok {
		v.add(v.item.line, "%s %q: the key %q is missing", v.item.module, v.item.name, key)
		return ""
	}
	return v.word(n, v.item.module+" "+key)
}

// lists reports the lists that the item has to have, and does not.
func (v values) lists(keys ...string) {
	for _, key := range keys {
		if !v.item.lists[key] {
			v.add(v.item.line, "%s %q: the key %q is missing", v.item.module, v.item.name, key)
		}
	}
}

// number returns an integer, or otherwise when it is not there.
func (v values) number(key string, otherwise int) int {
	n, ok := v.take(key)
	if !ok {
		return otherwise
	}
	value, err := strconv.Atoi(v.word(n, v.item.module+" "+key))
	if err != nil || value < 0 {
		v.add(n.Line, "%s %q: %s must be a whole number, and is %s", v.item.module, v.item.name, key, kindOf(n))
		return otherwise
	}
	return value
}

// amount returns a size. As in diskimage-builder it must be a string to YAML: a bare
// number is refused there, so that a layout that works here works there.
func (v values) amount(key string, otherwise size) size {
	n, ok := v.take(key)
	if !ok {
		return otherwise
	}
	if n.Kind == yaml.ScalarNode && n.Tag != "!!str" {
		v.add(n.Line, "%s %q: %s %s is a number to YAML; put it in quotes", v.item.module, v.item.name, key, n.Value)
		return otherwise
	}
	s, err := parseSize(v.word(n, v.item.module+" "+key))
	if err != nil {
		v.add(n.Line, "%s %q: %s: %v", v.item.module, v.item.name, key, err)
	}
	return s
}

// absolute is amount without shares.
func (v values) absolute(key string, otherwise int64) int64 {
	line := v.item.line
	if n, ok := v.item.values[key]; ok {
		line = n.Line
	}
	s := v.amount(key, size{bytes: otherwise})
	if s.relative {
		v.add(line, "%s %q: %s cannot be a percentage; only the size of a partition can", v.item.module, v.item.name, key)
		return otherwise
	}
	return s.bytes
}

func (v values) strings(key string) []string {
	n, ok := v.take(key)
	if !ok {
		return nil
	}
	return v.words(n, v.item.module+" "+key)
}

// oneBase checks that the item stands on exactly one other.
func (v values) oneBase() string {
	if len(v.item.bases) != 1 {
		v.add(v.item.line, "%s %q: needs one base, and has %d", v.item.module, v.item.name, len(v.item.bases))
		return ""
	}
	return v.item.bases[0]
}
