package main

import (
	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// A jsonCheck says what came of running one node again.
type jsonCheck struct {
	Agrees      bool             `json:"agrees"`
	Seconds     float64          `json:"seconds"`
	Failed      string           `json:"failed,omitempty"`
	Output      string           `json:"output,omitempty"`
	Differences []jsonDifference `json:"differences,omitempty"`
	Masked      int              `json:"masked,omitempty"`
	Outputs     []jsonOutput     `json:"outputs,omitempty"`
	Mounts      bool             `json:"mounts,omitempty"`
}

// A jsonDifference is a path that differs; Before is what is recorded.
type jsonDifference struct {
	Path    string         `json:"path"`
	Aspects []cache.Aspect `json:"aspects,omitempty"`
	Before  *jsonEntry     `json:"before,omitempty"`
	After   *jsonEntry     `json:"after,omitempty"`
	Diff    []string       `json:"diff,omitempty"`
}

type jsonEntry struct {
	Type     string            `json:"type"`
	Mode     uint32            `json:"mode"`
	UID      uint32            `json:"uid"`
	GID      uint32            `json:"gid"`
	Size     int64             `json:"size,omitempty"`
	Digest   cache.Digest      `json:"digest,omitzero"`
	Link     string            `json:"link,omitempty"`
	HardLink string            `json:"hard_link,omitempty"`
	Rdev     uint64            `json:"rdev,omitempty"`
	Xattrs   map[string][]byte `json:"xattrs,omitempty"`
	Opaque   bool              `json:"opaque,omitempty"`
}

// A jsonOutput is an output that differs.
type jsonOutput struct {
	Name    string `json:"name"`
	Missing bool   `json:"missing,omitempty"`
	New     bool   `json:"new,omitempty"`
	Before  int64  `json:"before"`
	After   int64  `json:"after"`
	First   int64  `json:"first"`
	Bytes   int64  `json:"bytes"`
	Blocks  int64  `json:"blocks"`
	// Inside is what differs of the files in it, if that could be compared.
	Inside *jsonInside `json:"inside,omitempty"`
}

type jsonInside struct {
	Differences []jsonDifference `json:"differences"`
	Masked      int              `json:"masked"`
}

// A jsonChecked is the result of a whole check.
type jsonChecked struct {
	Nodes  int      `json:"nodes"`
	Agree  int      `json:"agree"`
	Differ []string `json:"differ"`
	// Images are nodes of which only the bytes of the disk image differ.
	Images []string `json:"images"`
	// Unused nodes were chosen and had no record to compare with.
	Unused int `json:"unused"`
}

func newJSONCheck(c *graph.Recheck) *jsonCheck {
	j := &jsonCheck{
		Agrees: c.Agrees(), Seconds: c.Took.Seconds(), Output: c.Output,
		Masked: c.Layer.Masked, Mounts: c.Mounts,
	}
	if c.Failed != nil {
		j.Failed = c.Failed.Error()
	}
	j.Differences = newJSONDifferences(c.Layer.Differences, c.Texts)
	for _, o := range c.Outputs {
		out := jsonOutput{
			Name: o.Name, Missing: o.Missing, New: o.New,
			Before: o.Content.Before, After: o.Content.After, First: o.Content.First, Bytes: o.Content.Bytes, Blocks: o.Content.Blocks,
		}
		if o.Inside != nil {
			out.Inside = &jsonInside{newJSONDifferences(o.Inside.Differences, nil), o.Inside.Masked}
		}
		j.Outputs = append(j.Outputs, out)
	}
	return j
}

func newJSONDifferences(differences []cache.Difference, texts map[string][]string) []jsonDifference {
	list := []jsonDifference{}
	for _, d := range differences {
		list = append(list, jsonDifference{d.Path, d.Aspects, newJSONEntry(d.Before), newJSONEntry(d.After), texts[d.Path]})
	}
	return list
}

func newJSONEntry(e *cache.Entry) *jsonEntry {
	switch {
	case e == nil:
		return nil
	case e.Whiteout:
		return &jsonEntry{Type: "removed"}
	}
	j := &jsonEntry{
		Type: typeNames[e.Type], Mode: e.Mode, UID: e.UID, GID: e.GID, Size: e.Size, Digest: e.Digest,
		Link: e.Link, HardLink: e.HardLink, Rdev: e.Rdev, Opaque: e.Opaque,
	}
	for _, x := range e.Xattrs {
		if j.Xattrs == nil {
			j.Xattrs = make(map[string][]byte)
		}
		j.Xattrs[x.Name] = []byte(x.Value)
	}
	return j
}

func newJSONChecked(c checkReport) *jsonChecked {
	differ, images := c.differing()
	return &jsonChecked{
		Nodes: len(c.results), Agree: len(c.results) - len(differ) - len(images),
		Differ: nodeNames(differ), Images: nodeNames(images), Unused: c.unused,
	}
}

func nodeNames(results []*graph.Result) []string {
	names := []string{}
	for _, r := range results {
		names = append(names, r.Node.Name)
	}
	return names
}
