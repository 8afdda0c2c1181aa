package faultcount

import (
	"os"
	"sync"
	"testing"
)

// Variable is the environment variable that asks for the whole suites.
const Variable = "DIBGRAPH_FAULTS"

// Full reports whether whole suites are asked for.
func Full() bool { return os.Getenv(Variable) == "full" }

// A Suite counts the cases of one test. It may be used concurrently.
type Suite struct {
	mu                  sync.Mutex
	cases, leaks, wrong int
}

// New begins a suite, which ends, and logs its line, with the test.
func New(t testing.TB, name string) *Suite {
	s := &Suite{}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		t.Logf("faults: %s: %d cases, %d leaks, %d wrong results", name, s.cases, s.leaks, s.wrong)
	})
	return s
}

// Case counts a case that is about to be tried.
func (s *Suite) Case() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cases++
}

// Leak counts something that a fault left behind, and fails the test.
func (s *Suite) Leak(t testing.TB, format string, args ...any) {
	t.Helper()
	s.mu.Lock()
	s.leaks++
	s.mu.Unlock()
	t.Errorf("leak: "+format, args...)
}

// Wrong counts a result that is not what it must be after a fault: an image, a
// message, a rerun. It fails the test.
func (s *Suite) Wrong(t testing.TB, format string, args ...any) {
	t.Helper()
	s.mu.Lock()
	s.wrong++
	s.mu.Unlock()
	t.Errorf("wrong: "+format, args...)
}
