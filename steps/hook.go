package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/sandbox"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// A Hook runs one executable of a phase directory on the build tree.
type Hook struct {
	Site    *Site
	Ambient *Ambient
	Vars    *Variables
	// Phase is the directory, "install.d"; Name the file in it.
	Phase, Name string
	// Path is the file that runs below the merged hooks, if Name is a link.
	Path   string
	Digest graph.Digest
	// Words is what the hook's own text mentions.
	Words mention.Words
	// Chroot says that it runs inside the image.
	Chroot bool
	// Kernel says that proc, dev and sys are mounted in the image.
	Kernel bool
	// Environment is the node that evaluated the phase's environment.d.
	Environment *graph.Node
	// Sources are those that the hook can open; none inside the image.
	Sources Sources
	// HostFiles are files of the machine that count, opened or not, for a hook
	// on the host.
	HostFiles []string
	// NoNetwork says that it runs without a network.
	NoNetwork bool
}

func (h *Hook) file() string { return filepath.Join("hooks", h.Phase, h.Name) }

// environment returns the variables the hook gets.
func (h *Hook) environment(in *graph.Inputs) (*values, error) {
	digest, err := in.Digest(h.Environment, phaseOutput)
	if err != nil {
		return nil, err
	}
	return h.Vars.after(digest, func(output string) ([]byte, error) { return in.Read(h.Environment, output) })
}

// Describe implements [graph.Action].
func (h *Hook) Describe(d *graph.Description, in *graph.Inputs) error {
	d.Add("where", "%s", where(h.Chroot))
	d.Digest(fmt.Sprintf("hook %q", h.file()), h.Digest)
	if !h.Chroot {
		d.Digest("library", LibDigest())
	}
	env, err := h.environment(in)
	if err != nil {
		return err
	}
	inherited := h.Ambient.mentions.words(in.Parent)
	words := append(inherited, h.Words)
	env.describeOn(d, in.Parent, inherited, h.Words)
	h.Ambient.describeNames(d, inheritFinders(h.Words, inherited), env)
	if h.NoNetwork {
		d.Add("network", "none")
	}
	if h.Chroot {
		return nil // there it sees no file of the host
	}
	h.Site.Files.describeTools(d)
	h.Sources.describeNames(d, words)
	return h.Site.Files.describe(d, h.Vars, env.naming(h.Site.Files), words, h.HostFiles)
}

func where(chroot bool) string {
	if chroot {
		return "in the image"
	}
	return "on the host"
}

// Observe implements [graph.Observer].
func (h *Hook) Observe(d *graph.Description, name string, in *graph.Inputs) error {
	if h.Site.observe(d, name) {
		return nil
	}
	words, only, err := h.Sources.describe(d, name, in)
	if err != nil {
		return err
	}
	if !only {
		h.Ambient.describe(d, name)
		words = mention.Union(words, h.Ambient.words(name))
	}
	env, err := h.environment(in)
	if err != nil {
		return err
	}
	env.describe(d, readers{words})
	h.Ambient.describeNames(d, words.Merge(h.Words), env)
	h.Sources.describeNames(d, words)
	if h.Chroot {
		return nil
	}
	h.Site.Files.observe(d, name)
	return h.Site.Files.describe(d, h.Vars, env.naming(h.Site.Files), readers{words}, nil)
}

// Run implements [graph.Action].
func (h *Hook) Run(ctx context.Context, w *graph.Work) error {
	env, err := h.environment(w.Inputs)
	if err != nil {
		return err
	}
	t, err := h.Site.tree(w)
	if err != nil {
		return err
	}
	t.Kernel, t.HooksBind = h.Kernel, h.Chroot
	if !h.Chroot {
		t.Host = &h.Site.Files
	}
	if t.Sources, err = h.Sources.files(w.Inputs); err != nil {
		return err
	}
	run := hookRun{
		Tree: t, Chroot: h.Chroot, NoNetwork: h.NoNetwork, Env: list(env.env),
		Dir: h.Site.WorkDir, Path: filepath.Join(HooksDir, h.Phase, h.Name),
	}
	if h.Chroot {
		run.Dir, run.Path = "/", filepath.Join(InTarget, h.Phase, h.Name)
	}
	if !h.Chroot && fetchesSources(h.Words) {
		h.Site.ask(h.Ambient.gitUses([]string{observedAll}, env.env))
	}
	fmt.Fprintf(w.Log, "dib-run-parts Running %s\n", run.Path)
	started := time.Now()
	report, err := runInTree(ctx, w, run)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Log, "dib-run-parts %s completed in %.3f s\n", h.Name, time.Since(started).Seconds())
	mentioned, err := h.Sources.mentioned(report.Sight, w.Inputs)
	if err != nil {
		return err
	}
	if !h.Chroot {
		read := mention.Union(h.Words, h.Ambient.wordsOf(report.Observed), mentioned)
		w.Observed = append(h.Site.Files.toolNames(report.Tools), h.Site.Files.outright(read, started)...)
	}
	if err := recordRun(ctx, w, h.Ambient, h.Vars, h.Words.Merge(mentioned), h.file(), report); err != nil {
		return err
	}
	defer graph.Measure(ctx, "freshness")()
	h.Site.record(w, append(aptTokens(report.Apt), h.Ambient.gitUses(w.Observed, env.env)...), started)
	h.Site.recordOffline(w, h.Ambient, append(h.Ambient.mentions.words(w.Inputs.Parent), h.Words))
	return nil
}

