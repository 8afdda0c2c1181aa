package imagelist

import (
	"slices"

	"github.com/dibgraph/dibgraph/elements"
)

// A kind is what the value of a key is.
type kind int

const (
	text    kind = iota // one line; an empty one is as none
	word                // one of some words
	flag                // true or false
	number              // a whole number
	size                // a number, decimals allowed
	list                // of texts, added to those of earlier entries
	pairs               // names with texts, added to those of earlier entries
	choices             // names with lists of texts
	caches              // a map of package settings
)

// A key is what an entry can have.
type key struct {
	name string
	kind kind
	// words are those that a text, or each of a list, can be; nil is any.
	words []string
	// min and max are the limits of a number; no max is 0.
	min, max int
	about    string
	// own says that diskimage-builder does not know it.
	own bool
}

var arches = []string{"aarch64", "amd64", "arm64", "armhf", "powerpc", "ppc64", "ppc64el", "ppc64le", "s390x", "x86_64"}

// keys are all that an entry can have, those of diskimage-builder first, in the
// order of its arguments.
var keys = []key{
	{name: "imagename", kind: text, about: "name of the image, with directories; an entry without one belongs to the image of the entry before"},
	{name: "arch", kind: word, words: arches, about: "architecture"},
	{name: "types", kind: list, words: elements.OutputTypes, about: "output types; qcow2 unless given"},
	{name: "environment", kind: pairs, about: "variables, besides those of the caller"},
	{name: "ramdisk", kind: flag, about: "a kernel and an initramfs instead of a disk"},
	{name: "debug-trace", kind: number, max: 2, about: "trace what hooks do, twice for more"},
	{name: "uncompressed", kind: flag, about: "do not compress qcow2 images"},
	{name: "clear", kind: flag, about: "of the caller's variables take only HOME, PATH, USER, LOGNAME and ELEMENTS_PATH"},
	{name: "logfile", kind: text, about: "file for what the nodes of the image printed"},
	{name: "checksum", kind: flag, about: "write md5 and sha256 files beside the images"},
	{name: "image-size", kind: size, min: 1, about: "size of the disk in GiB; from the size of the tree unless given"},
	{name: "image-extra-size", kind: number, min: 1, about: "MiB to add to the size of the tree"},
	{name: "image-cache", kind: text, about: "directory where hooks keep downloads"},
	{name: "max-online-resize", kind: number, min: 1, about: "blocks that the root filesystem can grow to while mounted"},
	{name: "min-tmpfs", kind: number, min: 1, about: "without effect: no tmpfs is needed"},
	{name: "mkfs-journal-size", kind: number, min: 1, about: "size of the journal of the root filesystem in MiB"},
	{name: "mkfs-options", kind: text, about: "options for mkfs of the root filesystem"},
	{name: "no-tmpfs", kind: flag, about: "without effect: no tmpfs is needed"},
	{name: "offline", kind: flag, about: "ask no mirror for news, and ask hooks to use what they have"},
	{name: "qemu-img-options", kind: pairs, about: "options for qemu-img convert -o"},
	{name: "root-label", kind: text, about: "label of the root filesystem"},
	{name: "ramdisk-element", kind: text, about: "element that is put before those of a ramdisk"},
	{name: "install-type", kind: word, words: []string{"source", "package"}, about: "default install type"},
	{name: "docker-target", kind: text, about: "repository and tag of an image of the type docker"},
	{name: "packages", kind: list, about: "packages to install after install.d"},
	{name: "skip-base", kind: flag, about: "leave the element base out"},
	{name: "elements", kind: list, about: "elements"},

	{name: "depends", kind: list, own: true, about: "images that are to be there before this one begins"},
	{name: "matrix", kind: choices, own: true, about: "variables with their values; there is an image for each combination"},
	{name: "freshness", kind: text, own: true, about: "how new what hooks fetched has to be: follow, keep, max-age=72h"},
	{name: "check-mirrors", kind: text, own: true, about: "ask mirrors for news again after this period: a duration, always or never"},
	{name: "cache", kind: caches, own: true, about: "shared caches, with the keys of a configuration file"},
	{name: "elements-path", kind: list, own: true, about: "directories in which elements are looked for first, from that of this file"},
	{name: "pass-env", kind: list, own: true, about: "names of variables of the caller that hooks get"},
	{name: "qcow2-compression", kind: text, own: true, about: "how qcow2 images are compressed: zlib, zstd, zstd:LEVEL or none"},
	{name: "strict-host", kind: flag, own: true, about: "let results depend on the versions of the host's programs too"},
}

var keyNames = func() []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}()

func keyOf(name string) key {
	return keys[slices.Index(keyNames, name)]
}
