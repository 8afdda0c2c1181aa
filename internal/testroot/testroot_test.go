package testroot

import (
	"os"
	"testing"
)

func TestRequireWithoutVariableSkips(t *testing.T) {
	t.Setenv(Variable, "")
	r := &recorder{}
	// The recorder's Skipf returns, where the real one ends the test, so the
	// fitness check runs as well; only the message matters here.
	Require(r)
	if r.skipped == "" {
		t.Error("the test was not skipped")
	}
}

func TestRequireFailsUnfitMachine(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("needs an ordinary user: root passes the first check")
	}
	t.Setenv(Variable, "1")
	r := &recorder{}
	Require(r)
	if r.failed == "" {
		t.Error("a root test would have run without root")
	}
}
