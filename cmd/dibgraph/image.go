package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
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
	path   []string
}

func (o *imageOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringVarP(&o.def.Arch, "arch", "a", "", "target `architecture` (default $ARCH, else this machine's)")
	f.StringVarP(&o.output, "output", "o", "", "`name` of the image, with directories (default $IMAGE_NAME, else image)")
	f.StringSliceVarP(&o.types, "type", "t", nil, "output `types`, with commas: qcow2, raw, tar, vmdk, vdi, vhdx … (default qcow2)")
	f.CountVarP(&o.def.Trace, "trace", "x", "trace what hooks do; twice for more")
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
	f.StringVar(&o.def.InstallType, "install-type", "", "default install `type`, source or package")
	f.StringVar(&o.def.ImageCache, "image-cache", "", "`directory` where hooks keep downloads (default ~/.cache/image-create)")
	f.BoolVar(&o.def.Offline, "offline", false, "ask hooks to use what they have downloaded before")
	f.StringArrayVar(&o.def.PassEnv, "env", nil, "let hooks see the variable `NAME` of this environment")
	f.StringArrayVar(&o.path, "elements-path", nil, "look for elements in `directory` first; repeatable (then $ELEMENTS_PATH, then the embedded ones)")
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
		def.OutputDir, def.Name = elements.SplitOutput(o.output, o.types)
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
	def.Args = os.Args[1:]
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
	return elements.NewPlanner(img, store.TempDir, self)
}

// noElements is the mistake of naming none.
func noElements(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("no element is named: an image needs at least one, such as debian-minimal")
	}
	return nil
}

// forecast plans the image without running or changing anything.
func forecast(img *elements.Image, store *cache.Store) (*graph.Graph, []*graph.Result, error) {
	p, err := planner(img, store)
	if err != nil {
		return nil, nil, err
	}
	return p.Plan(&graph.Builder{Store: store})
}
