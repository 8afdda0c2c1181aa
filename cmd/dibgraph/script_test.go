package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/sandbox"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

var update = flag.Bool("update", false, "rewrite what scripts compare with; then read the difference")

func TestMain(m *testing.M) {
	// A process that was made to be the first one of a sandbox stays here.
	sandbox.MaybeRun()
	program := func() {
		if idle, err := time.ParseDuration(os.Getenv(patienceVariable)); err == nil {
			patience.Idle, patience.Pause = idle, 10*time.Millisecond
		}
		os.Exit(run(os.Args))
	}
	testscript.Main(m, map[string]func(){"dibgraph": program, "dibgraph-helper": program, diskImageCreate: program, ramdiskImageCreate: program, "xattr": xattr, "without-fanotify": withoutFanotify, "kpartx": kpartx})
}

// patienceVariable has, for the program in tests, how long a remote may give and
// take nothing.
const patienceVariable = "DIBGRAPH_TEST_PATIENCE"

// xattr is a program for scripts and their hooks on the host, which not every
// machine has: "xattr FILE NAME VALUE" sets an attribute, without VALUE it
// prints it.
func xattr() {
	if len(os.Args) == 4 {
		if err := unix.Setxattr(os.Args[1], os.Args[2], []byte(os.Args[3]), 0); err != nil {
			log.Fatalf("xattr: %v", err)
		}
		return
	}
	value := make([]byte, 1024)
	n, err := unix.Getxattr(os.Args[1], os.Args[2], value)
	if err != nil {
		log.Fatalf("xattr: %v", err)
	}
	fmt.Printf("%s\n", value[:n])
}

// withoutFanotify is a program for scripts: "without-fanotify COMMAND…" runs a
// command as on a kernel that has no fanotify.
func withoutFanotify() {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_FANOTIFY_INIT},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	runtime.LockOSThread()
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err := errors.Join(
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
		unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0),
	)
	path, lookErr := exec.LookPath(os.Args[1])
	if err := errors.Join(err, lookErr); err != nil {
		log.Fatalf("without-fanotify: %v", err)
	}
	log.Fatalf("without-fanotify: %v", unix.Exec(path, os.Args[1:], os.Environ()))
}

func TestScripts(t *testing.T) {
	if os.Getenv(testroot.Variable) == "1" {
		testroot.Require(t)
	}
	runScripts(t, "script")
}

// TestDropInSame runs the same commands with diskimage-builder as well.
func TestDropInSame(t *testing.T) {
	testroot.Require(t)
	runScripts(t, "same")
}

func runScripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", dir),
		Setup:               setUpScript,
		Condition:           scriptCondition,
		Cmds:                scriptCommands,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		// All of them take a minute; what hangs is to be seen before the limit
		// of the whole run.
		Deadline: time.Now().Add(5 * time.Minute),
	})
}

// setUpScript gives a script a home, a store, the elements of testdata, and
// those that it holds itself.
func setUpScript(e *testscript.Env) error {
	e.Values[mirrorKey{}] = &scriptMirror{}
	own, shared := e.WorkDir+"/elements", filepath.Join("testdata", "elements")
	shared, err := filepath.Abs(shared)
	if err != nil {
		return err
	}
	for _, dir := range []string{own, e.WorkDir + "/home"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	e.Vars = append(e.Vars,
		"HOME="+e.WorkDir+"/home",
		"DIBGRAPH_CACHE="+e.WorkDir+"/store",
		"ELEMENTS_PATH="+own+":"+shared,
		"SHARED_ELEMENTS="+shared,
		"THEIRS="+foreignElements,
		// A journal of the usual size is most of the work for a tiny image.
		"DIB_JOURNAL_SIZE=4",
	)
	return makeExecutable(e.WorkDir)
}

// makeExecutable does for the files of a script what its format cannot say.
func makeExecutable(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(content, []byte("#!")) {
			return err
		}
		return os.Chmod(path, 0o755)
	})
}

func scriptCondition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Getenv(testroot.Variable) == "1", nil
	case "user": // the one who runs the tests is not root, and may not do what root does
		return os.Geteuid() != 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// scriptCommands are what scripts can say besides the usual.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"append": appendCommand,
	"await":  awaitCommand,
	"mirror": mirrorCommand,
	"status": statusCommand,
}

// await FILE waits for what a command in the background makes.
func awaitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await file")
	}
	path := ts.MkAbs(args[0])
	for range 600 {
		if _, err := os.Lstat(path); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("after a minute there is no %s", path)
}

// status N COMMAND… runs a command that must end with exit status N.
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status n command…")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, want %s", status, args[0])
	}
}

// append FILE TEXT… adds a line to a file.
func appendCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: append file text…")
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	for _, text := range args[1:] {
		_, err = fmt.Fprintln(f, text)
		ts.Check(err)
	}
	ts.Check(f.Close())
}
