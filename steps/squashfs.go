package steps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/command"
)

// Squashfs makes a squashfs filesystem of the tar file of a [Disk] with
// mksquashfs. The file is unpacked first: mksquashfs reads tar files as well, but
// leaves out what the root directory is.
type Squashfs struct {
	// Disk is the node whose tar file is used.
	Disk *graph.Node
	// StrictHost says that the version of the program counts.
	StrictHost bool
}

// squashfsWriter is the program.
const squashfsWriter = "mksquashfs"

// squashfsOptions are those that decide what is written. Equal trees give equal
// files with the time of making left out.
var squashfsOptions = []string{"-comp", "xz", "-noappend", "-no-recovery", "-mkfs-time", "0"}

// Describe implements [graph.Action].
func (s *Squashfs) Describe(d *graph.Description, in *graph.Inputs) error {
	d.Add("writer", "%s", squashfsWriter)
	d.Add("options", "%q", squashfsOptions)
	if path := hostTool(squashfsWriter); s.StrictHost && path != "" {
		d.Add(fmt.Sprintf("tool %q", path), "%s", toolDigest(path))
	}
	return describeTar(d, in, s.Disk)
}

// program implements [programmed].
func (s *Squashfs) program() string { return squashfsWriter }

// Run implements [graph.Action].
func (s *Squashfs) Run(ctx context.Context, w *graph.Work) error {
	archive, err := w.Inputs.Path(s.Disk, TarOutput)
	if err != nil {
		return err
	}
	tree := filepath.Join(w.Dir, "tree")
	if err := os.Mkdir(tree, 0o700); err != nil {
		return err
	}
	run := func(program string, args ...string) error {
		c := command.Cmd{Path: program, Args: args, Env: toolEnvironment, Dir: "/", Stdout: w.Log, Stderr: w.Log}
		return c.Run(ctx)
	}
	if err := run("tar", "-C", tree, "-xpf", archive, "--numeric-owner", "--xattrs", "--xattrs-include=*"); err != nil {
		return fmt.Errorf("unpack the tree: %w", err)
	}
	if path := hostTool(squashfsWriter); path != "" {
		w.Tools = toolDigests([]string{path})
	}
	args := append([]string{tree, filepath.Join(w.Out, ImageOutput), "-no-progress"}, squashfsOptions...)
	if err := run(squashfsWriter, args...); err != nil {
		return fmt.Errorf("make the squashfs image: %w", err)
	}
	return nil
}
