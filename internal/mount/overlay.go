package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// MaxLowers is the number of lowers the kernel stacks in one overlay
// (OVL_MAX_STACK in fs/overlayfs); with one more it returns EINVAL.
const MaxLowers = 500

// An Overlay says what to stack. It holds names, nothing of the kernel: it may
// be copied, and mounted more than once if it has no upper.
type Overlay struct {
	Lower []string // directories, the top one first; at least one, at most MaxLowers
	// Upper takes the writes; empty: the overlay is read-only. One that was
	// mounted before can be mounted again on the same lowers only: the kernel
	// has marked it with the top one, and says ESTALE for another.
	Upper string
	Work  string // empty exactly if Upper is; an empty directory beside Upper, fresh for each mount
	// Volatile leaves out every sync to the upper. After a crash of the machine
	// the upper is worthless, and the kernel refuses to mount the Work again.
	Volatile bool
}

// An option of the overlay filesystem. One that is optional is left out if the
// kernel refuses it, because without it the result is the same.
type option struct {
	key, value string
	optional   bool
}

// busyPatience is how long Mount waits for an upper or lower that the kernel
// still counts as the upper of another overlay. The last unmount of a dying
// namespace is done by a kernel worker, a few milliseconds after its last
// process was waited for.
const busyPatience = 5 * time.Second

// Mount mounts the overlay at target. A single lower without an upper, which
// the overlay filesystem refuses, becomes a read-only bind mount.
//
// The options keep each upper a layer of its own, one that is whole without the
// lowers it was made on: no metacopy, no redirects. index=on makes the kernel
// keep hard links together that an earlier layer made, see package overlay.
func (o Overlay) Mount(target string) error {
	if err := o.check(); err != nil {
		return fmt.Errorf("mount overlay on %q: %w", target, err)
	}
	if len(o.Lower) == 1 && o.Upper == "" {
		return Bind(o.Lower[0], target, true)
	}
	err := o.mountPatiently(target)
	if err != nil {
		return fmt.Errorf("mount overlay of %d lowers on %q: %w", len(o.Lower), target, err)
	}
	return nil
}

func (o Overlay) check() error {
	switch {
	case len(o.Lower) == 0:
		return errors.New("no lower")
	case len(o.Lower) > MaxLowers:
		return fmt.Errorf("%d lowers, the kernel takes at most %d", len(o.Lower), MaxLowers)
	case (o.Upper == "") != (o.Work == ""):
		return fmt.Errorf("upper %q and work %q: one is missing", o.Upper, o.Work)
	case o.Upper == "":
		return nil
	}
	used, err := os.ReadDir(o.Work)
	if err == nil && len(used) > 0 {
		return fmt.Errorf("work directory %q is not empty", o.Work)
	}
	return err
}

func (o Overlay) mountPatiently(target string) error {
	deadline := time.Now().Add(busyPatience)
	for pause := time.Millisecond; ; pause *= 2 {
		err := o.mountByDescriptor(target)
		if errors.Is(err, errNoDescriptorAPI) {
			err = o.mountByOptions(target)
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().Add(pause).After(deadline) {
			return err
		}
		time.Sleep(pause)
		if err := o.emptyWork(); err != nil {
			return err
		}
	}
}

// emptyWork removes what a mount that failed has left in the work directory,
// which was empty before: one of its files would make the kernel refuse the
// next attempt as the sequel of a volatile mount.
func (o Overlay) emptyWork() error {
	if o.Work == "" {
		return nil
	}
	return errors.Join(os.RemoveAll(filepath.Join(o.Work, "work")), os.RemoveAll(filepath.Join(o.Work, "index")))
}

func (o Overlay) options() []option {
	options := []option{
		{"metacopy", "off", false},
		{"redirect_dir", "nofollow", false},
		{"xino", "off", false},
		// Kernels before 6.6 do not know it; they write no random UUID into the
		// upper either, which is what it is for.
		{"uuid", "null", true},
	}
	if o.Upper == "" {
		return options
	}
	options = append(options, option{"index", "on", false})
	if o.Volatile {
		// Kernels before 5.10 do not know it; they only write more slowly.
		options = append(options, option{"volatile", "", true})
	}
	return options
}
