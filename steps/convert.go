package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/qcow2"
)

// ImageOutput is the output of a [Convert]. Beside it, one that compresses qcow2 by
// itself leaves ClustersOutput: what of the image the next one can have.
const (
	ImageOutput    = "image"
	ClustersOutput = "clusters"
)

// Convert makes an image file of another format from the raw one: qcow2 by
// itself unless it has options that only qemu-img knows, all else with qemu-img.
type Convert struct {
	// Disk is the node whose raw image is converted.
	Disk *graph.Node
	// Format is one that qemu-img knows.
	Format string
	// Compress compresses clusters; only qcow2 can.
	Compress bool
	// Compression is how, as [CheckCompression] says. Empty leaves it to Options.
	Compression string
	// StrictHost says that the version of the program counts, where it is one of
	// the host's.
	StrictHost bool
	// Options are those of the format, as key=value pairs with commas.
	Options string
}

// Describe implements [graph.Action].
func (c *Convert) Describe(d *graph.Description, in *graph.Inputs) error {
	digest, err := in.Digest(c.Disk, RawOutput)
	if err != nil {
		return err
	}
	d.Digest(fmt.Sprintf("input %s %q", c.Disk.Name, RawOutput), digest)
	d.Add("image format", "%q", c.Format)
	d.Add("compress", "%t", c.Compress)
	d.Add("options", "%q", c.Options)
	if c.Compression != "" {
		d.Add("compression", "%q", c.Compression)
	}
	d.Add("writer", "%s", c.writer())
	if path := hostTool(qemuImgWriter); c.StrictHost && path != "" && c.writer() == qemuImgWriter {
		d.Add(fmt.Sprintf("tool %q", path), "%s", toolDigest(path))
	}
	return nil
}

// qemuImgWriter is the writer of what is not written by ourselves.
const qemuImgWriter = "qemu-img"