// recordRun says in w what a run read and left. Words are those of what ran, own
// is its file.
func recordRun(ctx context.Context, w *graph.Work, a *Ambient, v *Variables, words mention.Words, own string, report hookReport) error {
	graph.Spend(ctx, "observation", report.Cost)
	reading := graph.Measure(ctx, "inputs")
	changed, err := changedHooks(w.Upper)
	if err != nil {
		return err
	}
	for _, name := range changed {
		report.Observed = append(report.Observed, observedFile+name)
	}
	if mention.Union(words, a.wordsOf(report.Observed)).Mounts {
		report.Coarse = true // what is read by such a mount may not have been seen
	}
	if report.Coarse {
		report.Observed = append(report.Observed, observedAll)
	}
	w.Coarse, w.Mounts, w.Tools = report.Coarse, report.Mounts, toolDigests(report.Tools)
	all := readers{words}
	for _, name := range report.Observed {
		if name == observedFile+own {
			continue // described anyway
		}
		w.Observed = append(w.Observed, name)
		all = append(all, a.words(name))
	}
	reading()
	carrying := graph.Measure(ctx, "carried words")
	carried, err := v.carried(w.Upper, mention.Union(all...))
	carrying()
	if err != nil {
		return fmt.Errorf("look for variables in what %s wrote: %w", w.Node.Name, err)
	}
	w.Mentions = a.mentions.words(w.Inputs.Parent).missing(v.keep(carried))
	return nil
}

// A hookRun is what runs in a build tree. It travels into the sandbox.
type hookRun struct {
	Tree   tree
	Path   string
	Args   []string
	Env    []string
	Dir    string
	Chroot bool
	// NoNetwork leaves it no network but a loopback interface.
	NoNetwork bool
}

// A hookReport is what came of it.
type hookReport struct {
	// Failed is how the command failed; empty if it did not.
	Failed string
	// Status is its exit status then.
	Status int
	Sight
	Mounts []graph.Mount
	// Apt are the suites that it took packages from.
	Apt []AptUse
	// Lent says that the host's resolv.conf was in the image meanwhile.
	Lent bool
}

func init() {
	sandbox.Register("hook", func(ctx context.Context, in []byte) (any, error) {
		var run hookRun
		if err := json.Unmarshal(in, &run); err != nil {
			return nil, err
		}
		return run.inSandbox(ctx)
	})
}

func init() {
	sandbox.Register("shell", func(ctx context.Context, in []byte) (any, error) {
		var run hookRun
		if err := json.Unmarshal(in, &run); err != nil {
			return nil, err
		}
		return run.converse(ctx)
	})
}

// runInTree runs a command on the build tree of w, in namespaces of its own,
// and clears the upper directory of what nobody changed.
func runInTree(ctx context.Context, w *graph.Work, run hookRun) (hookReport, error) {
	var report hookReport
	err := sandbox.Run(ctx, sandbox.Config{Program: "hook", Input: run, Stdout: w.Log, Stderr: w.Log}, &report)
	if err != nil {
		return report, err
	}
	if report.Failed != "" {
		return report, &FailedError{report.Failed, report.Status}
	}
	if report.Lent {
		if err := withdrawResolver(w.Upper); err != nil {
			return report, err
		}
	}
	return report, pruneUpper(w.Upper, run.Tree.Lower)
}

func (run hookRun) inSandbox(ctx context.Context) (report hookReport, err error) {
	if err := run.Tree.mount(); err != nil {
		return report, err
	}
	if run.Tree.Kernel {
		if report.Lent, err = lendResolver(TargetDir); err != nil {
			return report, err
		}
	}
	reveal, err := run.Tree.hide()
	if err != nil {
		return report, err
	}
	watch := watchTree(run.Tree, "")
	runErr := run.execute(ctx)
	if err := sandbox.KillOthers(); err != nil {
		return report, err
	}
	report.Sight = watch()
	if err := reveal(); err != nil {
		return report, err
	}
	var exit *command.ExitError
	if errors.As(runErr, &exit) {
		report.Failed, report.Status = exit.Ending(), shellStatus(exit)
		return report, nil
	}
	if runErr != nil {
		return report, runErr
	}
	if report.Mounts, err = leftMounts(run.Tree.ImageCache); err != nil {
		return report, err
	}
	looking := time.Now()
	fetched, changed := packagesTouched(run.Tree.Upper)
	report.Apt = aptUses(TargetDir, fetched, changed, variables(run.Env))
	report.Cost += time.Since(looking)
	return report, run.Tree.finish()
}

func (run hookRun) execute(ctx context.Context) error {
	c := command.Cmd{Path: run.Path, Args: run.Args, Env: run.Env, Dir: run.Dir, Stdout: os.Stdout, Stderr: os.Stderr}
	if run.Chroot {
		c.Root = TargetDir
	}
	return runCommand(ctx, c, run.NoNetwork)
}

// runCommand runs a command with a network or without one.
func runCommand(ctx context.Context, c command.Cmd, noNetwork bool) error {
	if noNetwork {
		return sandbox.WithoutNetwork(func() error { return c.Run(ctx) })
	}
	return c.Run(ctx)
}

// ambientName returns the name under which a path in the sandbox is known as
// an input.
func ambientName(path string) (string, bool) {
	if rest, ok := below(filepath.Join(TargetDir, InTarget), path); ok {
		return "hooks" + rest, true
	}
	if rest, ok := below(HooksDir, path); ok {
		return "hooks" + rest, true
	}
	rest, ok := strings.CutPrefix(path, RunDir+"/")
	return rest, ok && (strings.HasPrefix(rest, "elements") || strings.HasPrefix(rest, "sources/"))
}
