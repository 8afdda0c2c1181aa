package steps

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/sandbox"
)

// A Sheller is a step whose build tree a person can look at with a shell, as
// the step itself finds it.
type Sheller interface {
	// Shell runs an interactive shell, or a command line given to it, on the
	// files it is passed, until it ends. A command that fails is an error; how
	// an interactive shell ends is not.
	Shell(ctx context.Context, w *graph.Work, command string, files Files) error
}

// Files are what a shell reads and writes.
type Files struct{ In, Out, Err *os.File }

// Shell implements [Sheller]: the shell has the hook's environment.
func (h *Hook) Shell(ctx context.Context, w *graph.Work, command string, files Files) error {
	env, err := h.environment(w.Inputs)
	if err != nil {
		return err
	}
	sources, err := h.Sources.files(w.Inputs)
	if err != nil {
		return err
	}
	like := hookRun{Tree: tree{Kernel: h.Kernel, HooksBind: h.Chroot, Sources: sources}, NoNetwork: h.NoNetwork}
	return shell(ctx, h.Site, w, like, env.env, command, files)
}

// Shell implements [Sheller]: the shell has the environment before
// environment.d.
func (e *Environment) Shell(ctx context.Context, w *graph.Work, command string, files Files) error {
	return shell(ctx, e.Site, w, hookRun{Tree: tree{Kernel: e.Kernel, HooksBind: e.Chroot}}, e.Vars.Values, command, files)
}

// Shell implements [Sheller].
func (p *Packages) Shell(ctx context.Context, w *graph.Work, command string, files Files) error {
	return shell(ctx, p.Site, w, hookRun{Tree: tree{Kernel: true, HooksBind: true}}, p.Vars.Values, command, files)
}

// Shell implements [Sheller]: the tree is as it is before the disk is made.
func (s *Disk) Shell(ctx context.Context, w *graph.Work, command string, files Files) error {
	sources, err := s.Sources.files(w.Inputs)
	if err != nil {
		return err
	}
	return shell(ctx, s.Site, w, hookRun{Tree: tree{Kernel: true, Sources: sources}}, s.Phases[0].Vars.Values, command, files)
}

// shell runs a shell on the tree of a run that is like the given one in what is
// mounted, and in its network.
func shell(ctx context.Context, site *Site, w *graph.Work, like hookRun, env map[string]string, command string, files Files) error {
	t, err := site.tree(w)
	if err != nil {
		return err
	}
	t.Kernel, t.HooksBind, t.Sources = like.Tree.Kernel, like.Tree.HooksBind, like.Tree.Sources
	run := hookRun{Tree: t, Chroot: t.HooksBind, NoNetwork: like.NoNetwork, Dir: site.WorkDir, Path: "/bin/bash", Args: []string{"-i"}}
	if command != "" {
		run.Args = []string{"-c", command}
	}
	if run.Chroot {
		run.Dir = "/"
	}
	run.Env = append(list(env), "TERM="+env["TERM"], "PS1=[dibgraph "+w.Node.Name+"] \\w# ")
	var report hookReport
	if err := sandbox.Run(ctx, sandbox.Config{Program: "shell", Input: run, Stdin: files.In, Stdout: files.Out, Stderr: files.Err}, &report); err != nil {
		return err
	}
	if report.Failed != "" && command != "" {
		return fmt.Errorf("shell %s: %q: %s", w.Node.Name, command, report.Failed)
	}
	return nil
}

// converse runs a shell on the terminal that the sandbox was given.
func (run hookRun) converse(ctx context.Context) (report hookReport, err error) {
	if err := run.Tree.mount(); err != nil {
		return report, err
	}
	if run.Tree.Kernel {
		if _, err := lendResolver(TargetDir); err != nil {
			return report, err
		}
	}
	c := command.Cmd{Path: run.Path, Args: run.Args, Env: run.Env, Dir: run.Dir, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if run.Chroot {
		c.Root = TargetDir
	}
	err = runCommand(ctx, c, run.NoNetwork)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return hookReport{Failed: exit.Ending()}, nil
	}
	return report, err
}
