package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/observe"
	"github.com/dibgraph/dibgraph/internal/partition"
	"github.com/dibgraph/dibgraph/internal/sandbox"
	"golang.org/x/sys/unix"
)

const trialProgram = "host-trial"

func init() {
	sandbox.Register(trialProgram, func(_ context.Context, in []byte) (any, error) {
		var dir string
		if err := json.Unmarshal(in, &dir); err != nil {
			return nil, err
		}
		return []Finding{
			trial(tryOverlay, dir),
			trial(tryMountAPI, dir),
			trial(tryLoop, dir),
			trial(tryPartitions, dir),
			trial(tryObserve, dir),
		}, nil
	})
}

// A feature is one thing to try, in an empty directory of its own.
type feature struct {
	name   string
	try    func(dir string) (detail string, err error)
	need   string
	fix    string
	absent State // the state if it fails
	price  string
}

// try tries everything in a temporary directory of parent, which stands for the
// store: what an overlay can do depends on the filesystem under it.
func try(ctx context.Context, parent string) []Finding {
	namespaces := Finding{What: "namespaces", For: "every step, which has mounts and processes of its own", State: OK}
	dir, err := os.MkdirTemp(parent, ".dibgraph-doctor-")
	if err != nil {
		return []Finding{{What: "store", For: "everything that has been built", State: Missing, Detail: err.Error(), Fix: storeFix}}
	}
	// The sandbox is dead and its mounts are gone when this runs; what may be
	// left is a temporary directory, which harms no one.
	defer os.RemoveAll(dir)

	var findings []Finding
	if err := sandbox.Run(ctx, sandbox.Config{Program: trialProgram, Input: dir}, &findings); err != nil {
		namespaces.State, namespaces.Detail = Missing, err.Error()
		namespaces.Fix = "in a container: start it privileged; in a chroot: make its root a mount point"
		return []Finding{namespaces}
	}
	return append([]Finding{namespaces}, findings...)
}

const storeFix = "choose another store: --cache-dir DIR, or the variable DIBGRAPH_CACHE"

func trial(f feature, parent string) Finding {
	result := Finding{What: f.name, For: f.need, State: OK}
	dir, err := os.MkdirTemp(parent, "")
	if err == nil {
		result.Detail, err = f.try(dir)
	}
	if err != nil {
		result.State, result.Detail, result.Fix = f.absent, err.Error(), f.fix
		if f.price != "" {
			result.Detail += "; " + f.price
		}
	}
	return result
}

// tryOverlay mounts an overlay as a step does, and makes in it what needs the
// most of the filesystem below: a file, a whiteout, and a name of a hard link.
var tryOverlay = feature{
	name: "overlay", need: "every step, whose writes are the upper of an overlay",
	absent: Missing, fix: storeFix + "; ext4, xfs, btrfs and tmpfs will do",
	try: func(dir string) (detail string, err error) {
		at := func(name string) string { return filepath.Join(dir, name) }
		for _, name := range []string{"lower", "upper", "work", "merged"} {
			if err := os.Mkdir(at(name), 0o755); err != nil {
				return "", err
			}
		}
		if err := os.WriteFile(at("lower/old"), nil, 0o644); err != nil {
			return "", err
		}
		o := mount.Overlay{Lower: []string{at("lower")}, Upper: at("upper"), Work: at("work"), Volatile: true}
		if err := o.Mount(at("merged")); err != nil {
			return "", fmt.Errorf("on %s: %w", typeOf(dir), err)
		}
		defer func() { err = errors.Join(err, mount.Unmount(at("merged"))) }()
		if err := errors.Join(
			os.WriteFile(at("merged/new"), []byte("new"), 0o644),
			os.Link(at("merged/old"), at("merged/link")),
			os.Remove(at("merged/old")),
		); err != nil {
			return "", fmt.Errorf("on %s: %w", typeOf(dir), err)
		}
		var whiteout unix.Stat_t
		if err := unix.Lstat(at("upper/old"), &whiteout); err != nil || whiteout.Mode&unix.S_IFMT != unix.S_IFCHR {
			return "", fmt.Errorf("on %s: a removed file left no whiteout", typeOf(dir))
		}
		return "writable on " + typeOf(dir), nil
	},
}

// tryMountAPI asks for the overlay's "lowerdir+", which came in Linux 6.8.
var tryMountAPI = feature{
	name: "mount API", need: "overlays of very many layers",
	absent: Degraded, fix: "Linux 6.8 or later",
	price: "layers are squashed earlier, by the length of their names",
	try: func(dir string) (string, error) {
		fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
		if err != nil {
			return "", fmt.Errorf("fsopen: %w", err)
		}
		defer unix.Close(fs)
		if err := unix.FsconfigSetString(fs, "lowerdir+", dir); err != nil {
			return "", fmt.Errorf("lowerdir+: %w", err)
		}
		return "takes layers one by one", nil
	},
}

var tryLoop = feature{
	name: "loop devices", need: "disk images",
	absent: Missing, fix: loopFix,
	try: func(dir string) (string, error) {
		device, err := attach(dir)
		if err != nil {
			return "", err
		}
		return device.Path, device.Close()
	},
}

// tryPartitions tells the kernel of a partition, which it does not look for
// itself.
var tryPartitions = feature{
	name: "partition nodes", need: "disk images with partitions",
	absent: Missing, fix: "a kernel with block device partitions (CONFIG_BLOCK), and a /dev that takes device nodes",
	try: func(dir string) (string, error) {
		device, err := attach(dir)
		if err != nil {
			return "", err
		}
		path, err := partition.Add(device.File(), 1, 1<<19, 1<<19)
		if err == nil {
			var node *os.File
			if node, err = os.Open(path); err == nil {
				err = node.Close()
			}
		}
		return path, errors.Join(err, device.Close())
	},
}

// attach attaches a file of 1 MiB, enough for a partition at half of it.
func attach(dir string) (*loop.Device, error) {
	file := filepath.Join(dir, "disk")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 1<<20)); err != nil {
		return nil, err
	}
	return loop.Attach(file, loop.Options{})
}

// tryObserve watches a mount of its own, as a step does.
var tryObserve = feature{
	name: "fanotify", need: "seeing which files a hook reads",
	absent: Degraded, fix: "a kernel with CONFIG_FANOTIFY, and CAP_SYS_ADMIN",
	price: "every file that a hook could read counts as its input",
	try: func(dir string) (string, error) {
		if err := mount.Bind(dir, dir, false); err != nil {
			return "", err
		}
		observer, err := observe.Start(dir)
		if err == nil {
			_, err = observer.Stop()
		}
		return "", errors.Join(err, mount.Unmount(dir))
	},
}
