package elements

import (
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// An Output is a file the user gets.
type Output struct {
	// Node made it, under the name Blob.
	Node *graph.Node
	Blob string
	// Suffix is what its name has after that of the image: ".qcow2".
	Suffix string
	// Checksums is the node with its checksums; nil if none are wanted.
	Checksums *graph.Node
}

// Outputs lists what a build of g delivers, in the order of the types asked
// for. Files that hooks leave beside the image are outputs of the disk node
// below [steps.BesideOutput] and not listed here.
func (p *Planner) Outputs(g *graph.Graph) []Output {
	name := p.image.Definition.Name
	var outputs []Output
	for _, t := range p.image.Definition.Types {
		node, blob := madeBy(t)
		o := Output{Suffix: "." + t, Node: g.Node(name, node), Blob: blob}
		o.Checksums = g.Node(name, checksumNode(t))
		if o.Node != nil {
			outputs = append(outputs, o)
		}
	}
	return outputs
}

// Delivers reports whether the user of an image of these types gets an output of
// a node, and not only other nodes.
func Delivers(types []string, node, output string) bool {
	if node == diskNode && strings.HasPrefix(output, steps.BesideOutput+"/") {
		return true
	}
	return slices.ContainsFunc(types, func(t string) bool {
		madeByNode, blob := madeBy(t)
		return node == madeByNode && output == blob
	})
}

// madeBy returns the node and the output that are the file of a type.
func madeBy(outputType string) (node, blob string) {
	switch outputType {
	case "raw":
		return diskNode, steps.RawOutput
	case "tar":
		return diskNode, steps.TarOutput
	}
	return outputType, steps.ImageOutput
}

const diskNode = "disk"

func checksumNode(outputType string) string { return "checksum:" + outputType }

func (b *builder) disk() *graph.Node {
	p := b.planner
	def := p.image.Definition
	disk := &steps.Disk{
		Site: p.siteFor(def.Freshness), Ambient: p.ambient, Layout: p.layout.config, LayoutFile: p.layout.file, Params: p.layout.params,
		Size: p.layout.size, Files: p.environmentFiles(), Pattern: p.pattern(), ImageName: def.Name,
		Tar: slices.Contains(def.Types, "tar"), Volatile: b.volatile, Sources: b.sources,
	}
	for _, phase := range Phases {
		if !phase.InDisk {
			continue
		}
		dp := steps.DiskPhase{Dir: phase.Dir(), Chroot: phase.Chroot}
		from := []string{""}
		for _, h := range p.hooks(phase) {
			digest, words := p.text(h)
			element, settings := p.element(phase, h)
			from = append(from, element)
			dp.Hooks = append(dp.Hooks, steps.DiskHook{
				Name: h.Name, Digest: digest, Words: words.Merge(settings.words()), Origin: p.origin(phase, h),
				NoNetwork: settings.noNetwork(phase.Dir(), h.Name),
			})
			if !phase.Chroot {
				disk.HostFiles = append(disk.HostFiles, settings.InputFiles...)
			}
		}
		dp.Vars = p.variables(phase).with(from) // they share one, as they share a node
		disk.Phases = append(disk.Phases, dp)
	}
	slices.Sort(disk.HostFiles)
	disk.HostFiles = slices.Compact(disk.HostFiles)
	return b.add(&graph.Node{Name: diskNode, Kind: "disk", Parent: b.state, Partial: b.sources, Action: disk})
}

// outputs adds the nodes that make other files of the disk image.
func (b *builder) outputs(disk *graph.Node) {
	def := b.planner.image.Definition
	if b.planner.image.noFinalImage() {
		return
	}
	for _, t := range def.Types {
		made, output := disk, steps.RawOutput
		switch t {
		case "tar":
			continue // part of the disk, without checksums, as it always was
		case "raw":
		default:
			made, output = b.add(&graph.Node{
				Name: t, Kind: "convert", Partial: []*graph.Node{disk},
				Action: &steps.Convert{Disk: disk, Format: t, Compress: t == "qcow2" && !def.Uncompressed, Options: def.QemuImgOptions, StrictHost: def.StrictHost},
			}), steps.ImageOutput
		}
		if algorithms := checksums(def.Checksum); algorithms != nil {
			b.add(&graph.Node{
				Name: checksumNode(t), Kind: "checksum", Partial: []*graph.Node{made},
				Action: &steps.Checksum{Of: made, Output: output, Algorithms: algorithms},
			})
		}
	}
}

// checksums reads DIB_CHECKSUM: 1 is both, else the names it contains.
func checksums(value string) []string {
	var algorithms []string
	for _, name := range []string{"md5", "sha256"} {
		if value == "1" || strings.Contains(value, name) {
			algorithms = append(algorithms, name)
		}
	}
	return algorithms
}

// noFinalImage reports whether the elements make what they make without a
// disk image. The name is looked for anywhere in the list, as it always was.
func (img *Image) noFinalImage() bool {
	return img.Definition.Ramdisk || slices.ContainsFunc(img.Elements, func(e *Element) bool { return strings.Contains(e.Name, "no-final-image") })
}
