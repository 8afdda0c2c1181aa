package elements

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/fetch"
	"github.com/dibgraph/dibgraph/internal/registry"
	"github.com/dibgraph/dibgraph/steps"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// A Planner lays the graph of one image out. What a phase runs can depend on
// what earlier hooks leave; the planner assumes that it is what the elements
// have until a node finds otherwise, learns that, and lays out again.
type Planner struct {
	image   *Image
	site    *steps.Site
	ambient *steps.Ambient
	layout  layout
	found   map[string][]steps.PhaseHook // by phase directory
	known   steps.Validators
	client  *fetch.Client
	images  *registry.Client
	// settings are those of the elements that have any, by name.
	settings map[string]Settings
	mirrors  *Mirrors
}

// Phases of the build tree whose content is not compared, as patterns below
// the build directory: what programs write there depends on when they ran.
var volatilePaths = []string{
	"mnt/var/log/**",
	"mnt/var/cache/ldconfig/aux-cache",
	"mnt/var/cache/apt/*.bin",
	"mnt/var/cache/debconf/*-old",
	"mnt/var/lib/dpkg/*-old",
	"mnt/var/lib/systemd/catalog/database",
	"mnt/var/lib/apt/extended_states.lock",
}

// VolatilePaths returns the patterns of the paths in the build tree whose content
// makes no difference.
func VolatilePaths() []string { return slices.Clone(volatilePaths) }

// NewPlanner returns the planner for an image. tempDir makes a directory for
// the trees that nodes mount, on the filesystem of the store; it is called
// only if a node runs. known is what servers said last about sources. helper
// is the path of this program.
func NewPlanner(img *Image, tempDir func(name string) (string, error), known steps.Validators, helper string) *Planner {
	p := &Planner{
		image: img, found: make(map[string][]steps.PhaseHook),
		known: known, client: fetch.New(img.Definition.Environment), images: registry.New(img.Definition.Environment), settings: make(map[string]Settings),
		layout: img.layout,
	}
	for _, e := range img.Elements {
		if e.hasSettings {
			p.settings[e.Name] = e.Settings
		}
	}
	p.site = &steps.Site{
		Hooks:      sync.OnceValues(func() (string, error) { return p.writeHooks(tempDir) }),
		Elements:   sync.OnceValues(func() ([]string, error) { return p.writeElements(tempDir) }),
		Lib:        sync.OnceValues(func() (string, error) { return writeLib(tempDir) }),
		Helper:     helper,
		ImageCache: img.Definition.ImageCache,
		Files: steps.HostFiles{
			Home: img.Definition.Home, WorkDir: img.Definition.WorkDir,
			Ignored: append(img.Definition.delivered(), img.Definition.ImageCache, img.Definition.lockDir()), Strict: img.Definition.StrictHost,
		},
		HostDirs: []string{img.Definition.ImageCache, img.Definition.lockDir()},
		WorkDir:  img.Definition.WorkDir,
		Offline:  img.Definition.Offline,
	}
	p.ambient = steps.NewAmbient(p.entries())
	return p
}

// Hide covers paths of the host while hooks run, as [steps.Site.Hide] does. Call
// it before anything is planned.
func (p *Planner) Hide(paths ...string) { p.site.Hide(paths...) }

// entries lists the files hooks can read without being given them.
func (p *Planner) entries() map[string]steps.Entry {
	count := len(p.image.Hooks.Files)
	for _, set := range p.elementSets() {
		for _, e := range set {
			count += len(e.Tree.Files)
		}
	}
	entries := make(map[string]steps.Entry, count)
	add := func(prefix string, t *Tree) {
		for _, f := range t.Files {
			e := steps.Entry{Digest: f.Digest, Mode: f.Mode, Link: f.Link, Where: f.Source}
			if f.Open != nil {
				e.Read = f.Read
				e.Words = func() mention.Words { return f.Words }
			}
			entries[prefix+"/"+f.Path] = e
		}
	}
	add("hooks", p.image.Hooks)
	for depth, set := range p.elementSets() {
		for _, e := range set {
			add(path.Join(path.Base(elementsDirAt(depth)), e.Name), e.Tree)
		}
	}
	return entries
}

// elementSets returns the image's elements, then those that they override,
// then those that these override, and so on.
func (p *Planner) elementSets() [][]*Element {
	sets := [][]*Element{p.image.Elements}
	for depth := 0; ; depth++ {
		var next []*Element
		for _, e := range p.image.Elements {
			if depth < len(e.Overridden) {
				next = append(next, e.Overridden[depth])
			}
		}
		if next == nil {
			return sets
		}
		sets = append(sets, next)
	}
}

