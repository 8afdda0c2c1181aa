package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/sandbox"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// An Environment evaluates the environment.d files of one phase and lists the
// hooks that the phase will run: both can depend on what earlier hooks left.
type Environment struct {
	Site    *Site
	Ambient *Ambient
	Vars    *Variables
	// Phase is the directory, "install.d".
	Phase string
	// Files are the environment files of the elements, with their words.
	Files []EnvironmentFile
	// Hooks are the names and executability of the entries that the elements
	// have in the phase directory.
	Hooks []string
	// Pattern selects the hooks of a phase by name.
	Pattern string
	Chroot  bool
	Kernel  bool
}

// An EnvironmentFile is one file of environment.d.
type EnvironmentFile struct {
	Name   string
	Digest graph.Digest
	Words  mention.Words
}

// Describe implements [graph.Action].
func (e *Environment) Describe(d *graph.Description, in *graph.Inputs) error {
	d.Add("where", "%s", where(e.Chroot))
	d.Add("pattern", "%q", e.Pattern)
	for _, f := range e.Files {
		d.Digest(fmt.Sprintf("environment.d %q", f.Name), f.Digest)
	}
	for _, name := range e.Hooks {
		d.Add(fmt.Sprintf("listed %q", filepath.Join(e.Phase, name)), "yes")
	}
	if !e.Chroot {
		d.Digest("library", LibDigest())
	}
	words := e.words()
	inherited := e.Ambient.mentions.words(in.Parent)
	all, env := append(inherited, words), e.Vars.before()
	env.describeOn(d, in.Parent, inherited, words)
	e.Ambient.describeNames(d, inheritFinders(words, inherited), env)
	if e.Chroot {
		return nil
	}
	e.Site.Files.describeTools(d)
	return e.Site.Files.describe(d, e.Vars, env.naming(e.Site.Files), all, nil)
}

// words returns what the environment files mention.
func (e *Environment) words() mention.Words {
	var words readers
	for _, f := range e.Files {
		words = append(words, f.Words)
	}
	return mention.Union(words...)
}

// Observe implements [graph.Observer].
func (e *Environment) Observe(d *graph.Description, name string, _ *graph.Inputs) error {
	if e.Site.observe(d, name) {
		return nil
	}
	e.Ambient.describe(d, name)
	words := e.Ambient.words(name)
	e.Vars.before().describe(d, readers{words})
	e.Ambient.describeNames(d, words.Merge(e.words()), e.Vars.before())
	if e.Chroot {
		return nil
	}
	e.Site.Files.observe(d, name)
	return e.Site.Files.describe(d, e.Vars, e.Vars.before().naming(e.Site.Files), readers{words}, nil)
}

// Run implements [graph.Action].
func (e *Environment) Run(ctx context.Context, w *graph.Work) error {
	t, err := e.Site.tree(w)
	if err != nil {
		return err
	}
	t.Kernel, t.HooksBind = e.Kernel, e.Chroot
	if !e.Chroot {
		t.Host = &e.Site.Files
	}
	run := environmentRun{Tree: t, Phase: e.Phase, Pattern: e.Pattern, Chroot: e.Chroot, Values: e.Vars.Values, Dir: e.Site.WorkDir}
	var report environmentReport
	started := time.Now()
	err = sandbox.Run(ctx, sandbox.Config{Program: "environment", Input: run, Stdout: w.Log, Stderr: w.Log}, &report)
	if err != nil {
		return err
	}
	if report.Failed != "" {
		return &FailedError{report.Failed, report.Status}
	}
	graph.Spend(ctx, "observation", report.Cost)
	defer graph.Measure(ctx, "inputs")()
	w.Coarse, w.Tools = report.Coarse, toolDigests(report.Tools)
	if report.Coarse {
		report.Observed = []string{observedAll}
	}
	if !e.Chroot {
		read := mention.Union(e.words(), e.Ambient.wordsOf(report.Observed))
		w.Observed = append(e.Site.Files.toolNames(report.Tools), e.Site.Files.outright(read, started)...)
	}
	for _, name := range report.Observed {
		if !strings.HasPrefix(name, observedFile+"hooks/environment.d/") && !strings.HasPrefix(name, observedDir+"hooks/environment.d") {
			w.Observed = append(w.Observed, name)
		}
	}
	e.Site.recordOffline(w, e.Ambient, append(e.Ambient.mentions.words(w.Inputs.Parent), e.words()))
	content, err := json.MarshalIndent(report.Result, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.Out, phaseOutput), content, 0o600)
}

