package elements

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/steps"
)

// Notices says, once a build has ended, what it did not find out about mirrors,
// in a fixed order.
func (m *Mirrors) Notices() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []string
	var oldest time.Time
	failed := make(map[string][]cache.Token) // by address
	for _, name := range slices.Sorted(maps.Keys(m.states)) {
		t := m.states[name].token
		_, address, _, _ := steps.ParseToken(name)
		if t.Failure != "" && m.Ask != nil {
			failed[address] = append(failed[address], t)
		}
		if oldest.IsZero() || t.Checked.Before(oldest) {
			oldest = t.Checked
		}
	}
	if m.Offline && len(m.states) > 0 {
		list = append(list, "offline: no mirror was asked for news; "+m.counts(oldest))
	}
	for _, address := range slices.Sorted(maps.Keys(failed)) {
		list = append(list, m.failure(failed[address]))
	}
	if m.err != nil {
		list = append(list, fmt.Sprintf("what mirrors said could not be kept: %v", m.err))
	}
	return list
}

// failure is the notice about one address that did not answer.
func (m *Mirrors) failure(tokens []cache.Token) string {
	text := tokens[0].Failure
	if more := len(tokens) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more there)", more)
	}
	oldest := tokens[0].Checked
	for _, t := range tokens {
		if t.Checked.Before(oldest) {
			oldest = t.Checked
		}
	}
	return text + "; " + m.counts(oldest)
}

// counts says what a build goes by that could not ask.
func (m *Mirrors) counts(checked time.Time) string {
	if checked.IsZero() {
		return "what is cached counts as current, its age is not known"
	}
	return "what is cached counts as current if it was so " + ago(m.now().Sub(checked)) + " ago"
}

// ago writes a duration for people, in its largest unit.
func ago(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / unit.length); n > 1 {
			return fmt.Sprintf("%d %ss", n, unit.name)
		} else if n == 1 {
			return "1 " + unit.name
		}
	}
	return "less than a minute"
}

// longest writes a limit for people: in a unit of which it is a whole number.
func longest(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0, d < 24*time.Hour && d%time.Hour == 0, d < time.Hour && d%time.Minute == 0:
		return ago(d)
	}
	return d.String()
}