// Found reports that the hooks of a phase are not those the graph was laid
// out for.
type Found struct {
	Phase string
	Hooks []steps.PhaseHook
}

func (f *Found) Error() string { return fmt.Sprintf("earlier hooks changed what %s runs", f.Phase) }

// Learn makes the next graph have the hooks that were found.
func (p *Planner) Learn(f *Found) { p.found[f.Phase] = f.Hooks }

// hooks returns what a phase runs, as far as is known.
func (p *Planner) hooks(phase Phase) []steps.PhaseHook {
	if found, ok := p.found[phase.Dir()]; ok {
		return found
	}
	var hooks []steps.PhaseHook
	for _, h := range p.image.Hooks.PhaseHooks(phase, p.pattern()) {
		file, _ := p.image.Hooks.Resolve(h.File.Path)
		hooks = append(hooks, steps.PhaseHook{Name: h.Name, Path: file.Path})
	}
	return hooks
}

func (p *Planner) pattern() string { return p.image.Definition.Environment["RUN_PARTS_REGEX"] }

// Graph lays the image out as a graph of nodes.
func (p *Planner) Graph() (*graph.Graph, error) {
	g := &builder{planner: p, graph: &graph.Graph{}, volatile: p.image.volatile()}
	g.addSources()
	for _, phase := range Phases {
		if !phase.InDisk {
			g.phase(phase)
		}
	}
	g.outputs(g.disk())
	return g.graph, g.err
}

// A builder adds the nodes of one graph, in order.
type builder struct {
	planner *Planner
	graph   *graph.Graph
	state   *graph.Node // the last node that leaves a state
	err     error       // the first one

	sources  steps.Sources
	volatile []string
}

func (b *builder) add(n *graph.Node) *graph.Node {
	n.Image = b.planner.image.Definition.Name
	if err := b.graph.Add(n); err != nil && b.err == nil {
		b.err = err
	}
	return n
}

// step adds a node that works on the state and leaves the next one.
func (b *builder) step(n *graph.Node) {
	n.Parent, n.Layer, n.Volatile = b.state, true, b.volatile
	b.state = b.add(n)
}

func (b *builder) phase(phase Phase) {
	p := b.planner
	vars := p.variables(phase)
	kernel := phase.Name != "root"
	hooks := p.hooks(phase)
	environment := b.add(&graph.Node{
		Name: "env:" + phase.Name, Kind: "environment", Parent: b.state,
		Action: &steps.Environment{
			Site: p.site, Ambient: p.ambient, Vars: vars.of(""), Phase: phase.Dir(), Files: p.environmentFiles(),
			Hooks: p.listed(phase), Pattern: p.pattern(), Chroot: phase.Chroot, Kernel: kernel,
		},
		Check: p.check(phase, hooks),
	})
	for _, h := range hooks {
		digest, words := p.text(h)
		name, settings := p.element(phase, h)
		hook := &steps.Hook{
			Site: p.siteFor(p.hookFreshness(phase, h.Name)), Ambient: p.ambient, Vars: vars.of(name), Phase: phase.Dir(), Name: h.Name, Path: h.Path,
			Digest: digest, Words: words.Merge(settings.words()), Chroot: phase.Chroot, Kernel: kernel, Environment: environment,
			HostFiles: settings.InputFiles, NoNetwork: settings.noNetwork(phase.Dir(), h.Name),
		}
		if !phase.Chroot {
			hook.Sources = b.sources
		}
		b.step(&graph.Node{
			Name: phase.Dir() + "/" + h.Name, Kind: "hook", Partial: append([]*graph.Node{environment}, hook.Sources...),
			Origin: p.origin(phase, h), Action: hook,
		})
	}
	switch phase.Name {
	case "root":
		b.step(&graph.Node{Name: "[base]", Kind: "base", Action: &steps.Base{Site: p.site, InstallType: p.image.Definition.InstallType}})
	case "install":
		b.packages(vars.of(""))
	}
}

func (b *builder) packages(vars *steps.Variables) {
	p := b.planner
	if len(p.image.Definition.Packages) == 0 {
		return
	}
	b.step(&graph.Node{Name: "[packages]", Kind: "packages", Action: &steps.Packages{
		Site: p.siteFor(p.image.Definition.Freshness), Ambient: p.ambient, Vars: vars, Names: p.image.Definition.Packages,
	}})
}

