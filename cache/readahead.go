package cache

import "sync/atomic"

// ReadAhead begins to read the records that the nodes of an image used last, so
// that [Store.Last] finds them read. It fills the time in which only one processor is
// at work. The caller ends it with stop, after which nothing of it is left. Only one
// is under way at a time: another one does nothing.
func (s *Store) ReadAhead(image string) (stop func()) {
	if !s.readingAhead.CompareAndSwap(false, true) {
		return func() {}
	}
	var stopped atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		names, err := readNames(s.path(historyDir, escapeName(image)))
		if err != nil {
			return // whoever needs a record says what is wrong
		}
		for _, name := range names {
			if stopped.Load() {
				return
			}
			history := s.path(historyDir, escapeName(image), name)
			k, err := s.keyIn(history)
			if err != nil || k.IsZero() {
				continue
			}
			if r, err := s.Record(k); err == nil {
				s.ahead.Store(history, r)
			}
		}
	}()
	return func() {
		stopped.Store(true)
		<-done
		s.ahead.Clear()
		s.readingAhead.Store(false)
	}
}

// readAhead returns the record that a file of the history named when both were read
// ahead, once.
func (s *Store) readAhead(history string) (*Record, bool) {
	r, ok := s.ahead.LoadAndDelete(history)
	if !ok {
		return nil, false
	}
	return r.(*Record), true
}
