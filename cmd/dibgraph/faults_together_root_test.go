package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// Builds of equal and of different images on one store, of which some are
// killed, while others trim the store all the time: those that are left alone
// succeed, and make the right images.
func TestFaultsTogether(t *testing.T) {
	testroot.Require(t)
	rounds := 2
	if faultcount.Full() {
		rounds = 20
	}
	c := newCrowd(t)
	for round := range rounds {
		c.round(round)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	if c.killed < rounds/2 {
		t.Errorf("only %d builds were killed in %d rounds", c.killed, rounds)
	}
	if c.trims < rounds {
		t.Errorf("only %d trims in %d rounds", c.trims, rounds)
	}
}

// variants is how many different images there are.
const variants = 3

// A crowd builds together.
type crowd struct {
	*program
	suite  *faultcount.Suite
	trees  [variants]map[string]string
	killed int
	trims  int
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{program: newProgram(t), suite: faultcount.New(t, "builds together")}
	for name, text := range long {
		c.write(name, text)
	}
	for v := range variants {
		c.write(fmt.Sprintf("elements/own%d/pre-install.d/50-own", v), fmt.Sprintf("#!/bin/sh\nset -e\necho %d > /etc/own\ncat /etc/turn >> /etc/own\n", v))
	}
	c.turn(0)
	for v := range variants {
		c.run(c.build(v, c.path("home/out"))...)
		c.trees[v] = c.tree(v, 0, c.path("home/out"))
		c.tool("rm", "-rf", "store", "home/out")
	}
	return c
}

func (c *crowd) build(variant int, out string) []string {
	c.t.Helper()
	if err := os.MkdirAll(out, 0o755); err != nil {
		c.t.Fatal(err)
	}
	return []string{"build", "--jobs", "2", "-n", "-t", "raw,tar", "-o", out + "/image", "tiny", "app", fmt.Sprintf("own%d", variant)}
}

// tree describes an image without what the turn makes of it, which is looked at.
func (c *crowd) tree(variant, turn int, out string) map[string]string {
	c.t.Helper()
	dir := c.t.TempDir()
	defer os.RemoveAll(dir)
	tree := describeTar(c.program, dir, filepath.Join(out, "image.tar"))
	for name, want := range map[string]string{"etc/turn": fmt.Sprintf("turn %d\n", turn), "etc/own": fmt.Sprintf("%d\nturn %d\n", variant, turn)} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			c.suite.Wrong(c.t, "%s of image %d is %q, want %q (%v)", name, variant, got, want, err)
		}
		delete(tree, name)
	}
	return tree
}

// A member is a build of the crowd.
type member struct {
	cmd     *exec.Cmd
	said    bytes.Buffer
	variant int
	out     string
	killed  bool
}

// round runs two to eight builds to their ends.
func (c *crowd) round(round int) {
	c.t.Helper()
	c.turn(round)
	members := make([]*member, 2+rand.IntN(7))
	if !faultcount.Full() {
		members = members[:2]
	}
	stop, trimming := make(chan bool), sync.WaitGroup{}
	trimming.Go(func() { c.trimUntil(stop) })
	for i := range members {
		c.suite.Case()
		m := &member{variant: rand.IntN(variants), out: c.path(fmt.Sprintf("home/out%d", i))}
		args := c.build(m.variant, m.out)
		if rand.IntN(3) == 0 { // trims by itself, while it writes
			args = append(args, "--cache-max-size", "10MB")
		}
		m.cmd = c.command(args...)
		m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		m.cmd.Stderr = &m.said
		if err := m.cmd.Start(); err != nil {
			c.t.Fatal(err)
		}
		members[i] = m
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
	}
	c.killSome(round, members)
	for _, m := range members {
		c.finish(round, m)
	}
	close(stop)
	trimming.Wait()
	c.checkAfter()
}

// killSome kills about every third build, and one at least.
func (c *crowd) killSome(round int, members []*member) {
	for i, m := range members {
		if (i+round)%3 != 0 {
			continue
		}
		time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
		m.killed = true
		c.killed++
		if rand.IntN(2) == 0 {
			_ = syscall.Kill(-m.cmd.Process.Pid, syscall.SIGKILL) // ended, perhaps
		} else {
			_ = m.cmd.Process.Kill()
		}
	}
}

func (c *crowd) trimUntil(stop chan bool) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		c.trims++
		// Over the limit is what running builds use.
		said, err := c.output("cache", "trim", "--max-size", "1MB")
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || !bytes.Contains([]byte(said), []byte("over the limit"))) {
			c.suite.Wrong(c.t, "trim: %v\n%s", err, said)
		}
	}
}

// finish waits for a build and looks at what it made.
func (c *crowd) finish(round int, m *member) {
	c.t.Helper()
	hung := time.AfterFunc(5*time.Minute, func() { _ = m.cmd.Process.Kill() })
	err := m.cmd.Wait()
	if !hung.Stop() {
		c.suite.Wrong(c.t, "a build hung:\n%s", &m.said)
	}
	if err != nil && !m.killed {
		c.suite.Wrong(c.t, "image %d: %v\n%s", m.variant, err, &m.said)
	}
	raw, tar := filepath.Join(m.out, "image.raw"), filepath.Join(m.out, "image.tar")
	if _, err := os.Lstat(raw); err == nil {
		c.tool("e2fsck", "-fn", raw)
	} else if !m.killed {
		c.suite.Wrong(c.t, "image %d: %v", m.variant, err)
	}
	if _, err := os.Lstat(tar); err == nil {
		if got := c.tree(m.variant, round, m.out); !equalTrees(c.t, got, c.trees[m.variant]) {
			c.suite.Wrong(c.t, "image %d is another one than that of a clean build", m.variant)
		}
	}
	c.tool("rm", "-rf", m.out)
}

// checkAfter checks what is left when all builds of a round have ended.
func (c *crowd) checkAfter() {
	c.t.Helper()
	for _, what := range c.leftBehind() {
		c.suite.Leak(c.t, "%s", what)
	}
	// What killed builds left goes when the store is opened the next time.
	if said, err := c.output("cache", "verify", "--full"); err != nil {
		c.suite.Wrong(c.t, "the store is not as it should be: %v\n%s", err, said)
	}
	for _, dir := range []string{"store/tmp", "store/trash", "store/pending"} {
		if litter := c.tool("find", dir, "-mindepth", "1"); litter != "" {
			c.suite.Leak(c.t, "in the store:\n%s", litter)
		}
	}
}
