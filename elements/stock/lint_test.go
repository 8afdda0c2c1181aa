package stock_test

import (
	"testing"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/elements/stock"
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