// check compares what a phase turns out to run with what was assumed.
func (p *Planner) check(phase Phase, assumed []steps.PhaseHook) func(func(string) ([]byte, error)) error {
	return func(read func(string) ([]byte, error)) error {
		result, err := steps.ReadPhase(read)
		if err != nil {
			return err
		}
		same := slices.EqualFunc(result.Hooks, assumed, steps.PhaseHook.Same)
		if !same {
			return &Found{Phase: phase.Dir(), Hooks: result.Hooks}
		}
		return nil
	}
}

// text returns the digest of what a hook runs, and what it mentions.
func (p *Planner) text(h steps.PhaseHook) (graph.Digest, mention.Words) {
	if h.Digest.IsZero() {
		f, _ := p.image.Hooks.Lookup(h.Path)
		return f.Digest, f.Words
	}
	return h.Digest, h.Words()
}

// origin says which element a hook is from, for messages; nothing if an
// earlier hook made it.
func (p *Planner) origin(phase Phase, h steps.PhaseHook) string {
	if f, ok := p.image.Hooks.Lookup(path.Join(phase.Dir(), h.Name)); ok {
		return fmt.Sprintf("element %q", f.Element)
	}
	return ""
}

// element returns the element a hook is from, and what that says about its
// hooks; nothing if an earlier hook made it.
func (p *Planner) element(phase Phase, h steps.PhaseHook) (name string, s Settings) {
	f, ok := p.image.Hooks.Lookup(path.Join(phase.Dir(), h.Name))
	if !ok {
		return "", Settings{}
	}
	return f.Element, p.settings[f.Element]
}

// listed names what the elements have in a phase directory and by its name can
// be a hook, with what decides whether it runs.
func (p *Planner) listed(phase Phase) []string {
	selected, err := steps.HookPattern(p.pattern())
	if err != nil {
		panic("elements: unchecked hook pattern: " + err.Error())
	}
	var names []string
	for _, f := range p.image.Hooks.Entries(phase.Dir()) {
		name := path.Base(f.Path)
		if !selected.MatchString(name) {
			continue
		}
		switch {
		case f.IsLink():
			name += " -> " + f.Link
		case f.IsDir():
			name += "/"
		case f.Executable:
			name += "*"
		}
		names = append(names, name)
	}
	return names
}

func (p *Planner) environmentFiles() []steps.EnvironmentFile {
	var files []steps.EnvironmentFile
	for _, f := range EnvironmentFiles(p.image.Hooks) {
		files = append(files, steps.EnvironmentFile{Name: path.Base(f.Path), Digest: f.Digest, Words: f.Words})
	}
	return files
}

// own reports the names that only elements give a meaning to. Everything else
// in the environment may be read by any program, mentioned or not.
func own(name string) bool {
	for _, prefix := range []string{"DIB_", "DIBGRAPH_", "IMAGE_", "TMP_", "BASH_FUNC_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return ownNames[name]
}

var ownNames = map[string]bool{
	// Proxies change how something is fetched, not what; hooks that write
	// them into the image mention them.
	"http_proxy": true, "https_proxy": true, "ftp_proxy": true, "no_proxy": true, "all_proxy": true,
	"HTTP_PROXY": true, "HTTPS_PROXY": true, "FTP_PROXY": true, "NO_PROXY": true, "ALL_PROXY": true,
	// Who builds is nobody's input until a hook asks.
	"USER": true, "LOGNAME": true, "SUDO_USER": true, "SUDO_UID": true, "SUDO_GID": true, "SUDO_COMMAND": true,
	"ARCH": true, "FS_TYPE": true, "ROOT_LABEL": true, "ELEMENTS_PATH": true, "TARGET_ROOT": true, "OUT_IMAGE_PATH": true,
	"MAX_ONLINE_RESIZE": true, "QEMU_IMG_OPTIONS": true, "RAMDISK_ELEMENT": true, "SKIP_BASE": true, "_LIB": true,
	"DISTRO_NAME": true, "EFI_BOOT_DIR": true, "YUM": true, "YUM_FLAGS": true, "COMPRESS_IMAGE": true, "LOGFILE": true,
	"DOCKER_TARGET": true, "NO_SOURCE_REPOSITORIES": true, "BASE_IMAGE_FILE": true, "SHA256SUMS": true, "RUN_PARTS_REGEX": true,
}
