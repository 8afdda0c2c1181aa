package steps

import (
	"slices"
	"strings"
	"sync"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Mentions remembers what stacks mention: the states of many nodes have the
// same ones.
type mentions struct {
	mu     sync.Mutex
	stacks map[*graph.Stack]mention.Words
}

// words returns what anything that shaped a state mentions: its stack first, then
// what came on top of that.
func (m *mentions) words(s *graph.State) readers {
	if s == nil {
		return nil
	}
	return readers{m.below(s.Below), parseMentions(s.Mentions)}
}

// below returns what a stack and everything below it mention.
func (m *mentions) below(k *graph.Stack) mention.Words {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stacks == nil {
		m.stacks = make(map[*graph.Stack]mention.Words)
	}
	var unknown []*graph.Stack
	for ; k != nil; k = k.Below {
		if _, ok := m.stacks[k]; ok {
			break
		}
		unknown = append(unknown, k)
	}
	words := m.stacks[k] // none for nil
	for _, k := range slices.Backward(unknown) {
		words = mention.Union(words, parseMentions(k.Mentions))
		m.stacks[k] = words
	}
	return words
}

// missing returns those of a marshalled list of words that r does not have.
func (r readers) missing(list []string) []string {
	return slices.DeleteFunc(list, func(item string) bool {
		prefix, isPrefix := strings.CutSuffix(item, "*")
		return slices.ContainsFunc(r, func(words mention.Words) bool {
			if isPrefix {
				return words.All || slices.Contains(words.Prefixes, prefix)
			}
			return words.Match(item)
		})
	})
}
