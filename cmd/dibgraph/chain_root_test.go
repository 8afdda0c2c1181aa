package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// chainLength is beyond the 200 layers from which on the lowest are merged, and
// far enough for a second merged prefix to be needed after a change.
const chainLength = 260

// A chain of layers that no overlay should mount one by one builds, is right,
// and is rebuilt from any place of it.
func TestDeepChain(t *testing.T) {
	p := newProgram(t)
	for i := range chainLength {
		p.write(hookInChain(i), chainHook(i, "first"))
	}
	build := []string{"build", "-n", "-t", "tar", "tiny", "app"}
	started := time.Now()
	p.run(build...)
	whole := time.Since(started)
	p.checkChain(func(int) string { return "first" })

	started = time.Now()
	if _, stderr := p.run(build...); !strings.Contains(stderr, "nothing ran") {
		t.Errorf("a second build ran something:\n%s", stderr)
	}
	null := time.Since(started)

	const changed = 250
	p.write(hookInChain(changed), chainHook(changed, "second"))
	started = time.Now()
	_, stderr := p.run(build...)
	// The hook, those after it, the disk, and two environments.
	if want := fmt.Sprintf("image: %d ran", chainLength-changed+3); !strings.Contains(stderr, want) {
		t.Errorf("after a change %q is not in:\n%s", want, stderr)
	}
	p.checkChain(func(i int) string {
		if i == changed {
			return "second"
		}
		return "first"
	})
	t.Logf("%d hooks: %v, nothing changed %v, one changed %v", chainLength, whole, null, time.Since(started))
}

func hookInChain(i int) string { return fmt.Sprintf("elements/app/install.d/%03d-hook", i+100) }

// chainHook writes a file of its own, adds to one that all share, replaces what
// the one before it made, and removes what the one before that left.
func chainHook(i int, text string) string {
	return fmt.Sprintf(`#!/bin/sh
set -e
mkdir -p /srv/chain/%[1]d
echo %[2]s > /srv/chain/%[1]d/own
echo %[1]d >> /srv/all
echo %[1]d > /srv/last
rm -rf /srv/tail-%[3]d
mkdir /srv/tail-%[1]d
`, i, text, i-2)
}

// checkChain checks what a chain of hooks left in the image.
func (p *program) checkChain(text func(i int) string) {
	p.t.Helper()
	p.tool("rm", "-rf", "tree")
	p.tool("mkdir", "tree")
	p.tool("tar", "-C", "tree", "-xf", "image.tar", "./srv")
	var all strings.Builder
	for i := range chainLength {
		fmt.Fprintln(&all, i)
		if got, want := p.read(fmt.Sprintf("tree/srv/chain/%d/own", i)), text(i)+"\n"; got != want {
			p.t.Errorf("hook %d left %q, want %q", i, got, want)
		}
	}
	if got := p.read("tree/srv/all"); got != all.String() {
		p.t.Errorf("the file of all hooks is %q", got)
	}
	if got, want := p.read("tree/srv/last"), fmt.Sprintln(chainLength-1); got != want {
		p.t.Errorf("the file of the last hook is %q, want %q", got, want)
	}
	want := fmt.Sprintf("all chain last tail-%d tail-%d", chainLength-2, chainLength-1)
	if got := strings.Join(strings.Fields(p.tool("ls", "tree/srv")), " "); got != want {
		p.t.Errorf("srv holds %q, want %q", got, want)
	}
}
