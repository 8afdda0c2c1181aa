package directory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/cache/remote/conformance"
)

func TestConformance(t *testing.T) {
	dir := t.TempDir() + "/remote"
	conformance.Run(t, New(dir))
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if strings.HasPrefix(e.Name(), temporary) {
			t.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
