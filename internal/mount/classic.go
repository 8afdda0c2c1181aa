package mount

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxOptions is what mount(2) copies of its option string: one page, less the
// terminating zero. It cuts off the rest without an error.
const maxOptions = 4095

// mountByOptions is the way for kernels without fsopen or lowerdir+. Every
// directory is opened, the thread changes into /proc/self/fd, and the names in
// the option string are descriptor numbers: 500 of them take half the page.
func (o Overlay) mountByOptions(target string) error {
	var names handles
	defer names.Close()
	directories, err := o.directories(&names)
	if err != nil {
		return err
	}
	point, err := names.open(target)
	if err != nil {
		return err
	}
	attempt := func(options []option) error {
		data := directories
		for _, opt := range options {
			data += "," + opt.String()
		}
		if len(data) > maxOptions {
			return fmt.Errorf("%d bytes of options, mount(2) takes %d", len(data), maxOptions)
		}
		return inDescriptorDir(func() error {
			return unix.Mount("dibgraph", strconv.Itoa(point), "overlay", 0, data)
		})
	}
	options := o.options()
	err = attempt(options)
	for errors.Is(err, unix.EINVAL) {
		// mount(2) does not say which option it refused: leave the optional
		// ones out, the last first.
		last := lastOptional(options)
		if last < 0 {
			break
		}
		options = append(options[:last:last], options[last+1:]...)
		err = attempt(options)
	}
	if err != nil {
		return fmt.Errorf("mount(2), see the kernel log for its reason: %w", err)
	}
	return nil
}

func (o Overlay) directories(names *handles) (string, error) {
	var lower []string
	for _, dir := range o.Lower {
		fd, err := names.open(dir)
		if err != nil {
			return "", err
		}
		lower = append(lower, strconv.Itoa(fd))
	}
	data := "lowerdir=" + strings.Join(lower, ":")
	if o.Upper == "" {
		return data, nil
	}
	upper, err := names.open(o.Upper)
	if err != nil {
		return "", err
	}
	work, err := names.open(o.Work)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s,upperdir=%d,workdir=%d", data, upper, work), nil
}

// String gives the option as mount(2) wants it.
func (o option) String() string {
	if o.value == "" {
		return o.key
	}
	return o.key + "=" + o.value
}

func lastOptional(options []option) int {
	for i := len(options) - 1; i >= 0; i-- {
		if options[i].optional {
			return i
		}
	}
	return -1
}

// inDescriptorDir calls fn on a thread of its own whose working directory is
// /proc/self/fd. The thread is destroyed afterwards.
func inDescriptorDir(fn func() error) error {
	result := make(chan error, 1)
	var run func()
	run = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread cannot be destroyed, and its directory is the one
			// /proc/self/cwd shows. While this goroutine holds it, the next one
			// gets another.
			defer runtime.UnlockOSThread()
			done := make(chan struct{})
			go func() { defer close(done); run() }()
			<-done
			return
		}
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			result <- fmt.Errorf("give a thread its own working directory: %w", err)
			return
		}
		if err := unix.Chdir("/proc/self/fd"); err != nil {
			result <- fmt.Errorf("change to /proc/self/fd: %w", err)
			return
		}
		result <- fn()
	}
	go run()
	return <-result
}
