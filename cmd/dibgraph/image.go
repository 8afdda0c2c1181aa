package main

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/elements/stock"
	"github.com/dibgraph/dibgraph/graph"
)

// imageOptions say which image is wanted, in the words of disk-image-create.
type imageOptions struct {
	def    elements.Definition
	output string
	types  []string
	both   bool // --checksum
	fresh  freshOptions
	path   []string
	flags  *pflag.FlagSet
}

func (o *imageOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	o.flags = f
	f.StringVarP(&o.def.Arch, "arch", "a", "", "target `architecture` (default $ARCH, else this machine's)")
	f.StringVarP(&o.output, "output", "o", "", "`name` of the image, with directories (default $IMAGE_NAME, else image)")
	f.StringSliceVarP(&o.types, "type", "t", nil, "output `types`, with commas: qcow2, raw, vmdk, vdi, vhd, vhdx, tar, tgz, squashfs, docker, aci … (default qcow2)")
	f.CountVarP(&o.def.Trace, "trace-hooks", "x", "trace what hooks do; twice for more")
	f.BoolVarP(&o.def.Uncompressed, "uncompressed", "u", false, "do not compress qcow2 images")
	f.BoolVarP(&o.def.SkipBase, "skip-base", "n", false, "leave the element base out")
	f.StringSliceVarP(&o.def.Packages, "packages", "p", nil, "`packages` to install after install.d, with commas")
	f.BoolVar(&o.both, "checksum", false, "write md5 and sha256 files beside the images")
	f.StringVar(&o.def.ImageSize, "image-size", "", "size of the disk in `GiB` (default: from the size of the tree)")
	f.StringVar(&o.def.ImageExtraSize, "image-extra-size", "", "`MiB` to add to the size of the tree")
	f.StringVar(&o.def.RootLabel, "root-label", "", "`label` of the root filesystem")
	f.StringVar(&o.def.MkfsOptions, "mkfs-options", "", "`options` for mkfs of the root filesystem")
	f.StringVar(&o.def.MaxOnlineResize, "max-online-resize", "", "`blocks` the root filesystem can grow to while mounted")
	f.StringVar(&o.def.QemuImgOptions, "qemu-img-options", "", "`options` for qemu-img convert -o")
	f.StringVar(&o.def.Qcow2Compression, "qcow2-compression", "", "`how` qcow2 images are compressed: zlib, which every QEMU reads (default), zstd (5.1 or later), zstd:1 to zstd:22, none")
	f.Bool("no-tmpfs", true, "as it always is: builds use no tmpfs")
	f.StringVar(&o.def.DockerTarget, "docker-target", "", "`NAME:TAG` of the container image of type docker (default: the name of the image, and latest)")
	f.StringVar(&o.def.InstallType, "install-type", "", "default install `type`, source or package")
	f.StringVar(&o.def.ImageCache, "image-cache", "", "`directory` where hooks keep downloads (default ~/.cache/image-create)")
	f.BoolVar(&o.def.Offline, "offline", false, "ask no mirror for news, fetch no sources, and ask hooks to use what they have downloaded before")
	o.fresh.addFlags(f)
	f.BoolVar(&o.def.StrictHost, "strict-host", false, "let results depend on the versions of this host's programs too")
	f.StringArrayVar(&o.def.PassEnv, "env", nil, "let hooks see the variable `NAME` of this environment")
	f.StringArrayVar(&o.path, "elements-path", nil, "look for elements in `directory` first; repeatable (then $ELEMENTS_PATH, then the embedded ones)")
}

// words returns the command line in the one form that hooks are told of
// (DIB_ARGS), which some write into the image: what says which image is wanted,
// and nothing of where it goes, where things are on this machine, or which
// command is asking. A plan must find what a build recorded.
func (o *imageOptions) words(name string, elements []string) []string {
	var words []string
	o.flags.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "output":
			words = append(words, "-o", name)
		case "type", "packages":
			list, err := o.flags.GetStringSlice(f.Name)
			if err != nil {
				panic("dibgraph: " + err.Error())
			}
			words = append(words, "-"+f.Shorthand, strings.Join(list, ","))
		case "uncompressed", "skip-base":
			words = append(words, "-"+f.Shorthand)
		case "checksum":
			words = append(words, "--"+f.Name)
		case "arch":
			words = append(words, "-a", f.Value.String())
		case "image-size", "image-extra-size", "root-label", "mkfs-options", "max-online-resize", "qemu-img-options", "qcow2-compression", "docker-target", "install-type":
			words = append(words, "--"+f.Name, f.Value.String())
		}
	})
	return append(words, elements...)
}

// name is that of the image, as far as it is known before the elements are.
func (o *imageOptions) name() string {
	types := o.types
	if len(types) == 0 {
		types = []string{elements.DefaultType}
	}
	_, name := elements.SplitOutput(cmp.Or(o.output, os.Getenv("IMAGE_NAME"), "image"), types)
	return name
}

// load reads the elements of the image that the arguments describe.
func (o *imageOptions) load(args []string) (*elements.Image, error) {
	def := o.def
	def.Elements = args
	def.Environment = environment()
	for name, mirror := range elements.HostMirrors(os.DirFS("/")) {
		if def.Environment[name] == "" {
			def.Environment[name] = mirror
		}
	}
	def.Types = o.types
	if o.output != "" {
		types := o.types
		if len(types) == 0 {
			types = []string{elements.DefaultType}
		}
		def.OutputDir, def.Name = elements.SplitOutput(o.output, types)
	}
	if o.both {
		def.Checksum = "1"
	}
	if o.path != nil {
		def.ElementsPath = o.path
		if more := os.Getenv("ELEMENTS_PATH"); more != "" {
			def.ElementsPath = append(def.ElementsPath, filepath.SplitList(more)...)
		}
	}
	if err := o.fresh.apply(&def); err != nil {
		return nil, err
	}
	def.Args = o.words(def.Name, args)
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	def.WorkDir = dir
	if def.Home, err = os.UserHomeDir(); err != nil {
		def.Home = "/root"
	}
	return elements.Load(def, stock.Elements())
}

func environment() map[string]string {
	values := make(map[string]string)
	for _, entry := range os.Environ() {
		if name, value, ok := strings.Cut(entry, "="); ok {
			values[name] = value
		}
	}
	return values
}

// planner returns what lays out the graph of an image over a store.
func planner(img *elements.Image, store *cache.Store) (*elements.Planner, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := elements.NewPlanner(img, store.TempDir, store, self)
	p.Follow(&elements.Mirrors{Store: store}) // as last known; a build asks
	dir, err := filepath.Abs(store.Dir())
	p.Hide(dir)
	return p, err
}

// noElements is the mistake of naming none.
func noElements(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("no element is named: an image needs at least one, such as debian-minimal")
	}
	return nil
}

// forecast plans the image without running or changing anything.
func forecast(img *elements.Image, store *cache.Store, listed ...settings.Layer) (*graph.Graph, []*graph.Result, error) {
	defer store.ReadAhead(img.Definition.Name)()
	p, err := planner(img, store)
	if err != nil {
		return nil, nil, err
	}
	judge, err := judgeHere(listed...)
	if err != nil {
		return nil, nil, err
	}
	b := &graph.Builder{Store: store, Others: judge}
	freshen(b, p, img)
	return p.Plan(b)
}
