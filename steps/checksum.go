package steps

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/interrupt"
)

// Checksum computes checksums of one output of another node. Each becomes an
// output under the algorithm's name, in hexadecimal.
type Checksum struct {
	Of     *graph.Node
	Output string
	// Algorithms are of "md5" and "sha256".
	Algorithms []string
}

// Describe implements [graph.Action].
func (c *Checksum) Describe(d *graph.Description, in *graph.Inputs) error {
	digest, err := in.Digest(c.Of, c.Output)
	if err != nil {
		return err
	}
	d.Digest(fmt.Sprintf("input %s %q", c.Of.Name, c.Output), digest)
	d.Add("algorithms", "%q", c.Algorithms)
	return nil
}

// Run implements [graph.Action].
func (c *Checksum) Run(ctx context.Context, w *graph.Work) error {
	path, err := w.Inputs.Path(c.Of, c.Output)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sums := make(map[string]hash.Hash)
	var writers []io.Writer
	for _, name := range c.Algorithms {
		switch name {
		case "md5":
			sums[name] = md5.New()
		case "sha256":
			sums[name] = sha256.New()
		default:
			return fmt.Errorf("checksum %q: only md5 and sha256 are known", name)
		}
		writers = append(writers, sums[name])
	}
	if _, err := io.Copy(io.MultiWriter(writers...), interrupt.Reader(ctx, f)); err != nil {
		return err
	}
	for name, sum := range sums {
		text := hex.EncodeToString(sum.Sum(nil))
		if err := os.WriteFile(filepath.Join(w.Out, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
