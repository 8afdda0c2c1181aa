package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// dropInProgress shows what runs, and while it runs what it prints, as
// diskimage-builder does.
type dropInProgress struct {
	plainProgress
	w         io.Writer
	followers map[*graph.Node]*follower
}

func (p *dropInProgress) begin(image string) {
	p.plainProgress = plainProgress{w: p.w}
	p.followers = make(map[*graph.Node]*follower)
	p.plainProgress.begin(image)
}

func (p *dropInProgress) notice(text string) { fmt.Fprintln(p.w, "note:", text) }

func (p *dropInProgress) renamed(from, to string) {
	fmt.Fprintf(p.w, "Old image found. Renaming it to %s\n", to)
}

func (p *dropInProgress) event(e graph.Event) {
	switch e := e.(type) {
	case graph.Started:
		p.plainProgress.event(e)
		p.followers[e.Node] = follow(e.Log, p.w)
		return
	case graph.Finished:
		if f := p.followers[e.Result.Node]; f != nil {
			f.end()
			delete(p.followers, e.Result.Node)
		}
	}
	p.plainProgress.event(e)
}

func (p *dropInProgress) end(b *cache.Build) {
	for _, f := range p.followers { // of nodes that were stopped
		f.end()
	}
	p.plainProgress.w = p.w
	p.plainProgress.end(b)
}

// A follower copies a file that is being written, line by line.
type follower struct {
	stop chan struct{}
	done sync.WaitGroup
}

// lookEvery is how often a follower looks for more.
const lookEvery = 100 * time.Millisecond

// follow begins to copy a file. One that cannot be read is not: it is only
// shown.
func follow(name string, w io.Writer) *follower {
	f := &follower{stop: make(chan struct{})}
	file, err := os.Open(name)
	if err != nil {
		return f
	}
	f.done.Go(func() {
		defer file.Close()
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		var kept []byte // the beginning of a line
		for ending := false; ; {
			more, err := io.ReadAll(file)
			kept = copyLines(w, append(kept, more...))
			if ending || err != nil && !errors.Is(err, io.EOF) {
				if len(kept) > 0 {
					fmt.Fprintf(w, "%s\n", kept)
				}
				return
			}
			select {
			case <-f.stop:
				ending = true
			case <-tick.C:
			}
		}
	})
	return f
}

// end copies what is left, when nothing is written any more.
func (f *follower) end() {
	close(f.stop)
	f.done.Wait()
}

// copyLines writes the whole lines of a text and returns what is left of it.
func copyLines(w io.Writer, text []byte) []byte {
	at := bytes.LastIndexByte(text, '\n') + 1
	// Nothing better can be done about an output that is gone than to go on.
	_, _ = w.Write(text[:at])
	return text[at:]
}
