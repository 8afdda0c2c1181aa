package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/mount"
)

// The programs that the tests run in sandboxes.
func init() {
	Register("echo", func(_ context.Context, in []byte) (any, error) {
		return json.RawMessage(in), nil
	})
	Register("look", look)
	Register("fail", func(ctx context.Context, _ []byte) (any, error) {
		err := command.Cmd{Path: "sh", Args: []string{"-c", "exit 7"}}.Run(ctx)
		return map[string]string{"did": "something"}, fmt.Errorf("hook: %w", err)
	})
	Register("panic", func(context.Context, []byte) (any, error) { panic("on purpose") })
	Register("exit", func(context.Context, []byte) (any, error) { os.Exit(9); return nil, nil })
	Register("killed", func(context.Context, []byte) (any, error) {
		return nil, errors.Join(syscall.Kill(os.Getpid(), syscall.SIGKILL), sleepForever())
	})
	Register("unmarshalable", func(context.Context, []byte) (any, error) { return func() {}, nil })
	Register("shell", shell)
	Register("files", files)
	Register("mounts", mounts)
	Register("daemons", daemons)
	Register("orphans", orphans)
	Register("stay", stay)
}

// A view is what a program finds around itself.
type view struct {
	PID        int
	Host       string
	Env        []string
	Dir        string
	Processes  int
	Mask       int
	Tags       []string // of mounts that are not private
	ProcOfInit string
}

func look(context.Context, []byte) (any, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	all, err := others()
	if err != nil {
		return nil, err
	}
	list, err := mount.Self()
	if err != nil {
		return nil, err
	}
	v := view{PID: os.Getpid(), Host: host, Env: os.Environ(), Dir: dir, Processes: len(all) + 2, Mask: syscall.Umask(0)}
	for _, m := range list {
		if m.Tags != "" {
			v.Tags = append(v.Tags, m.Point+" "+m.Tags)
		}
	}
	comm, err := os.ReadFile("/proc/1/cmdline")
	v.ProcOfInit = strings.TrimRight(strings.ReplaceAll(string(comm), "\x00", " "), " ")
	return v, err
}

// shell runs the script that is its input, with the standard files of the sandbox.
func shell(ctx context.Context, in []byte) (any, error) {
	var script string
	if err := json.Unmarshal(in, &script); err != nil {
		return nil, err
	}
	return nil, command.Cmd{
		Path: "sh", Args: []string{"-c", script}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}.Run(ctx)
}

// files reads its two extra files, and lists the descriptors a command gets.
func files(ctx context.Context, _ []byte) (any, error) {
	var texts []string
	for i := range 2 {
		text, err := io.ReadAll(Extra(i))
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	open, err := command.Cmd{Path: "sh", Args: []string{"-c", "ls /proc/self/fd"}}.Output(ctx)
	return append(texts, strings.Join(strings.Fields(string(open)), " ")), err
}

// mounts mounts a tmpfs on the directory that is its input, and leaves it there.
func mounts(_ context.Context, in []byte) (any, error) {
	var dir string
	if err := json.Unmarshal(in, &dir); err != nil {
		return nil, err
	}
	if err := mount.Type("tmpfs", "tmpfs", dir, 0, ""); err != nil {
		return nil, err
	}
	list, err := mount.Self()
	for _, m := range list {
		if m.Point == dir {
			return true, err
		}
	}
	return false, err
}

// daemons leaves processes behind that try to survive, kills them and reports how
// many there were before and after, and whether their mount can be taken away.
func daemons(ctx context.Context, in []byte) (any, error) {
	var dir string
	if err := json.Unmarshal(in, &dir); err != nil {
		return nil, err
	}
	if err := mount.Type("tmpfs", "tmpfs", dir, 0, ""); err != nil {
		return nil, err
	}
	err := command.Cmd{Path: "sh", Dir: dir, Args: []string{"-c", `
		for i in 1 2 3; do
			setsid sh -c 'trap "" TERM INT HUP; exec 9>file; while :; do sleep 100; done' >/dev/null 2>&1 </dev/null &
		done`}}.Run(ctx)
	if err != nil {
		return nil, err
	}
	before, err := others()
	// Three shells, each with a child.
	for deadline := time.Now().Add(10 * time.Second); err == nil && len(before) < 6 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
		before, err = others()
	}
	if err != nil {
		return nil, err
	}
	if err := KillOthers(); err != nil {
		return nil, err
	}
	after, err := others()
	return []int{len(before), len(after)}, errors.Join(err, mount.Unmount(dir))
}

// orphans lets a process die whose parent has died before, and waits until init
// has reaped it, as "start-stop-daemon --stop" does.
func orphans(ctx context.Context, _ []byte) (any, error) {
	out, err := command.Cmd{Path: "sh", Args: []string{"-c", "sleep 1000 >/dev/null 2>&1 & echo $!"}}.Output(ctx)
	if err != nil {
		return nil, err
	}
	var pid int
	if _, err := fmt.Sscan(string(out), &pid); err != nil {
		return nil, err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if err := syscall.Kill(pid, 0); err == syscall.ESRCH {
			return true, nil
		}
	}
	return false, nil
}

// stay starts a process that holds on, says so on standard output and stays.
func stay(ctx context.Context, in []byte) (any, error) {
	var mark string
	if err := json.Unmarshal(in, &mark); err != nil {
		return nil, err
	}
	err := command.Cmd{Path: "sh", Args: []string{"-c", "setsid setsid sleep " + mark + " >/dev/null 2>&1 & echo"}}.Run(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stdout.WriteString("ready\n"); err != nil {
		return nil, err
	}
	return nil, sleepForever()
}

func sleepForever() error {
	time.Sleep(time.Hour)
	return errors.New("nobody came")
}
