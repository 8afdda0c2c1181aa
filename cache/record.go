package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// recordFormat is the Format of the records that this package writes. It
// changes with the meaning of a field.
const recordFormat = 3

// A Record is what the store keeps for a key: the work that the key names, with
// every input behind it, and what the work left. All text must be valid UTF-8.
type Record struct {
	// Format is set by Put.
	Format int `json:"format"`
	// Epoch is set by Put: the epoch of the store in which the record was
	// written, see the package doc.
	Epoch string `json:"epoch,omitempty"`

	// Image, Node and Kind say for which node the work was done first. They
	// are for people: any node with the same key may use the record.
	Image string `json:"image"`
	Node  string `json:"node"`
	Kind  string `json:"kind"`

	// Key is the hash of Description, and Static that of its static part.
	Key    Key `json:"key"`
	Static Key `json:"static"`
	// Description is the inputs, one a line, as hashed for Key.
	Description string `json:"description,omitempty"`
	// Shape is the sorted names of the observed inputs.
	Shape []string `json:"shape"`
	// Coarse says that the run was not observed, so that every ambient input counts.
	Coarse bool `json:"coarse,omitempty"`

	// Layers (bottom first, on top of those of Below), Mounts (to be made again)
	// and Chain are the state left behind; with a zero Chain there is none. A
	// record that a [Store] returns has all of Below, one that was only parsed
	// its digest.
	Below  *Stack   `json:"below,omitempty"`
	Layers []Digest `json:"layers,omitempty"`
	// Makers names, for each of Layers, the node that left it.
	Makers []string `json:"makers,omitempty"`
	Mounts []Mount  `json:"mounts,omitempty"`
	Chain  Digest   `json:"chain,omitzero"`
	// Uses are the keys of the records whose results the work used, by the names
	// of their nodes. They are for explanations: other records may have left the
	// same results.
	Uses map[string]Key `json:"uses,omitempty"`
	// Parent is the node of Uses on whose state the work was done; empty if
	// there was none.
	Parent string `json:"parent,omitempty"`
	// Mentions is the names of variables that something in the state mentions,
	// besides those of Below.
	Mentions []string `json:"mentions,omitempty"`

	// Outputs are the files made, by name. A zero Log is no log.
	Outputs map[string]Blob `json:"outputs,omitempty"`
	Log     Blob            `json:"log,omitzero"`

	// Texts are blobs whose digests are values in Description: files that the
	// work read, kept so that a later change can be shown. Nothing is amiss if
	// one is no longer there.
	Texts []Blob `json:"texts,omitempty"`

	// Tools are the host programs used, with their versions.
	Tools    map[string]string `json:"tools,omitempty"`
	Started  time.Time         `json:"started,omitzero"`
	Duration time.Duration     `json:"duration,omitempty"` // nanoseconds
	// Builder names who made it.
	Builder string `json:"builder,omitempty"`
	// Origin says from where ("remote") and on whose word the record is in the
	// store, in the form of the package that imported it; empty for one that was
	// made here.
	Origin json.RawMessage `json:"origin,omitempty"`
}

// A Mount is a mount that a node left behind, to be made again for the next.
type Mount struct {
	Source   string `json:"source,omitempty"`
	Point    string `json:"point"`
	FSType   string `json:"fstype,omitempty"`
	Options  string `json:"options,omitempty"`
	ReadOnly bool   `json:"read_only,omitempty"`
}

// ParseRecord reads a stored record and checks it as Put does.
func ParseRecord(data []byte) (*Record, error) {
	fields, description, _ := bytes.Cut(data, []byte("\n"))
	var r Record
	if err := unmarshalRecord(fields, &r); err != nil {
		return nil, fmt.Errorf("parse record: %w", err)
	}
	r.Description = string(description)
	if err := r.check(KeyOf(description)); err != nil {
		return nil, fmt.Errorf("parse record: %w", err)
	}
	return &r, nil
}

