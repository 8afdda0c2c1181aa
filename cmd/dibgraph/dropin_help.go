package main

import "fmt"

// dropInHelp is the help of the program under a name of diskimage-builder's.
func dropInHelp(name string) string {
	return fmt.Sprintf(`Usage: %[1]s [OPTION]... [ELEMENT]...

Build the image that the elements describe, as diskimage-builder does. This is
dibgraph under its name: only what changed since an earlier build runs again, and
"dibgraph explain" says why it did.

Options:
    -a ARCH                     architecture of the image (default: $ARCH, else this machine's)
    -o NAME                     name of the image, with directories, which must exist
                                (default: $IMAGE_NAME, else image)
    -t TYPE[,TYPE...]           what to make: qcow2, raw, vmdk, vdi, vhd, vhdx, tar, tgz,
                                squashfs, docker, aci (default qcow2)
    -x                          trace what hooks do; twice for more
    -u                          do not compress qcow2 images
    -c                          forget the variables of the environment first
    -n                          leave the element base out
    -p PACKAGE[,PACKAGE...]     packages to install after install.d; repeatable
    --checksum                  write md5 and sha256 files beside the images
    --image-size GIB            size of the disk (default: from the size of the tree)
    --image-extra-size MIB      what to add to the size of the tree
    --image-cache DIRECTORY     where hooks keep downloads (default ~/.cache/image-create)
    --max-online-resize BLOCKS  what the root filesystem can grow to while mounted
    --mkfs-journal-size MIB     size of the journal of the root filesystem (default 64)
    --mkfs-options OPTIONS      options for mkfs of the root filesystem, in one word
    --qemu-img-options K=V,...  options for qemu-img convert -o
    --root-label LABEL          label of the root filesystem
    --ramdisk-element ELEMENT   the element that makes the ramdisk (default ramdisk)
    --install-type TYPE         default install type, source or package
    --docker-target NAME[:TAG]  name of the container image of type docker (default: NAME of -o)
    --offline                   use what was downloaded before
    --min-tmpfs GIB, --no-tmpfs taken and without effect: no tmpfs is used
    --logfile FILE              write the log to FILE, and nothing else unless DIB_QUIET=0
    -h, --help                  print this
    --version                   print the version

Options and elements come in any order, long options can be abbreviated.

Variables:
    ELEMENTS_PATH               directories of elements, with colons; the embedded ones come last
    DIB_NO_TIMESTAMP=1          print lines without the time
    DIB_QUIET=1                 print nothing but errors
    OVERWRITE_OLD_IMAGE=1       replace older images; they are renamed otherwise
    DIBGRAPH_CACHE              where results are kept
    DIBGRAPH_CACHE_FROM, _TO    shared caches, see "dibgraph cache --help"
`, name)
}
