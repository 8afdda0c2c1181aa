package steps

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// SourceNode returns the name of the node that gets a source.
func SourceNode(name string) string { return sourcePrefix + name }

const sourcePrefix = "source:"

// SourceKind is the kind of the nodes that get sources.
const SourceKind = "source"

// SourcesVariable is the variable in which hooks find [SourcesDir].
const SourcesVariable = "DIB_SOURCES"

// Sources are the nodes with the sources that hooks on the host can open. Like
// other files that hooks may or may not read, each counts if it is seen to be
// opened.
type Sources []*graph.Node

func (s Sources) names() []string {
	var names []string
	for _, n := range s {
		names = append(names, strings.TrimPrefix(n.Name, sourcePrefix))
	}
	return names
}

// describeNames writes which sources there are, for a text that can test for
// one without opening it.
func (s Sources) describeNames(d *graph.Description, words matcher) {
	if !words.Match(SourcesVariable) {
		return
	}
	for _, name := range s.names() {
		d.Add(fmt.Sprintf("exists %q", "sources/"+name), "file")
	}
}

// opened returns the nodes of the sources that an observation stands for, and
// whether it is about nothing else.
func (s Sources) opened(observation string) (nodes []*graph.Node, only bool) {
	if observation == observedAll {
		return s, false
	}
	name, only := strings.CutPrefix(observation, observedFile+"sources/")
	if i := slices.Index(s.names(), name); only && i >= 0 {
		return s[i : i+1], true
	}
	return nil, only
}

// describe writes the content of the sources of an observation, under the name
// that lines about results of other nodes have, and returns what they mention.
// A source that is gone by now leaves no line, which is another key too.
func (s Sources) describe(d *graph.Description, observation string, in *graph.Inputs) (words mention.Words, only bool, err error) {
	nodes, only := s.opened(observation)
	for _, n := range nodes {
		digest, err := in.Digest(n, SourceOutput)
		if err != nil {
			return words, only, err
		}
		d.Digest(fmt.Sprintf("input %s %q", n.Name, SourceOutput), digest)
	}
	words, err = s.words(observation, in)
	return words, only, err
}

// mentioned returns what the sources that a run may have opened mention. Archives
// and images, which have no text, are like packages: what is in them knows nothing
// of elements.
func (s Sources) mentioned(seen Sight, in *graph.Inputs) (mention.Words, error) {
	observed := seen.Observed
	if seen.Coarse {
		observed = []string{observedAll}
	}
	var all []mention.Words
	for _, observation := range observed {
		words, err := s.words(observation, in)
		if err != nil {
			return mention.Words{}, err
		}
		all = append(all, words)
	}
	return mention.Union(all...), nil
}

// words returns what the sources of an observation mention.
func (s Sources) words(observation string, in *graph.Inputs) (words mention.Words, err error) {
	nodes, _ := s.opened(observation)
	var all []mention.Words
	for _, n := range nodes {
		if !slices.Contains(in.Outputs(n), sourceText) {
			continue
		}
		content, err := in.Read(n, sourceText)
		if err != nil {
			return words, err
		}
		all = append(all, mention.Of(content))
	}
	return mention.Union(all...), nil
}

// files returns the file of each source by its name.
func (s Sources) files(in *graph.Inputs) (map[string]string, error) {
	files := make(map[string]string)
	for i, name := range s.names() {
		at, err := in.Path(s[i], SourceOutput)
		if err != nil {
			return nil, err
		}
		files[name] = at
	}
	return files, nil
}

// mountSources shows the sources, each by a mount of its own that can be
// watched.
func (t tree) mountSources() error {
	if len(t.Sources) == 0 {
		return nil
	}
	if err := os.Mkdir(SourcesDir, 0o755); err != nil {
		return err
	}
	for name, file := range t.Sources {
		at := filepath.Join(SourcesDir, name)
		if err := os.WriteFile(at, nil, 0o400); err != nil {
			return err
		}
		if err := mount.Bind(file, at, true); err != nil {
			return err
		}
	}
	return nil
}

// sourceMounts returns where mountSources mounts something.
func (t tree) sourceMounts() []string {
	var mounts []string
	for name := range t.Sources {
		mounts = append(mounts, path.Join(SourcesDir, name))
	}
	slices.Sort(mounts)
	return mounts
}
