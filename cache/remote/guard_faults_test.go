package remote

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

var errDisk = errors.New("the disk broke")

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errDisk }
func (brokenBody) Close() error             { return nil }

// What cannot be read here is no reason to leave the remote out.
func TestGuardDoesNotBlameTheRemoteForTheBody(t *testing.T) {
	for name, body := range map[string]func() (io.ReadCloser, error){
		"not opened": func() (io.ReadCloser, error) { return nil, errDisk },
		"not read":   func() (io.ReadCloser, error) { return brokenBody{}, nil },
	} {
		g := NewGuard(&flaky{}, quick(GuardOptions{}))
		for range 5 {
			if err := g.Upload(t.Context(), Content{Size: 4}, body); !errors.Is(err, errDisk) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if g.LeftOut() || g.Stats().Requests != 5 {
			t.Errorf("%s: left out: %t, %d requests", name, g.LeftOut(), g.Stats().Requests)
		}
	}
}

// A silent remote opens every content, and none of them has a byte.
type silent struct {
	Remote
	opened int
}

func (s *silent) String() string { return "test:silent" }

func (s *silent) Open(ctx context.Context, _ Content, _, _ int64) (io.ReadCloser, error) {
	s.opened++
	return io.NopCloser(untilEnd{ctx}), nil
}

type untilEnd struct{ ctx context.Context }

func (u untilEnd) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err() // as some transports do, which do not know why
}

// A stream that stalls is opened once more, in case its connection has died.
func TestGuardOpensAgainWhatStalls(t *testing.T) {
	s := &silent{}
	g := NewGuard(s, quick(GuardOptions{Retries: 5, Idle: time.Millisecond}))
	r, err := g.Open(t.Context(), Content{Size: 4}, 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !errors.Is(err, errStalled) || s.opened != 2 {
		t.Errorf("read: %v after it was opened %d times", err, s.opened)
	}
}

func TestGuardLeavesOutWhatOpensAndIsSilent(t *testing.T) {
	s := &silent{}
	g := NewGuard(s, quick(GuardOptions{Retries: -1, Idle: time.Millisecond}))
	for range failuresAllowed {
		r, err := g.Open(t.Context(), Content{Size: 4}, 0, 4)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); err == nil || !strings.Contains(err.Error(), "nothing came") {
			t.Errorf("read: %v", err)
		}
		r.Close()
	}
	if _, err := g.Open(t.Context(), Content{Size: 4}, 0, 4); !errors.Is(err, ErrLeftOut) || s.opened != failuresAllowed {
		t.Errorf("open: %v after %d", err, s.opened)
	}
}

// Who reads may be slow: between two reads no clock is running.
func TestGuardWaitsForTheReader(t *testing.T) {
	g := NewGuard(&flaky{data: "data"}, quick(GuardOptions{}))
	r, err := g.Open(t.Context(), Content{Size: 4}, 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 2 {
		if r.(*resumed).timer.Stop() {
			t.Error("a clock is running while nobody reads")
		}
		if _, err := r.Read(make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
	}
}

// A hangup closes the body in the middle, reads on, and says that the connection
// was cut.
type hangup struct {
	Remote
	calls int
}

func (h *hangup) String() string { return "test:hangup" }

func (h *hangup) Upload(_ context.Context, _ Content, body func() (io.ReadCloser, error)) error {
	h.calls++
	b, err := body()
	if err != nil {
		return err
	}
	b.Close()
	if _, err := b.Read(make([]byte, 1)); err == nil {
		return errors.New("a closed body was read")
	}
	return errDown
}

// A body that the remote's failure closed is no failure of the body.
func TestGuardTriesUploadsThatWereCutOff(t *testing.T) {
	h := &hangup{}
	g := NewGuard(h, quick(GuardOptions{}))
	err := g.Upload(t.Context(), Content{Size: 4}, func() (io.ReadCloser, error) { return brokenBody{}, nil })
	if !errors.Is(err, errDown) || h.calls != 3 || g.failures != 1 {
		t.Errorf("%v after %d calls, %d failures", err, h.calls, g.failures)
	}
}
