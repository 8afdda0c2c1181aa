package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// The first argument (argv[0]) of a process that is executed again, which ps
// shows too. Arguments and not a variable of the environment, because they are
// inherited by nobody.
const (
	initName    = "dibgraph-sandbox-init"
	programName = "dibgraph-sandbox"
)

// Descriptors of the two processes, and the first of Config.Extra. Init has the
// liveness pipe as well, below the extra files.
const (
	inputFD = 3 + iota
	resultFD
	livenessFD

	initExtraFD    = livenessFD + 1
	programExtraFD = livenessFD
)

// A Program is code that runs in a sandbox. It receives Config.Input as JSON;
// what it returns goes back through JSON, and both a result and an error may be
// returned. The context is never cancelled: who cancels kills the sandbox.
type Program = func(ctx context.Context, in []byte) (out any, err error)

var programs = map[string]Program{}

// Register makes a program known under a name. Call it from an init function or
// before MaybeRun; a second program of the same name panics.
func Register(name string, program func(ctx context.Context, in []byte) (out any, err error)) {
	if programs[name] != nil {
		panic("sandbox: two programs named " + strconv.Quote(name))
	}
	programs[name] = program
}

// MaybeRun returns at once in an ordinary process. In one that Run has started
// it runs the program and exits: it is the first line of main, and of TestMain in
// the tests of everything that calls Run.
func MaybeRun() {
	// Exiting here and not in main is the contract: nothing of main may run.
	switch os.Args[0] {
	case initName:
		os.Exit(runInit(os.Args[1:]))
	case programName:
		os.Exit(runProgram(os.Args[1:]))
	}
}

// Extra gives the program the i-th file of Config.Extra. Commands it starts do
// not inherit the file. Call it once per file; the caller closes it.
func Extra(i int) *os.File {
	return os.NewFile(uintptr(programExtraFD+i), "extra "+strconv.Itoa(i))
}

// runProgram is the process in which the program runs. Arguments: the program's
// name and the number of extra files.
func runProgram(args []string) int {
	name, _, err := arguments(args)
	result := os.NewFile(resultFD, "result")
	if err == nil {
		err = closeOnExec()
	}
	if err != nil {
		return send(result, nil, err)
	}
	program := programs[name]
	if program == nil {
		return send(result, nil, fmt.Errorf("sandbox: this binary has no program %q", name))
	}
	input, err := io.ReadAll(os.NewFile(inputFD, "input"))
	if err != nil {
		return send(result, nil, fmt.Errorf("sandbox: read input: %w", err))
	}
	out, err := program(context.Background(), input)
	return send(result, out, err)
}

func arguments(args []string) (name string, extra int, err error) {
	if len(args) != 2 {
		return "", 0, fmt.Errorf("sandbox: %d arguments, want 2: it is started by Run only", len(args))
	}
	extra, err = strconv.Atoi(args[1])
	return args[0], extra, err
}

// closeOnExec keeps every descriptor but the standard ones from being inherited:
// those of this package, the extra files, and any that the caller's own parent
// has let through. Nothing has been started yet that could have got one.
func closeOnExec() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("sandbox: list open files: %w", err)
	}
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// send writes the result and gives the exit status.
func send(to *os.File, out any, err error) int {
	var r report
	status := 0
	if err != nil {
		r.Failure, status = newProgramError(err), 1
	}
	if out != nil {
		text, err := json.Marshal(out)
		if err != nil {
			r.Failure, status = newProgramError(errors.Join(r.failure(), fmt.Errorf("sandbox: result: %w", err))), 1
		}
		r.Out = text
	}
	// A result that cannot be written has no one left to read it.
	if err := json.NewEncoder(to).Encode(r); err != nil {
		return 1
	}
	return status
}
