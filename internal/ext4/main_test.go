package ext4

import (
	"os"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

func TestMain(m *testing.M) { os.Exit(testroot.RunPrivate(m)) }