// An environmentRun travels into the sandbox, an environmentReport back.
type environmentRun struct {
	Tree           tree
	Phase, Pattern string
	Chroot         bool
	Values         map[string]string
	Dir            string
}

type environmentReport struct {
	Failed string
	Status int // then
	Result PhaseResult
	Sight
}

func init() {
	sandbox.Register("environment", func(ctx context.Context, in []byte) (any, error) {
		var run environmentRun
		if err := json.Unmarshal(in, &run); err != nil {
			return nil, err
		}
		if err := run.Tree.mount(); err != nil {
			return nil, err
		}
		hooks, err := effectiveHooks(run.Phase, run.Pattern, run.Tree)
		if err != nil || len(hooks) == 0 {
			// A phase without hooks does not happen, nor does its environment.
			return environmentReport{}, err
		}
		// What ends the program shows it again.
		if _, err := run.Tree.hide(); err != nil {
			return nil, err
		}
		watch := watchTree(run.Tree, "")
		values, err := evaluate(ctx, run.Values, run.Chroot, run.Dir)
		var exit *command.ExitError
		if errors.As(err, &exit) {
			return environmentReport{Failed: exit.Error(), Status: shellStatus(exit)}, nil
		}
		if err != nil {
			return nil, err
		}
		var report environmentReport
		report.Sight = watch()
		report.Result = difference(run.Values, values)
		report.Result.Hooks = hooks
		return report, nil
	})
}

// evaluateScript sources its arguments as dib-run-parts does: traced, unset
// variables and failing commands fatal, in one shell. Whatever they print goes
// to the log; what is exported in the end goes to standard output.
const evaluateScript = `set -ueo pipefail
exec 3>&1 1>&2
for file in "$@"; do
    echo "dib-run-parts Sourcing environment file $file"
    set -x
    source "$file"
    { set +x; } 2>/dev/null
done
exec env -0 >&3 3>&-`

// evaluate returns the variables that the environment.d files leave exported.
func evaluate(ctx context.Context, values map[string]string, chroot bool, dir string) (map[string]string, error) {
	files, err := environmentFiles()
	if err != nil || len(files) == 0 {
		return values, err
	}
	var out bytes.Buffer
	c := command.Cmd{
		Path: "/bin/bash", Env: list(values), Dir: dir, Stdout: &out, Stderr: os.Stderr,
		Args: []string{"-c", evaluateScript, "environment.d"},
	}
	at := HooksDir
	if chroot {
		c.Root, c.Dir, at = TargetDir, "/", InTarget
	}
	for _, f := range files {
		c.Args = append(c.Args, filepath.Join(at, "environment.d", f))
	}
	if err := c.Run(ctx); err != nil {
		if exit, ok := errors.AsType[*command.ExitError](err); ok {
			exit.Command = "environment.d" // and not the whole script
		}
		return nil, err
	}
	return parseEnvironment(out.Bytes()), nil
}

func parseEnvironment(content []byte) map[string]string {
	values := make(map[string]string)
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(content), "\x00"), "\x00") {
		if name, value, ok := strings.Cut(entry, "="); ok {
			values[name] = value
		}
	}
	return values
}

// environmentFiles lists environment.d as it is in the build tree now, in the
// order in which it is sourced: byte-wise, unlike hooks.
func environmentFiles() ([]string, error) {
	names, err := regularFiles(filepath.Join(HooksDir, "environment.d"), func(name string, _ os.FileInfo) bool {
		return IsEnvironmentFile(name)
	})
	slices.Sort(names)
	return names, err
}

// regularFiles lists the files of a directory, links to files included, that
// keep accepts. A directory that is not there has none.
func regularFiles(dir string, keep func(name string, info os.FileInfo) bool) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		if err == nil && info.Mode().IsRegular() && keep(e.Name(), info) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// bookkeeping are variables that a shell sets for itself.
var bookkeeping = map[string]bool{"_": true, "SHLVL": true, "PWD": true, "OLDPWD": true}

// difference says how evaluation changed the variables, so that the result
// holds nothing of those it left alone.
func difference(before, after map[string]string) PhaseResult {
	r := PhaseResult{Set: make(map[string]string)}
	for name, value := range after {
		if was, ok := before[name]; (!ok || was != value) && !bookkeeping[name] {
			r.Set[name] = value
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok && !bookkeeping[name] {
			r.Unset = append(r.Unset, name)
		}
	}
	slices.Sort(r.Unset)
	return r
}
