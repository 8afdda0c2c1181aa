package mount

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// errNoDescriptorAPI means that the kernel cannot mount this overlay by
// descriptors, and mount(2) is to be tried.
var errNoDescriptorAPI = errors.New("no mount API of descriptors")

// maxValue is the longest value fsconfig takes for a string: 256 bytes with the
// terminating zero.
const maxValue = 255

func (o Overlay) mountByDescriptor(target string) error {
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
			return errNoDescriptorAPI
		}
		return fmt.Errorf("fsopen: %w", err)
	}
	defer unix.Close(fs)
	if !looksAtOptions(fs) {
		return errNoDescriptorAPI
	}
	var names handles
	defer names.Close()
	if err := o.configure(fs, &names); errors.Is(err, errNoDescriptorAPI) {
		return err
	} else if err != nil {
		return withKernelLog(fs, err)
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return withKernelLog(fs, err)
	}
	tree, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return withKernelLog(fs, fmt.Errorf("fsmount: %w", err))
	}
	defer unix.Close(tree)
	return attach(tree, target)
}

// looksAtOptions tells whether the kernel reads an option when it is given.
// Before 6.5 an overlay context took every string and complained only when it
// was created.
func looksAtOptions(fs int) bool {
	refused := unix.FsconfigSetString(fs, "no-such-option", "0") != nil
	kernelLog(fs) // so that a later error does not report the message of this one
	return refused
}

func (o Overlay) configure(fs int, names *handles) error {
	if err := unix.FsconfigSetString(fs, "source", "dibgraph"); err != nil {
		return fmt.Errorf("set source: %w", err)
	}
	for i, lower := range o.Lower {
		err := setDirectory(fs, "lowerdir+", lower, names)
		if i == 0 && errors.Is(err, unix.EINVAL) {
			// A kernel before 6.8 does not know the option. Should it be the
			// directory after all, then the other way fails and says so.
			return errNoDescriptorAPI
		}
		if err != nil {
			return err
		}
	}
	if o.Upper != "" {
		if err := setDirectory(fs, "upperdir", o.Upper, names); err != nil {
			return err
		}
		if err := setDirectory(fs, "workdir", o.Work, names); err != nil {
			return err
		}
	}
	for _, opt := range o.options() {
		if err := setOption(fs, opt); err != nil {
			return err
		}
	}
	return nil
}

// setDirectory gives the kernel the name itself if it can take it, so that
// mountinfo stays readable, and else a name by way of an open descriptor: too
// long a name is refused, and ":", "," and "\" mean something in some options
// of some kernels.
func setDirectory(fs int, key, dir string, names *handles) error {
	name := dir
	if len(dir) > maxValue || strings.ContainsAny(dir, `:,\`) {
		number, err := names.open(dir)
		if err != nil {
			return err
		}
		name = fmt.Sprintf("/proc/self/fd/%d", number)
	}
	if err := unix.FsconfigSetString(fs, key, name); err != nil {
		return fmt.Errorf("%s %q: %w", key, dir, err)
	}
	return nil
}

func setOption(fs int, opt option) error {
	var err error
	if opt.value == "" {
		err = unix.FsconfigSetFlag(fs, opt.key)
	} else {
		err = unix.FsconfigSetString(fs, opt.key, opt.value)
	}
	if err == nil || opt.optional && errors.Is(err, unix.EINVAL) {
		return nil
	}
	return fmt.Errorf("option %s=%s: %w", opt.key, opt.value, err)
}

// withKernelLog adds what the kernel wrote about the failure into the context,
// which says more than the error number.
func withKernelLog(fs int, err error) error {
	if log := kernelLog(fs); log != "" {
		return fmt.Errorf("%w (%s)", err, log)
	}
	return err
}

// kernelLog empties the message queue of a filesystem context: each read gives
// one message, "e overlay: …" for an error; ENODATA ends the queue.
func kernelLog(fs int) string {
	var messages []string
	buf := make([]byte, 1024)
	for {
		n, err := unix.Read(fs, buf)
		if n <= 0 || err != nil {
			return strings.Join(messages, "; ")
		}
		if message, isError := strings.CutPrefix(string(buf[:n]), "e "); isError {
			messages = append(messages, strings.TrimSpace(message))
		}
	}
}

// attach puts a mount that hangs nowhere yet at target.
func attach(tree int, target string) error {
	flags := unix.MOVE_MOUNT_F_EMPTY_PATH | unix.MOVE_MOUNT_T_SYMLINKS
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, target, flags); err != nil {
		return fmt.Errorf("move_mount: %w", err)
	}
	return nil
}
