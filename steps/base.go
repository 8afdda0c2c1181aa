package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/sandbox"
)

// Base turns what the root phase left into a root in which hooks can run: it
// refuses an empty one, puts the image's resolv.conf aside and makes the
// default install type known to later phases.
type Base struct {
	Site *Site
	// InstallType is the default for DIB_DEFAULT_INSTALLTYPE.
	InstallType string
}

// Describe implements [graph.Action].
func (b *Base) Describe(d *graph.Description, _ *graph.Inputs) error {
	d.Add("install type", "%q", b.InstallType)
	d.Digest("library", LibDigest()) // the runner of hooks is from there
	return nil
}

// Run implements [graph.Action].
func (b *Base) Run(ctx context.Context, w *graph.Work) error {
	t, err := b.Site.tree(w)
	if err != nil {
		return err
	}
	var report baseReport
	config := sandbox.Config{Program: "base", Input: baseRun{t, b.InstallType}, Stdout: w.Log, Stderr: w.Log}
	if err := sandbox.Run(ctx, config, &report); err != nil {
		return err
	}
	if report.Failed != "" {
		return errors.New(report.Failed)
	}
	return pruneUpper(w.Upper, t.Lower)
}

type baseRun struct {
	Tree        tree
	InstallType string
}

type baseReport struct{ Failed string }

func init() {
	sandbox.Register("base", func(_ context.Context, in []byte) (any, error) {
		var run baseRun
		if err := json.Unmarshal(in, &run); err != nil {
			return nil, err
		}
		if err := run.Tree.mount(); err != nil {
			return nil, err
		}
		empty, err := emptyRoot(TargetDir)
		if err != nil {
			return nil, err
		}
		if empty {
			return baseReport{"no hook of the root phase put anything into the image: it needs an operating system element"}, nil
		}
		if err := prepareRoot(run.InstallType); err != nil {
			return nil, err
		}
		return baseReport{}, run.Tree.finish()
	})
}

// emptyRoot reports whether a root holds nothing but what an empty filesystem
// and a build leave there.
func emptyRoot(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if e.Name() != "lost+found" && !strings.HasSuffix(e.Name(), "tmp") {
			return false, nil
		}
	}
	return true, nil
}

func prepareRoot(installType string) error {
	if err := installResolver(TargetDir); err != nil {
		return fmt.Errorf("put the image's resolv.conf aside: %w", err)
	}
	dir := filepath.Join(HooksDir, "environment.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("export DIB_DEFAULT_INSTALLTYPE=${DIB_DEFAULT_INSTALLTYPE:-%s}\n", shellQuote(installType))
	if err := os.WriteFile(filepath.Join(dir, "11-dib-install-type.bash"), []byte(text), 0o644); err != nil {
		return err
	}
	runner, err := os.ReadFile(filepath.Join(LibDir, "dib-run-parts"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(HooksDir, "dib-run-parts"), runner, 0o755)
}

// shellQuote quotes a word for a POSIX shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
