package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/sandbox"
	"github.com/dibgraph/dibgraph/steps/blockdevice"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// RawOutput is the output of [Disk] that holds the disk image, TarOutput the
// one with the tree as a tar file. Files that hooks leave beside the image
// are outputs below BesideOutput.
const (
	RawOutput    = "image0.raw"
	TarOutput    = "image.tar"
	BesideOutput = "out"
)

// A Disk makes the disk image: it chooses the size, writes partitions and
// filesystems, copies the tree, and runs the phases that work in the mounted
// filesystem. All of that is one node, because it happens in one mount.
type Disk struct {
	Site    *Site
	Ambient *Ambient
	// Layout is the block device configuration, LayoutFile where it is from.
	Layout     []byte
	LayoutFile string
	Params     blockdevice.Params
	// Programs are those that the layout needs on this machine.
	Programs []string
	Size     blockdevice.SizeInput
	// Phases are block-device.d, pre-finalise.d, finalise.d and cleanup.d.
	Phases []DiskPhase
	// Files are the environment files of the elements.
	Files   []EnvironmentFile
	Pattern string
	// ImageName makes the identifiers of filesystems differ between images.
	ImageName string
	// Tar says that the tree is wanted as a tar file too.
	Tar bool
	// Volatile lists paths whose content makes no difference when two images
	// are compared, as [graph.Node.Volatile]. They change nothing in the image.
	Volatile []string
	// Sources are those that hooks on the host can open.
	Sources Sources
	// HostFiles are files of the machine that count in any case.
	HostFiles []string
}

// A DiskPhase is a phase that runs on the final filesystem.
type DiskPhase struct {
	Dir    string
	Chroot bool
	Vars   *Variables
	// Hooks are the hooks that the elements have for it.
	Hooks []DiskHook
}

// A DiskHook is one hook of a [DiskPhase].
type DiskHook struct {
	Name   string
	Digest graph.Digest
	Words  mention.Words
	// Origin says in messages where it comes from; it may be empty.
	Origin string
	// NoNetwork says that it runs without a network.
	NoNetwork bool
}

// diskFormat changes whenever equal inputs become another disk: places of
// partitions, options of programs, or where files are in a filesystem.
const diskFormat = 2

// Describe implements [graph.Action].
func (s *Disk) Describe(d *graph.Description, in *graph.Inputs) error {
	d.Add("disk format", "%d", diskFormat)
	d.Add("layout", "%q", s.Layout)
	d.Add("size", "%s", s.Size)
	d.Add("root filesystem", "%q label %q options %q", s.Params.RootFSType, s.Params.RootLabel, s.Params.RootFSOpts)
	d.Add("block size", "%d", s.Params.BlockSize)
	d.Add("image name", "%q", s.ImageName)
	d.Add("tar", "%t", s.Tar)
	d.Add("pattern", "%q", s.Pattern)
	d.Digest("library", LibDigest())
	for _, f := range s.Files {
		d.Digest(fmt.Sprintf("environment.d %q", f.Name), f.Digest)
	}
	inherited := s.Ambient.mentions.words(in.Parent)
	words := append(inherited, s.ownWords())
	for _, p := range s.Phases {
		for _, h := range p.Hooks {
			d.Digest(fmt.Sprintf("hook %q", filepath.Join("hooks", p.Dir, h.Name)), h.Digest)
			if h.NoNetwork {
				d.Add(fmt.Sprintf("network %q", filepath.Join(p.Dir, h.Name)), "none")
			}
		}
	}
	vars := s.variables()
	vars.describeOn(d, in.Parent, inherited, s.ownWords())
	s.Ambient.describeNames(d, inheritFinders(s.ownWords(), inherited), vars)
	s.Site.Files.describeTools(d)
	s.Sources.describeNames(d, words)
	return s.Site.Files.describe(d, s.Phases[0].Vars, vars.naming(s.Site.Files), words, s.HostFiles)
}

// program implements [programmed].
func (s *Disk) program() string {
	for _, name := range s.Programs {
		if hostTool(name) == "" {
			return name
		}
	}
	return ""
}

// variables returns those of all phases together.
func (s *Disk) variables() *values {
	env := make(map[string]string)
	for _, p := range s.Phases {
		maps.Copy(env, p.Vars.Values)
	}
	return s.Phases[0].Vars.prepare(env)
}

// ownWords returns what the hooks and environment files of the disk mention.
func (s *Disk) ownWords() mention.Words {
	return s.wordsOf(func(DiskPhase) bool { return true })
}

// hostWords returns what of that runs on the host.
func (s *Disk) hostWords() mention.Words {
	return s.wordsOf(func(p DiskPhase) bool { return !p.Chroot })
}

// wordsOf returns what the environment files and the hooks of some phases mention.
func (s *Disk) wordsOf(some func(DiskPhase) bool) mention.Words {
	var words readers
	for _, f := range s.Files {
		words = append(words, f.Words)
	}
	for _, p := range s.Phases {
		if !some(p) {
			continue
		}
		for _, h := range p.Hooks {
			words = append(words, h.Words)
		}
	}
	return mention.Union(words...)
}

