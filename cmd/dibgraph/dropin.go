package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// Names under which the program is what diskimage-builder has under them.
const (
	diskImageCreate    = "disk-image-create"
	ramdiskImageCreate = "ramdisk-image-create"
)

// A dropIn is one call of the program under a name of diskimage-builder's: its
// options, the lines it prints, its files and its exit statuses.
type dropIn struct {
	name     string
	build    buildOptions
	elements []string
	logfile  string
	asked    string // "help" or "version", if that is all that is wanted
}

// runDropIn does what diskimage-builder does with these words, and returns the
// exit status.
func runDropIn(ctx context.Context, name string, args []string) int {
	d := newDropIn(name)
	if problems := d.parse(args); len(problems) > 0 {
		return d.refuse(problems)
	}
	switch d.asked {
	case "help":
		fmt.Print(dropInHelp(name))
		return exitDone
	case "version":
		fmt.Println(versionText())
		return exitDone
	}
	if os.Geteuid() != 0 && len(d.elements) > 0 {
		// Nobody is asked for a password for the sake of a mistake.
		if _, err := d.build.image.load(d.elements); err != nil {
			return d.report(ctx, err)
		}
		if err := d.becomeRoot(); err != nil {
			return d.report(ctx, err)
		}
	}
	log, err := openDropInLog(d.logfile)
	if err != nil {
		return d.report(ctx, err)
	}
	status := d.report(ctx, d.run(ctx))
	if err := log.close(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return max(status, exitFailed)
	}
	return status
}

// refuse says all that is wrong with a command line, also what can be told of
// the image in spite of it.
func (d *dropIn) refuse(problems []error) int {
	for _, p := range problems {
		fmt.Fprintf(os.Stderr, "%s: %v\n", d.name, p)
	}
	if len(d.elements) > 0 {
		if _, err := d.build.image.load(d.elements); err != nil {
			tellProblems(d.name, err)
		}
	}
	return exitFailed
}

// run builds the image.
func (d *dropIn) run(ctx context.Context) error {
	fmt.Println("diskimage-builder version", versionText(), "(dibgraph)")
	if len(d.elements) == 0 {
		return &statusError{exitFailed, "ERROR: At least one distribution root element must be specified"}
	}
	img, err := d.build.image.load(d.elements)
	if err != nil {
		return err
	}
	fmt.Println("Building elements:", strings.Join(img.Definition.Input(), " "))
	var names []string
	for _, e := range img.Elements {
		names = append(names, e.Name)
	}
	fmt.Println("Expanded element dependencies to:", strings.Join(names, " "))
	if err := d.build.configure(); err != nil {
		return err
	}
	fmt.Println("Building in", steps.BuildDir)
	if at := os.Getenv("break"); at != "" {
		fmt.Printf("note: break=%s stops nowhere: \"dibgraph shell NODE\" opens what any node finds or leaves, and what one that failed had found\n", at)
	}
	var made []string
	err = d.build.make(ctx, &dropInProgress{w: os.Stdout}, img, func(path string) { made = append(made, path) })
	if err := errors.Join(err, giveAway(img.Definition.OutputDir, made)); err != nil {
		return err
	}
	for _, t := range rawLast(img.Definition.Types) {
		if path := img.Definition.OutputPath(t); slices.Contains(made, path) && announced(t) {
			fmt.Printf("Image file %s created...\n", path)
		}
	}
	fmt.Println("Build completed successfully")
	return nil
}

// rawLast returns types in the order in which diskimage-builder makes them.
func rawLast(types []string) []string {
	ordered := slices.Clone(types)
	slices.SortStableFunc(ordered, func(a, b string) int {
		switch {
		case a != "raw" && b == "raw":
			return -1
		case a == "raw" && b != "raw":
			return 1
		}
		return 0
	})
	return ordered
}

// announced reports whether the file of a type is named when it is there. The
// others never were.
func announced(outputType string) bool {
	return !slices.Contains([]string{"aci", "docker", "squashfs", "tar"}, outputType)
}

// report prints an error, once, and returns the exit status that
// diskimage-builder has for it: that of the hook that failed, else 1.
func (d *dropIn) report(ctx context.Context, err error) int {
	var (
		quiet  *statusError
		hook   *steps.FailedError
		hinted *hintError
	)
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		tell("%s: interrupted\n", d.name)
		return exitInterrupted
	case tellProblems(d.name, err):
		return exitFailed
	case errors.As(err, &quiet):
		tell("%s\n", quiet.message)
	default:
		tell("%s: %v\n", d.name, err)
	}
	if errors.As(err, &hinted) {
		tell("%s: hint: %s\n", d.name, hinted.hint)
	}
	var node *graph.NodeError
	if errors.As(err, &node) && errors.As(node, &hook) && hook.Status > 0 {
		return hook.Status
	}
	return exitFailed
}

// tellProblems says what is wrong with a definition or an element; false if that
// is not what an error is about.
func tellProblems(name string, err error) bool {
	problems := elements.Problems(err)
	for _, p := range problems {
		tell("%s: %v\n", name, p)
		if p.Hint != "" {
			tell("%s: hint: %s\n", name, p.Hint)
		}
	}
	return len(problems) > 0
}

// dropInName returns the name of diskimage-builder's under which the program was
// called, if it was.
func dropInName(path string) (name string, ok bool) {
	name = filepath.Base(path)
	return name, name == diskImageCreate || name == ramdiskImageCreate
}

// tell prints on standard error, and where nothing else would be seen of it also
// on the one that the program was started with.
func tell(format string, args ...any) {
	var to io.Writer = os.Stderr
	if dropInErrors != nil {
		to = io.MultiWriter(os.Stderr, dropInErrors)
	}
	fmt.Fprintf(to, format, args...)
}