// hostTool returns where a program of the host is, empty if it is nowhere.
func hostTool(name string) string {
	for _, dir := range toolDirs {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// program implements [programmed].
func (c *Convert) program() string {
	if _, ok := c.native(); ok {
		return ""
	}
	return qemuImgWriter
}

// A programmed action runs a program of the host that not every machine has;
// none is empty.
type programmed interface{ program() string }

// Missing returns the program that an action is going to run and that is not
// installed; empty if there is none.
func Missing(a graph.Action) string {
	if p, ok := a.(programmed); ok && p.program() != "" && hostTool(p.program()) == "" {
		return p.program()
	}
	return ""
}

// writer names what decides the bytes of the image beside the other inputs.
func (c *Convert) writer() string {
	if _, ok := c.native(); ok {
		return "dibgraph qcow2 " + qcow2.Version
	}
	return qemuImgWriter
}

// native returns the options for our own writer, and whether it can make the
// image that was asked for. It leaves faulty options to qemu-img, which says
// what is wrong with them.
func (c *Convert) native() (o qcow2.Options, ok bool) {
	if c.Format != "qcow2" {
		return o, false
	}
	if c.Compression != "" {
		var err error
		if o, err = parseCompression(c.Compression); err != nil {
			return o, false
		}
	}
	for option := range strings.SplitSeq(c.Options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch {
		case option == "" && c.Options == "":
		case key == "compat" && (value == "1.1" || value == "v3"):
		case key == "compression_type" && (value == qcow2.Zlib || value == qcow2.Zstd):
			if c.Compression != "" && value != o.Compression {
				return o, false
			}
			o.Compression = value
		case key == "cluster_size":
			if o.ClusterSize, ok = clusterSize(value); !ok {
				return o, false
			}
		default:
			return o, false
		}
	}
	if !c.Compress && c.Compression == "" {
		if o.Compression == qcow2.Zstd {
			// Such an image says how later writers are to compress.
			return o, false
		}
		o.Compression = qcow2.None
	}
	return o, o.Check() == nil
}

// CheckCompression returns what is wrong with a way to compress qcow2 images, for
// images with these options of the format. It is zlib, zstd or none, and after a
// colon perhaps a level: none is known to qemu-img, so that options that only that
// knows exclude it.
func CheckCompression(compression, options string) error {
	if _, err := parseCompression(compression); err != nil {
		return err
	}
	c := Convert{Format: "qcow2", Compress: true, Compression: compression, Options: options}
	if _, ok := c.native(); !ok {
		return fmt.Errorf("it does not go with the options %q of qemu-img", options)
	}
	return nil
}

func parseCompression(text string) (o qcow2.Options, err error) {
	kind, level, leveled := strings.Cut(text, ":")
	o.Compression = kind
	if leveled {
		if o.Level, err = strconv.Atoi(level); err != nil || o.Level == 0 {
			return o, fmt.Errorf("level %q is not a whole number above 0", level)
		}
	}
	if kind == "" {
		return o, fmt.Errorf("compression %q is none of zlib, zstd, none", kind)
	}
	return o, o.Check()
}

// clusterSize reads a number of bytes with the suffixes that cluster sizes
// come with. 0 is none: it would mean the default.
func clusterSize(text string) (bytes int, ok bool) {
	shift := 0
	switch digits := strings.TrimRight(text, "kKM"); strings.TrimPrefix(text, digits) {
	case "":
	case "k", "K":
		text, shift = digits, 10
	case "M":
		text, shift = digits, 20
	default:
		return 0, false
	}
	// What does not fit into 24 bits is no size of a cluster with any suffix.
	n, err := strconv.ParseUint(text, 10, 24)
	return int(n) << shift, err == nil && n > 0
}

// Run implements [graph.Action].
func (c *Convert) Run(ctx context.Context, w *graph.Work) error {
	raw, err := w.Inputs.Path(c.Disk, RawOutput)
	if err != nil {
		return err
	}
	to := filepath.Join(w.Out, ImageOutput)
	if o, ok := c.native(); ok {
		return writeQcow2(ctx, w, to, raw, o)
	}
	args := []string{"convert", "-f", "raw", "-O", c.Format}
	if c.Compress {
		// Without -W, clusters are compressed one after the other however
		// many coroutines there are; 16 is the most qemu-img takes.
		args = append(args, "-c", "-W", "-m", strconv.Itoa(min(16, 4*runtime.NumCPU())))
	}
	if c.Options != "" {
		args = append(args, "-o", c.Options)
	}
	args = append(args, raw, to)
	if path := hostTool(qemuImgWriter); path != "" {
		w.Tools = toolDigests([]string{path})
	}
	cmd := command.Cmd{Path: qemuImgWriter, Args: args, Env: toolEnvironment, Dir: "/", Stdout: w.Log, Stderr: w.Log}
	if err := cmd.Run(ctx); err != nil {
		return fmt.Errorf("make the %s image: %w", c.Format, err)
	}
	return nil
}

// writeQcow2 writes the image, with what it can have of the last one.
func writeQcow2(ctx context.Context, w *graph.Work, to, from string, o qcow2.Options) (err error) {
	raw, err := os.Open(from)
	if err != nil {
		return err
	}
	defer raw.Close()
	image, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, image.Close()) }()
	if o.Compression == qcow2.None {
		return qcow2.Write(ctx, image, raw, o)
	}
	index, err := os.OpenFile(filepath.Join(w.Out, ClustersOutput), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	o.Reuse = &qcow2.Reuse{Digest: digestCluster, NewIndex: index}
	if earlier, ok := w.Last.Open(ImageOutput); ok {
		defer earlier.Close()
		o.Reuse.Image = earlier
		o.Reuse.Index, _ = w.Last.Read(ClustersOutput)
	}
	if err := qcow2.Write(ctx, image, raw, o); err != nil {
		return err
	}
	fmt.Fprintf(w.Log, "qcow2: %d clusters were compressed, %d taken from the last image\n", o.Reuse.Compressed, o.Reuse.Taken)
	return nil
}

func digestCluster(cluster []byte) [qcow2.DigestSize]byte { return graph.DigestBytes(cluster) }

// toolEnvironment is what host tools run by steps, other than hooks, get.
var toolEnvironment = []string{"LC_ALL=C", "PATH=" + strings.Join(toolDirs, ":")}

// toolDirs are where such tools are looked for.
var toolDirs = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