// Observe implements [graph.Observer].
func (s *Disk) Observe(d *graph.Description, name string, in *graph.Inputs) error {
	if s.Site.observe(d, name) {
		return nil
	}
	words, only, err := s.Sources.describe(d, name, in)
	if err != nil {
		return err
	}
	if !only {
		s.Ambient.describe(d, name)
		words = mention.Union(words, s.Ambient.words(name))
	}
	for _, p := range s.Phases {
		p.Vars.before().describe(d, readers{words})
	}
	s.Ambient.describeNames(d, words.Merge(s.ownWords()), s.Phases[0].Vars.before())
	s.Site.Files.observe(d, name)
	s.Sources.describeNames(d, words)
	return s.Site.Files.describe(d, s.Phases[0].Vars, s.Phases[0].Vars.Values, readers{words}, nil)
}

// Run implements [graph.Action].
func (s *Disk) Run(ctx context.Context, w *graph.Work) error {
	t, err := s.Site.treeOf(w, nil)
	if err != nil {
		return err
	}
	t.Host = &s.Site.Files
	if t.Sources, err = s.Sources.files(w.Inputs); err != nil {
		return err
	}
	run := diskRun{
		Tree: t, Layout: s.Layout, LayoutFile: s.LayoutFile, Params: s.Params, Size: s.Size,
		Pattern: s.Pattern, Dir: s.Site.WorkDir, Out: w.Out, Tar: s.Tar,
	}
	run.Params.ImageDir = w.Out
	run.Params.Seed = graph.DigestText(fmt.Sprintf("disk of %q\n%s\n%s\n", s.ImageName, w.Inputs.Parent.Chain(), s.Layout))
	for _, p := range s.Phases {
		origins, noNetwork := make(map[string]string), make(map[string]bool)
		for _, h := range p.Hooks {
			origins[h.Name], noNetwork[h.Name] = h.Origin, h.NoNetwork
		}
		run.Phases = append(run.Phases, diskRunPhase{
			Dir: p.Dir, Chroot: p.Chroot, Values: p.Vars.Values, Origins: origins, NoNetwork: noNetwork,
		})
	}
	started := time.Now()
	var report diskReport
	if err := sandbox.Run(ctx, sandbox.Config{Program: "disk", Input: run, Stdout: w.Log, Stderr: w.Log}, &report); err != nil {
		return err
	}
	if report.Failed != "" {
		return &FailedError{report.Failed, report.Status}
	}
	graph.Spend(ctx, "observation", report.Cost)
	defer graph.Measure(ctx, "inputs")()
	report.Coarse = report.Coarse || s.ownWords().Mounts // as in recordRun
	if report.Coarse {
		report.Observed = []string{observedAll}
	}
	w.Coarse, w.Tools = report.Coarse, toolDigests(report.Tools)
	mentioned, err := s.Sources.mentioned(report.Sight, w.Inputs)
	if err != nil {
		return err
	}
	read := mention.Union(s.hostWords(), s.Ambient.wordsOf(report.Observed), mentioned)
	w.Observed = append(s.Site.Files.toolNames(report.Tools), s.Site.Files.outright(read, started)...)
	declared := s.declared()
	for _, name := range report.Observed {
		if !declared[name] {
			w.Observed = append(w.Observed, name)
		}
	}
	s.Site.record(w, aptTokens(report.Apt), started)
	s.Site.recordOffline(w, s.Ambient, append(s.Ambient.mentions.words(w.Inputs.Parent), s.ownWords()))
	return nil
}

// declared returns the observations that Describe makes unnecessary.
func (s *Disk) declared() map[string]bool {
	names := make(map[string]bool)
	for _, f := range s.Files {
		names[observedFile+filepath.Join("hooks/environment.d", f.Name)] = true
	}
	for _, p := range s.Phases {
		for _, h := range p.Hooks {
			names[observedFile+filepath.Join("hooks", p.Dir, h.Name)] = true
		}
	}
	return names
}

// A diskRun travels into the sandbox, a diskReport back.
type diskRun struct {
	Tree         tree
	Layout       []byte
	LayoutFile   string
	Params       blockdevice.Params
	Size         blockdevice.SizeInput
	Phases       []diskRunPhase
	Pattern, Dir string
	Out          string
	Tar          bool

	// What chroot phases were seen to read, and the suites that any took
	// packages from; set in the sandbox only.
	seen Sight
	apt  []AptUse
}

type diskRunPhase struct {
	Dir    string
	Chroot bool
	Values map[string]string
	// Origins say where hooks come from, by their names.
	Origins map[string]string
	// NoNetwork has the hooks that run without a network.
	NoNetwork map[string]bool
}

type diskReport struct {
	Failed string
	Status int // then
	Sight
	Apt []AptUse
}

func init() {
	sandbox.Register("disk", func(ctx context.Context, in []byte) (any, error) {
		var run diskRun
		if err := json.Unmarshal(in, &run); err != nil {
			return nil, err
		}
		return run.inSandbox(ctx)
	})
}
