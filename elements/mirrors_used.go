package elements

import "time"

// Used implements [steps.Tokens].
func (m *Mirrors) Used(name string, started time.Time, found string) string {
	switch {
	case untold(name):
		return untoldState
	case found != "" && !m.Offline: // what is offline may fetch from a cache of its own
		m.learn(name, started, found)
		return found
	}
	s := m.state(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch t := s.token; {
	case t.Value == "":
		return unknownState
	case m.Offline, !t.Changed.After(started): // it was known before the run
		return t.Value
	case s.asked && !s.changed.IsZero() && s.changed.Before(started.Add(-clockMargin)):
		return t.Value
	}
	return passedState
}

// clockMargin is how much older than a run a state must be that was first asked
// for after the run.
const clockMargin = time.Minute

// learn takes over the state that a run fetched itself. That is as good as
// having asked when the run began.
func (m *Mirrors) learn(name string, started time.Time, found string) {
	s := m.entry(name)
	s.once.Do(func() { m.read(name, s) })
	m.mu.Lock()
	t := &s.token
	newer := !t.Checked.After(started)
	if newer {
		if t.Value != found {
			t.ETag, t.LastModified = "", "" // those of the old state
		}
		setValue(t, found, m.now())
		t.Checked, t.Tried, t.Failure = started, time.Time{}, ""
	}
	kept := *t
	m.mu.Unlock()
	if newer {
		m.note(m.Store.PutToken(kept))
	}
}

// note keeps the first error of the store for [Mirrors.Notices]: what is known
// of mirrors can be asked for again, and fails no build.
func (m *Mirrors) note(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
}
