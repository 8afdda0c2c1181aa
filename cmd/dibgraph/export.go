package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/export"
	"github.com/dibgraph/dibgraph/internal/ociimage"
	"github.com/dibgraph/dibgraph/internal/registry"
	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// exportFormats are the values of --format.
var exportFormats = []string{"oci", "docker", "tar", "dir"}

// exportOptions say what is exported and as what.
type exportOptions struct {
	image, build, format, output, tag, compress, push string
	squash                                            bool
	to                                                registry.Address // of push
}

func newExportCommand(o *storeOptions) *cobra.Command {
	var e exportOptions
	c := &cobra.Command{
		Use:   "export [NODE] {--format oci|docker|tar|dir -o FILE|DIR | --push oci://HOST/REPOSITORY:TAG}",
		Short: "make a container image, archive or directory of what a node left",
		Long: `Make an image of the root filesystem as it was after a node, such as
install.d/50-app: by default of the last build, after its last hook. The hooks of
finalise.d and cleanup.d work on the disk, and what they do is not in it.

  oci     an image layout as podman, skopeo and umoci use it: a directory, or an
          archive if the name ends in .tar
  docker  the archive that "docker load" and "podman load" read
  tar     the root filesystem as one tar archive, - for the standard output
  dir     the root filesystem in a new directory, with owners and devices

--push sends the image to a registry: what that has already is not sent again. Who
you are is what docker login or podman login wrote; registries are reached by
HTTPS, those on this machine by HTTP, unless the address ends in ?plain-http=true or
false.

Images have the layers of the state, each with the node that made it in their
history; --squash makes one of them. The same state gives the same bytes.

NODE is named as in "dibgraph diff": a node, a build such as last~1, or BUILD:NODE.
It changes nothing in the store, and only --push needs a network. Layers can be read only by
the user whose store it is, root as a rule.
`,
		Example: `  dibgraph export --format oci -o web.oci
  dibgraph export --format docker --tag web:1.0 -o web.tar   # for podman load
  dibgraph export --push oci://registry.example.org/web:1.0
  dibgraph export install.d/50-app --format tar -o - | tar -tv
  dibgraph export --build last~1 --format dir -o /srv/web`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := e.check(); err != nil {
				return err
			}
			return o.ask(func(store *cache.Store) error {
				state, err := e.find(store, args)
				if err != nil {
					return fmt.Errorf("export: %w", err)
				}
				said, err := e.export(c, store, state)
				if err != nil {
					return fmt.Errorf("export %s of %s: %w", state.record.Node, state.build.Image, err)
				}
				_, err = fmt.Fprint(c.OutOrStdout(), said)
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&e.format, "format", "", "what to make: "+strings.Join(exportFormats, ", "))
	f.StringVar(&e.push, "push", "", "`address` to send the image to: oci://HOST/REPOSITORY:TAG")
	f.StringVarP(&e.output, "output", "o", "", "`path` of the file or directory to make")
	f.StringVar(&e.image, "image", "", "`name` of the image whose last build is meant (default: the one built last)")
	f.StringVar(&e.build, "build", "", "`ID` of a build as \"dibgraph builds\" lists it, or last~1 for the one before the last (default last)")
	f.StringVar(&e.tag, "tag", "", "`NAME:TAG` of the container image (default: the name of the image, and latest)")
	f.BoolVar(&e.squash, "squash", false, "make one layer of all")
	f.StringVar(&e.compress, "compress", "gzip", "how layers are compressed: gzip, which every program reads, or zstd")
	return c
}

// check finds what makes no sense together.
func (e *exportOptions) check() error {
	usage := func(format string, args ...any) error {
		return &hintError{&usageError{fmt.Errorf(format, args...)}, `see "dibgraph export --help"`}
	}
	if e.push != "" {
		switch {
		case e.output != "" || e.tag != "":
			return usage("--push says where to and the name: -o and --tag are for files")
		case e.format != "" && e.format != "oci":
			return usage("a registry takes no --format %s", e.format)
		}
		e.format = "oci"
		var err error
		if e.to, err = registry.ParseAddress(e.push); err != nil {
			return usage("--push: %w", err)
		}
		if _, fixed := e.to.Fixed(); fixed {
			return usage("--push: %s names a digest, which follows from the image: name a tag", e.to)
		}
	}
	container := e.format == "oci" || e.format == "docker"
	switch {
	case e.format == "":
		return usage("say what to make with --format: %s", strings.Join(exportFormats, ", "))
	case !slices.Contains(exportFormats, e.format):
		return usage("there is no format %q: use one of %s", e.format, strings.Join(exportFormats, ", "))
	case e.output == "" && e.push == "":
		return usage("say where to with -o")
	case e.output == "-" && e.format != "tar":
		return usage("only --format tar can be written to the standard output")
	case !container && (e.squash || e.tag != ""):
		return usage("--squash and --tag are for container images: --format %s has neither layers nor a name", e.format)
	case e.compress != "gzip" && e.compress != "zstd":
		return usage("--compress is gzip or zstd, not %q", e.compress)
	case e.compress != "gzip" && e.format != "oci":
		return usage("--compress is for --format oci and --push")
	case e.tag != "" && !ociimage.ValidName(e.tag):
		return usage("%q is no NAME:TAG of a container image: use lower-case letters, digits and . _ - / in the name", e.tag)
	}
	return nil
}

// An exportedState is what a node left in a build.
type exportedState struct {
	build  *cache.Build
	record *cache.Record
	layers []cache.Digest
	makers []string
}

// find finds the state that is asked for.
func (e *exportOptions) find(store *cache.Store, args []string) (*exportedState, error) {
	past := pastOptions{image: e.image, build: e.build}
	var s subject
	var err error
	switch {
	case len(args) == 0 || e.build != "":
		s.build, err = past.find(store)
		if len(args) > 0 {
			s.node = args[0]
		}
	default:
		s, err = subjectFinder{store: store, image: e.image}.find(args[0])
	}
	if err != nil {
		return nil, err
	}
	if s.file != "" {
		return nil, &usageError{fmt.Errorf("%s is a file: name a node or a build", s.file)}
	}
	r, err := s.state(store)
	if err != nil {
		return nil, err
	}
	state := &exportedState{build: s.build, record: r}
	state.layers, state.makers = r.Tree()
	return state, nil
}

// state returns the record with the tree that a node left, or the last one of a
// build.
func (s subject) state(store *cache.Store) (*cache.Record, error) {
	if s.node == "" {
		r, err := lastState(store, s.build)
		if err == nil && r == nil {
			err = fmt.Errorf("the build %s of %s left no tree", s.build.ID, s.build.Image)
		}
		return r, err
	}
	n, err := nodeIn(s.build, s.node)
	if err != nil {
		return nil, err
	}
	r, err := recordIn(store, s.build, n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.node, err)
	}
	if r.Chain.IsZero() {
		return nil, &hintError{fmt.Errorf("%s: a node of kind %s leaves no tree", s.node, n.Kind), "name the last hook before it, or no node for the last state of the build"}
	}
	return r, nil
}

// export makes what is asked for and returns what to print of it.
func (e *exportOptions) export(c *cobra.Command, store *cache.Store, state *exportedState) (said string, err error) {
	ctx := c.Context()
	switch e.format {
	case "tar":
		tree, err := export.Flat(store, state.layers, imageRoot)
		if err != nil {
			return "", err
		}
		if e.output == "-" {
			return "", tree.WriteTar(ctx, c.OutOrStdout())
		}
		return e.output + "\n", writeTarFile(ctx, tree, e.output)
	case "dir":
		tree, err := export.Flat(store, state.layers, imageRoot)
		if err != nil {
			return "", err
		}
		return e.output + "\n", makeTree(ctx, tree, e.output)
	}
	image, err := e.containerImage(store, state)
	if err != nil {
		return "", err
	}
	sink, err := e.sink()
	if err != nil {
		return "", err
	}
	manifest, err := image.Write(ctx, sink, e.compression())
	if err != nil {
		return "", err
	}
	if e.format == "docker" {
		return e.output + "\n", nil
	}
	if e.push != "" {
		return e.to.String() + "@" + manifest.Digest.String() + "\n", nil
	}
	return e.output + "@" + manifest.Digest.String() + "\n", nil
}

func (e *exportOptions) compression() ociimage.Compression {
	switch {
	case e.format == "docker":
		return ociimage.Plain
	case e.compress == "zstd":
		return ociimage.Zstd
	}
	return ociimage.Gzip
}

// sink returns where a container image goes.
func (e *exportOptions) sink() (ociimage.Sink, error) {
	switch {
	case e.push != "":
		return registry.New(environment()).Push(e.to)
	case e.format == "docker":
		return ociimage.CreateDockerArchive(e.output)
	case filepath.Ext(e.output) == ".tar":
		return ociimage.CreateLayoutArchive(e.output)
	}
	sink, err := ociimage.CreateLayout(e.output)
	return sink, newDirHint(err)
}

// makeTree makes a directory with the tree.
func makeTree(ctx context.Context, tree *export.Tree, dir string) error {
	if os.Geteuid() != 0 {
		return &hintError{errors.New("not running as root: files could not get their owners"), "run the same command with sudo -E, or use --format tar"}
	}
	d, err := wholefile.CreateDir(dir)
	if err != nil {
		return newDirHint(err)
	}
	if err := tree.Extract(ctx, d.Part); err != nil {
		return errors.Join(err, d.Discard())
	}
	return d.Publish()
}

// newDirHint says what to do if there is a directory with something in it.
func newDirHint(err error) error {
	if errors.Is(err, wholefile.ErrNotEmpty) {
		return &hintError{err, "name a new directory: nothing is added to one, and nothing replaced"}
	}
	return err
}
