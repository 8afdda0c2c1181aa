package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/nearest"
)

func newRootCommand() *cobra.Command {
	var store storeOptions
	root := &cobra.Command{
		Use:   "dibgraph",
		Short: "build disk images from elements, incrementally",
		Long: `dibgraph builds operating-system disk images from diskimage-builder elements,
unchanged. It runs each hook as a node of a graph whose results are kept: only
what changed runs again before the image is made, and it says why.
`,
		Example: `  dibgraph build -o web debian-minimal vm web   # make web.qcow2
  dibgraph plan debian-minimal vm web           # what would run now?
  dibgraph explain                              # why did that rerun?`,
		Version:       versionLine(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		// Without it, an unknown command would be none, and no error.
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &hintError{&usageError{err}, fmt.Sprintf("see %q", c.CommandPath()+" --help")}
	})
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().Bool("version", false, "print the version of dibgraph")
	store.addFlags(root)
	root.AddCommand(
		newBuildCommand(&store), newPlanCommand(&store), newExplainCommand(&store), newGraphCommand(&store),
		newLogCommand(&store), newShellCommand(&store), newShowCommand(&store), newWhyCommand(&store), newDiffCommand(&store), newBuildsCommand(&store), newExportCommand(&store),
		newElementsCommand(), newSchemaCommand(), newCacheCommand(&store), newDoctorCommand(&store), newVersionCommand(),
	)
	wrapUsage(root)
	return root
}

// wrapUsage makes wrong arguments usage errors, and puts the exit statuses at
// the end of every help text.
func wrapUsage(c *cobra.Command) {
	for _, sub := range c.Commands() {
		wrapUsage(sub) // before c, whose template it would inherit
	}
	c.SetHelpTemplate(c.HelpTemplate() + exitHelp)
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return &hintError{&usageError{err}, cmp.Or(nearestCommand(c, args), fmt.Sprintf("see %q", c.CommandPath()+" --help"))}
			}
			return nil
		}
	}
}

// nearestCommand asks whether the commands of c nearest to the first argument were meant.
func nearestCommand(c *cobra.Command, args []string) string {
	if !c.HasSubCommands() || len(args) == 0 {
		return ""
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return nearest.Question(args[0], names)
}

// arguments checks that there are at least and at most so many arguments; a most of -1
// is no limit.
func arguments(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		usage := strings.TrimSuffix(c.UseLine(), " [flags]")
		if len(args) < least {
			return fmt.Errorf("an argument is missing: want %q", usage)
		}
		return fmt.Errorf("unexpected argument %q: want %q", args[most], usage)
	}
}

// storeOptions say which local store is used.
type storeOptions struct{ dir string }

func (o *storeOptions) addFlags(c *cobra.Command) {
	c.PersistentFlags().StringVar(&o.dir, "cache-dir", "", "`directory` of the local store (default $DIBGRAPH_CACHE, else "+systemStore+" as root, else ~/.cache/dibgraph)")
}

// systemStore is where root keeps results, which any user's build shares.
const systemStore = "/var/cache/dibgraph"

func (o *storeOptions) path() (string, error) {
	if o.dir != "" {
		return o.dir, nil
	}
	if dir := os.Getenv("DIBGRAPH_CACHE"); dir != "" {
		return dir, nil
	}
	if os.Geteuid() == 0 {
		return systemStore, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a directory for the local store: %w", err)
	}
	return filepath.Join(dir, "dibgraph"), nil
}

// open opens the store for a build, read-only for everything else.
func (o *storeOptions) open(readOnly bool) (*cache.Store, error) {
	dir, err := o.path()
	if err != nil {
		return nil, err
	}
	return o.openWith(dir, cache.Options{ReadOnly: readOnly})
}

// openLimited opens the store for a build that keeps it within limits.
func (o *storeOptions) openLimited(l cacheLimits) (*cache.Store, error) {
	dir, err := o.path()
	if err != nil {
		return nil, err
	}
	return o.openWith(dir, cache.Options{MaxSize: l.size(), MinFree: l.free(dir)})
}

func (o *storeOptions) openWith(dir string, options cache.Options) (*cache.Store, error) {
	store, err := cache.Open(dir, options)
	switch {
	case err == nil:
		return store, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, &hintError{&statusError{exitCache, err.Error()}, "use a store of your own with --cache-dir, or run dibgraph as the user who owns this one"}
	case errors.Is(err, cache.ErrVersion), errors.Is(err, cache.ErrForeign):
		return nil, &hintError{err, "choose another directory with --cache-dir, or move this one away: it holds nothing that cannot be made again"}
	}
	// The hint goes by the cause, which a status does not have.
	var hinted *hintError
	if errors.As(withFilesystemHint(err), &hinted) {
		return nil, &hintError{&statusError{exitCache, err.Error()}, hinted.hint}
	}
	return nil, &statusError{exitCache, err.Error()}
}

// makerName is recorded with what this process makes.
func makerName() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}
