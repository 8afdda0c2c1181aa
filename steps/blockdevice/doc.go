// Package blockdevice makes the disk of an image as its block device layout
// says: a raw file on a loop device, a partition table, filesystems, and their
// mounts.
//
// A layout is a YAML list of modules: local_loop, partitioning, lvm, mkfs,
// mount, fstab. Modules name what they stand on by "base", or are nested in it.
//
//	# layout.yaml
//	- local_loop:
//	    name: image0
//	- partitioning:
//	    base: image0
//	    label: gpt
//	    partitions:
//	      - name: root
//	        size: 100%
//	        mkfs:                    # mkfs_root, on partition root
//	          mount:                 # mount_mkfs_root
//	            mount_point: /
//	            fstab:
//	              options: defaults
//
// What differs from diskimage-builder is listed in docs/compatibility.md.
//
// [Parse] reads and checks a layout, touching nothing; [Layout.CreateFrom] makes it,
// fills it with a tree, and leaves it mounted; [State.Umount] and
// [State.FinishFilesystems] complete the raw files:
//
//	layout, err := blockdevice.Parse(text, "layout.yaml", params)
//	state, err := layout.CreateFrom(ctx, run, tree)
//	…
//	err = state.Umount(ctx)
//	err = state.FinishFilesystems(ctx)
//
// All identifiers (UUIDs, GUIDs, disk id, hash seeds) come from Params.Seed, so
// that equal inputs make equal disks as far as the kernel's own writes allow.
//
// A process that is killed in the middle leaves no mount and no loop device,
// if it ran in a mount namespace of its own. Logical volumes are the exception: the
// device mapper has no way to tie them to a process.
package blockdevice
