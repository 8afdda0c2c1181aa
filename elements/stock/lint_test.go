package stock_test

import (
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/elements/stock"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// The elements are as they tell others to be; an exception says why in the file.
func TestLint(t *testing.T) {
	library, err := elements.OpenLibrary(nil, "", stock.Elements())
	if err != nil {
		t.Fatal(err)
	}
	findings, err := elements.Lint(library, library.Names(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
}

// Programs in bin are in every image, and what they mention counts for all hooks after
// them. An underscore that does not stand by itself is the beginning of all names that
// begin with one.
func TestProgramsMentionNoUnderscore(t *testing.T) {
	programs := 0
	err := fs.WalkDir(stock.Elements(), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Base(filepath.Dir(path)) != "bin" {
			return err
		}
		content, err := fs.ReadFile(stock.Elements(), path)
		if err != nil {
			return err
		}
		programs++
		if slices.Contains(mention.Of(content).Prefixes, "_") {
			t.Errorf("%s mentions all names that begin with an underscore", path)
		}
		return nil
	})
	if err != nil || programs == 0 {
		t.Fatalf("%d programs: %v", programs, err)
	}
}
