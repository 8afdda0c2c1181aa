// Command dibgraph builds operating-system disk images from elements,
// running again only what changed. See "dibgraph help".
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/sandbox"
	"github.com/dibgraph/dibgraph/steps"
	"github.com/dibgraph/dibgraph/steps/helper"
)

// Exit statuses. They are part of the interface; every long help lists them.
const (
	exitDone        = 0
	exitFailed      = 1 // a node failed, or what was asked for is not so
	exitUsage       = 2
	exitInvalid     = 3 // the definition, an element or a configuration file is invalid
	exitCache       = 4 // the store cannot be used
	exitDiverged    = 5 // a node that ran again left something else than is recorded
	exitUncached    = 6 // --require-cached, and something is not
	exitDamaged     = 7 // cache verify found damage
	exitInterrupted = 130
)

const exitHelp = `
EXIT STATUS
  0    done
  1    a node failed, something needed is missing, or lint found something
  2    wrong usage
  3    the definition, an element or a configuration file is invalid
  4    the local store cannot be used
  5    a node run again by --check left something else than is recorded
  6    a node is not cached, and --require-cached was given
  7    cache verify found damage in the local store
  130  interrupted
`

func main() {
	// A process that was made to be the first one of a sandbox stays here.
	sandbox.MaybeRun()
	os.Exit(run(os.Args))
}

// run is main without the exit, so that tests can run the program as well.
func run(args []string) int {
	if name := filepath.Base(args[0]); name == filepath.Base(steps.HelperPath) && len(args) > 1 {
		return helper.Main(args[1], args[2:], os.LookupEnv, os.Stdout, os.Stderr)
	}
	collectLess()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if name, ok := dropInName(args[0]); ok {
		return runDropIn(ctx, name, args[1:])
	}
	root := newRootCommand()
	finish := addProfileFlag(root)
	root.SetArgs(args[1:])
	err := root.ExecuteContext(ctx)
	if unwritten := finish(); err == nil {
		err = unwritten
	}
	return report(ctx, err)
}

// report prints an error, once, and returns the exit status that belongs to it.
func report(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "dibgraph: interrupted")
		return exitInterrupted
	}
	if list, ok := err.(*listError); ok { //nolint:errorlint // it is at the top or not there
		status := exitDone
		for _, one := range list.errs {
			status = report(ctx, one)
		}
		return status
	}
	var (
		usage  *usageError
		quiet  *statusError
		node   *graph.NodeError
		hinted *hintError
	)
	if errors.As(err, &quiet) && quiet.message == "" {
		return quiet.status
	}
	if problems := elements.Problems(err); len(problems) > 0 {
		for _, p := range problems {
			fmt.Fprintln(os.Stderr, "dibgraph:", p)
			if p.Hint != "" {
				fmt.Fprintln(os.Stderr, "dibgraph: hint:", p.Hint)
			}
		}
		return exitInvalid
	}
	fmt.Fprintln(os.Stderr, "dibgraph:", err)
	if errors.As(err, &hinted) {
		fmt.Fprintln(os.Stderr, "dibgraph: hint:", hinted.hint)
	}
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &node):
		return exitFailed
	case errors.Is(err, cache.ErrVersion), errors.Is(err, cache.ErrForeign):
		return exitCache
	case errors.As(err, &quiet):
		return quiet.status
	}
	return exitFailed
}

// A usageError is a command line that makes no sense.
type usageError struct{ error }

// A statusError ends the program with a status; without a message silently.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string { return e.message }

// A hintError says what to do about an error.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }
