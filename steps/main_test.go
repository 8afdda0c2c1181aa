package steps

import (
	"os"
	"testing"

	"github.com/dibgraph/dibgraph/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.MaybeRun()
	os.Exit(m.Run())
}
