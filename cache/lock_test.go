package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func init() {
	// lock takes the lock of the key "k", says so, and holds it until its input
	// ends.
	helpers["lock"] = func(args []string) error {
		s, err := Open(args[0], Options{})
		if err != nil {
			return err
		}
		defer s.Close()
		unlock, err := s.Lock(context.Background(), KeyOf("k"), func() { fmt.Println("waiting") })
		if err != nil {
			return err
		}
		defer unlock()
		fmt.Println("locked")
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	}
}

// A holder is another process with the lock.
type holder struct {
	out  io.Reader
	in   io.Closer
	kill func() error
	wait func() error
}

func startHolder(t *testing.T, dir string) *holder {
	t.Helper()
	cmd := helperCommand(t, "lock", dir)
	in := must[io.WriteCloser](t)(cmd.StdinPipe())
	out := must[io.ReadCloser](t)(cmd.StdoutPipe())
	check(t, cmd.Start())
	return &holder{out, in, cmd.Process.Kill, cmd.Wait}
}

// expect reads one line of the holder.
func (h *holder) expect(t *testing.T, line string) {
	t.Helper()
	got := make([]byte, len(line)+1)
	if _, err := io.ReadFull(h.out, got); err != nil || string(got) != line+"\n" {
		t.Fatalf("the holder says %q (%v), want %q", got, err, line)
	}
}

func TestLockBetweenProcesses(t *testing.T) {
	s := newStore(t)
	first := startHolder(t, s.Dir())
	first.expect(t, "locked")

	// Another key is free, this one is not.
	unlock := must[func()](t)(s.Lock(t.Context(), KeyOf("other"), func() { t.Error("waited for nobody") }))
	unlock()
	waited := make(chan struct{})
	locked := make(chan error)
	go func() {
		unlock, err := s.Lock(t.Context(), KeyOf("k"), func() { close(waited) })
		if err == nil {
			defer unlock()
		}
		locked <- err
	}()
	<-waited
	select {
	case err := <-locked:
		t.Fatalf("two hold the lock (%v)", err)
	default:
	}
	check(t, first.in.Close())
	check(t, <-locked)
	check(t, first.wait())

	// The other way round.
	unlock = must[func()](t)(s.Lock(t.Context(), KeyOf("k"), nil))
	second := startHolder(t, s.Dir())
	second.expect(t, "waiting")
	unlock()
	second.expect(t, "locked")
	check(t, second.in.Close())
	check(t, second.wait())
	if exists(s.hashPath(locksDir, KeyOf("k"))) {
		t.Error("the lock file is left")
	}
}

func TestLockOfKilledProcess(t *testing.T) {
	s := newStore(t)
	h := startHolder(t, s.Dir())
	h.expect(t, "locked")
	check(t, h.kill())
	if err := h.wait(); err == nil {
		t.Fatal("the holder was not killed")
	}
	unlock := must[func()](t)(s.Lock(t.Context(), KeyOf("k"), nil))
	unlock()
}

func TestLockCancelled(t *testing.T) {
	s := newStore(t)
	unlock := must[func()](t)(s.Lock(t.Context(), KeyOf("k"), nil))
	defer unlock()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := s.Lock(ctx, KeyOf("k"), func() { cancel(cause) })
	if !errors.Is(err, cause) {
		t.Errorf("error = %v, want the cause", err)
	}
}

func TestSameFile(t *testing.T) {
	path := t.TempDir() + "/lock"
	f := must[*os.File](t)(lockFile(path))
	defer f.Close()
	if !sameFile(f, path) {
		t.Error("the file is not the same as itself")
	}
	check(t, os.Remove(path))
	if sameFile(f, path) {
		t.Error("the same as no file")
	}
	check(t, os.WriteFile(path, nil, 0o600))
	if sameFile(f, path) {
		t.Error("the same as the one that came after it")
	}
}

// One at a time, whatever the order of taking, freeing and removing the file.
func TestLockExcludes(t *testing.T) {
	s := newStore(t)
	var group sync.WaitGroup
	var holders atomic.Int32 // the kernel's lock orders no memory for the race detector
	for range 8 {
		group.Go(func() {
			for range 20 {
				unlock, err := s.Lock(t.Context(), KeyOf("k"), nil)
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				runtime.Gosched()
				holders.Add(-1)
				unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("stuck")
	}
}
