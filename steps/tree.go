package steps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/overlay"
)

// A Site provides the parts of a build tree that are not layers. All nodes of
// an image share one; the functions make their directory at the first call
// and may be called concurrently.
type Site struct {
	// Hooks returns the lowest directory of the overlay, with mnt/, hooks/
	// and out/ in it.
	Hooks func() (string, error)
	// Elements returns the directories for [ElementsDir], then for
	// ElementsDir.2 and so on, which hold overridden elements.
	Elements func() ([]string, error)
	// Lib returns a directory that [WriteLib] filled.
	Lib func() (string, error)
	// Helper is the path of this program.
	Helper string
	// ImageCache is the host directory that hooks keep downloads in. It is
	// never an input.
	ImageCache string
	// Files says where files of the host are that are inputs.
	Files HostFiles
	// HostDirs are directories that hooks on the host expect to be there.
	HostDirs []string
	// WorkDir is the current directory of hooks on the host side.
	WorkDir string
	// Tokens knows the states of what hooks fetch; nil makes them no inputs.
	Tokens Tokens
	// Offline says that hooks are to use what they have. What they make then is
	// good enough for other builds that are offline, and for no others.
	Offline bool

	hidden []string // see Hide
}

// A tree says how to mount one build tree. It travels into the sandbox.
type tree struct {
	Lower, Elements   []string
	Upper, Work, Lib  string
	Helper            string
	ImageCache        string
	HostDirs          []string
	Hidden            []string          // covered while hooks run
	Scratch           string            // shown as ImageDir
	Sources           map[string]string // files by their names in SourcesDir
	Mounts            []graph.Mount
	Kernel, HooksBind bool // kernel filesystems, and the hooks, inside the target
	// Host says which files of the host are inputs of what runs on it; nil if
	// what runs is in the image.
	Host *HostFiles
}

// tree returns the build tree of a run.
func (s *Site) tree(w *graph.Work) (tree, error) {
	return s.treeOf(w, w.Mounts)
}

func (s *Site) treeOf(w *graph.Work, mounts []graph.Mount) (tree, error) {
	hooks, err := s.Hooks()
	if err != nil {
		return tree{}, err
	}
	elements, err := s.Elements()
	if err != nil {
		return tree{}, err
	}
	lib, err := s.Lib()
	if err != nil {
		return tree{}, err
	}
	return tree{
		Lower: append(slices.Clone(w.Lower), hooks), Upper: w.Upper, Work: w.OverlayWork, Scratch: w.Dir,
		Elements: elements, Lib: lib, Helper: s.Helper, ImageCache: s.ImageCache, HostDirs: s.HostDirs, Hidden: s.hidden, Mounts: mounts,
	}, nil
}

// mount mounts everything in the current namespace, which is private and goes
// away with its processes: nothing here is ever unmounted on failure.
func (t tree) mount() error {
	if err := os.MkdirAll(RunDir, 0o755); err != nil {
		return fmt.Errorf("make the build directory: %w", err)
	}
	if err := mount.Type("tmpfs", "tmpfs", RunDir, 0, "mode=0755,size=1m"); err != nil {
		return err
	}
	if err := t.mountOverlay(); err != nil {
		return err
	}
	if err := t.mountTools(); err != nil {
		return err
	}
	if t.Kernel {
		if err := mountKernel(TargetDir); err != nil {
			return err
		}
	}
	if err := restoreMounts(t.Mounts, t.ImageCache); err != nil {
		return err
	}
	if t.HooksBind {
		return bindHooks()
	}
	return nil
}

func (t tree) mountOverlay() error {
	if err := os.Mkdir(BuildDir, 0o755); err != nil {
		return err
	}
	if err := t.overlay().Mount(BuildDir); err != nil {
		return fmt.Errorf("mount the build tree: %w", err)
	}
	// A mount of its own is what observation can be told to watch.
	return mount.Bind(HooksDir, HooksDir, false)
}

// overlay returns the mount that the build tree is.
func (t tree) overlay() mount.Overlay {
	// What a step writes becomes durable when it is committed, not before.
	return mount.Overlay{Lower: t.Lower, Upper: t.Upper, Work: t.Work, Volatile: true}
}

func (t tree) mountTools() error {
	for i, dir := range t.Elements {
		at := ElementsDir
		if i > 0 {
			at += "." + strconv.Itoa(i+1)
		}
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
		if err := mount.Bind(dir, at, true); err != nil {
			return err
		}
	}
	for _, dir := range t.HostDirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(ImageDir, 0o755); err != nil {
		return err
	}
	if err := mount.Bind(t.Scratch, ImageDir, false); err != nil {
		return err
	}
	if err := os.Mkdir(LibDir, 0o755); err != nil {
		return err
	}
	if err := mount.Bind(t.Lib, LibDir, true); err != nil {
		return err
	}
	if err := mount.Bind(t.Helper, HelperPath, true); err != nil {
		return err
	}
	return t.mountSources()
}

// finish makes the upper directory one that can become a layer. Nothing may
// use the tree any more; it is unmounted.
func (t tree) finish() error {
	if err := overlay.Relink(t.overlay(), BuildDir); err != nil {
		return err
	}
	if err := mount.UnmountTree(BuildDir); err != nil {
		return err
	}
	// The index in it has a further link to every file with several names,
	// which would make each of them look like one in the layers above.
	return os.RemoveAll(t.Work)
}

// bindHooks shows the hooks inside the target, read-only. The directory stays
// there between phases, or every layer would hold its coming and going; it
// goes when /tmp is cleared at the end.
func bindHooks() error {
	at := filepath.Join(TargetDir, InTarget)
	if err := os.Mkdir(at, 0o755); err != nil && !os.IsExist(err) {
		return fmt.Errorf("make %s in the image: %w", InTarget, err)
	}
	return mount.Bind(HooksDir, at, true)
}