// Tree returns all layers of the state, those of Below too, bottom first, and
// who made them.
func (r *Record) Tree() (layers []Digest, makers []string) {
	var stacks []*Stack
	for k := r.Below; k != nil; k = k.Below {
		stacks = append(stacks, k)
	}
	for _, k := range slices.Backward(stacks) {
		layers, makers = append(layers, k.Layers...), append(makers, k.Makers...)
	}
	return append(layers, r.Layers...), append(makers, r.Makers...)
}

// Own returns the layer that the work of the record left itself, and whether
// there is one: the topmost layer, if it is not that of a node before.
func (r *Record) Own() (Digest, bool) {
	layers, makers := r.Layers, r.Makers
	if len(layers) == 0 && r.Below != nil {
		layers, makers = r.Below.Layers, r.Below.Makers
	}
	if last := len(layers) - 1; last >= 0 && makers[last] == r.Node {
		return layers[last], true
	}
	return Digest{}, false
}

// From returns the address of the remote that the record came from, empty for
// one that was made here.
func (r *Record) From() string {
	var origin struct{ Remote string }
	if json.Unmarshal(r.Origin, &origin) != nil {
		return ""
	}
	return origin.Remote
}

// Text returns the record without what is about the store that it is in, for
// [ParseRecord] in another one.
func (r *Record) Text() ([]byte, error) {
	moved := *r
	moved.Format, moved.Epoch, moved.Origin = recordFormat, "", nil
	return moved.encode()
}

// encode returns what is stored: a line of JSON, then the description as it is.
// As a field it would be most of what there is to parse.
func (r *Record) encode() ([]byte, error) {
	fields := *r
	fields.Description = ""
	data, err := json.Marshal(&fields)
	if err != nil {
		return nil, err
	}
	return slices.Concat(data, []byte("\n"), []byte(r.Description)), nil
}

// check finds records that would not come back as they were put, or that no
// look-up could find. The key is that of the description.
func (r *Record) check(key Key) error {
	switch {
	case r.Format != recordFormat:
		return fmt.Errorf("its format is %d, not %d", r.Format, recordFormat)
	case r.Key != key:
		return errors.New("its key is not the hash of its description")
	case r.Static.IsZero():
		return errors.New("it has no static key")
	case !slices.IsSorted(r.Shape):
		return errors.New("its shape is not sorted")
	case slices.Contains(r.Layers, Digest{}):
		return errors.New("it names a zero layer")
	case len(r.Makers) != len(r.Layers):
		return fmt.Errorf("it names %d makers of %d layers", len(r.Makers), len(r.Layers))
	}
	for name, b := range r.Outputs {
		if b.Digest.IsZero() || b.Size < 0 {
			return fmt.Errorf("its output %q is no blob", name)
		}
	}
	for text := range r.texts {
		// JSON would replace the bytes, and the key then be that of another text.
		if !utf8.ValidString(text) {
			return fmt.Errorf("%q is not valid UTF-8", text)
		}
	}
	return nil
}

// texts calls yield for every text of the record.
func (r *Record) texts(yield func(string) bool) {
	all := []string{r.Image, r.Node, r.Kind, r.Description, r.Builder, r.Parent}
	all = append(all, r.Shape...)
	all = append(all, r.Mentions...)
	all = append(all, r.Makers...)
	for _, m := range r.Mounts {
		all = append(all, m.Source, m.Point, m.FSType, m.Options)
	}
	for name := range r.Outputs {
		all = append(all, name)
	}
	for name := range r.Uses {
		all = append(all, name)
	}
	for name, version := range r.Tools {
		all = append(all, name, version)
	}
	for _, text := range all {
		if !yield(text) {
			return
		}
	}
}

// blobs calls yield for every blob the record names.
func (r *Record) blobs(yield func(Blob) bool) {
	if !r.Log.Digest.IsZero() && !yield(r.Log) {
		return
	}
	for _, b := range r.Outputs {
		if !yield(b) {
			return
		}
	}
}
