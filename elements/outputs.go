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
	// Type is what was asked for, one of OutputTypes.
	Type string
	// Checksums is the node with its checksums; nil if none are wanted.
	Checksums *graph.Node
}

// Outputs lists what a build of g delivers, in the order of the types asked
// for. Files that hooks leave beside the image are outputs of the disk node
// below [steps.BesideOutput] and not listed here.
func (p *Planner) Outputs(g *graph.Graph) []Output {
	name := p.image.Definition.Name
	var outputs []Output
	for _, t := range p.image.made() {
		node, blob := madeBy(t)
		o := Output{Type: t, Node: g.Node(name, node), Blob: blob}
		o.Checksums = g.Node(name, checksumNode(t))
		outputs = append(outputs, o)
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
		Programs: p.layout.parsed.Programs(), Size: p.layout.size, Files: p.environmentFiles(), Pattern: p.pattern(), ImageName: def.Name,
		Tar: slices.ContainsFunc(def.Types, ofTree), Volatile: b.volatile, Sources: b.sources,
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
	for _, t := range b.planner.image.made() {
		made, output := disk, steps.RawOutput
		if action := b.planner.conversion(t, disk); action != nil {
			made, output = b.add(&graph.Node{Name: t, Kind: "convert", Partial: []*graph.Node{disk}, Action: action}), steps.ImageOutput
		}
		if algorithms := checksums(b.planner.image.Definition.Checksum); algorithms != nil && summed(t) {
			b.add(&graph.Node{
				Name: checksumNode(t), Kind: "checksum", Partial: []*graph.Node{made},
				Action: &steps.Checksum{Of: made, Output: output, Algorithms: algorithms},
			})
		}
	}
}

// conversion returns what makes the file of a type of what the disk node left;
// nil if that left the file itself.
func (p *Planner) conversion(outputType string, disk *graph.Node) graph.Action {
	def := p.image.Definition
	convert := &steps.Convert{Disk: disk, Format: outputType, Options: def.QemuImgOptions, StrictHost: def.StrictHost}
	switch outputType {
	case "raw", "tar":
		return nil
	case "tgz":
		return &steps.Gzip{Disk: disk}
	case "squashfs":
		return &steps.Squashfs{Disk: disk, StrictHost: def.StrictHost}
	case "docker":
		return &steps.Container{Disk: disk, Name: def.DockerTarget, Arch: def.Arch}
	case "aci":
		return &steps.ACI{Disk: disk, Manifest: def.Environment["ACI_MANIFEST"], Dir: def.WorkDir}
	case "qcow2":
		convert.Compress, convert.Compression = !def.Uncompressed, def.Qcow2Compression
	case "vhd":
		// Without it the disk would be made larger than it is, so that the copy
		// of a partition table is no more at its end.
		convert.Format, convert.Options = "vpc", joinOptions("force_size=on", def.QemuImgOptions)
	}
	return convert
}

func joinOptions(options ...string) string {
	return strings.Join(slices.DeleteFunc(options, func(o string) bool { return o == "" }), ",")
}

// made lists the types of the files that are made: those asked for, or what of
// them is not made of a disk image where the elements want none.
func (img *Image) made() []string {
	if !img.noFinalImage() {
		return img.Definition.Types
	}
	return slices.DeleteFunc(slices.Clone(img.Definition.Types), func(t string) bool { return !ofTree(t) })
}

// ofTree reports whether a type is made of the tree and not of the disk image.
func ofTree(outputType string) bool {
	return slices.Contains([]string{"aci", "docker", "squashfs", "tar", "tgz"}, outputType)
}

// summed reports whether a type gets checksums. Those that do not never did.
func summed(outputType string) bool {
	return !slices.Contains([]string{"aci", "squashfs", "tar"}, outputType)
}

// suffixOf returns what the name of a file of a type has after that of the image.
func suffixOf(outputType string) string {
	if outputType == "squashfs" {
		return ".squash"
	}
	return "." + outputType
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
