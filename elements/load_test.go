package elements

import (
	"testing"

	"github.com/dibgraph/dibgraph/elements/stock"
)

// The elements of the demo image, as every plan loads them.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		def := Definition{Arch: "amd64", Elements: []string{"debian-minimal", "vm"}, OutputDir: b.TempDir()}
		if _, err := Load(def, stock.Elements()); err != nil {
			b.Fatal(err)
		}
	}
}
