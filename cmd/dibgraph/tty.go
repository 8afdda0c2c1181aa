package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// ttyProgress keeps one live region at the bottom of a terminal: a line of
// totals, then a line for each running node. What has run scrolls above it.
type ttyProgress struct {
	w     io.Writer
	size  func() (width, height int)
	since time.Time
	image string

	mu               sync.Mutex
	total, hits, ran int
	running          []*runningNode
	waiting          []waitingNode
	drawn            int // lines of the region now on the screen
	stop             chan struct{}
	stopped          sync.WaitGroup
}

// A waitingNode waits for another process, or for what runs for another image.
type waitingNode struct{ name, forWhom string }

type runningNode struct {
	name  string
	since time.Time
	log   string
}

// redrawEvery is often enough for a clock with tenths, and cheap.
const redrawEvery = 100 * time.Millisecond

func newTTYProgress(w io.Writer, size func() (int, int)) *ttyProgress {
	return &ttyProgress{w: w, size: size}
}

func (p *ttyProgress) started() time.Time { return p.since }

func (p *ttyProgress) begin(image string) {
	p.image, p.since = image, time.Now()
	p.stop = make(chan struct{})
	p.stopped.Go(func() {
		tick := time.NewTicker(redrawEvery)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				p.mu.Lock()
				p.redraw("")
				p.mu.Unlock()
			}
		}
	})
}

func (p *ttyProgress) notice(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop == nil {
		fmt.Fprintln(p.w, "note:", text)
		return
	}
	p.redraw("note: " + text)
}

func (p *ttyProgress) renamed(from, to string) { p.notice(renamedText(from, to)) }

func (p *ttyProgress) event(e graph.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := e.(type) {
	case graph.Planned:
		p.total = len(e.Nodes)
	case graph.Waiting:
		whom := "another process"
		if e.For != nil {
			whom = e.For.Image
		}
		p.waiting = append(p.waiting, waitingNode{e.Node.Name, whom})
	case graph.Started:
		p.forget(e.Node.Name)
		p.running = append(p.running, &runningNode{e.Node.Name, e.At, e.Log})
	case graph.Rechecking:
		p.forget(e.Node.Name)
		p.running = append(p.running, &runningNode{e.Node.Name, e.At, e.Log})
	case graph.Finished:
		p.forget(e.Result.Node.Name)
		switch e.Result.Status {
		case graph.Hit:
			p.hits++
			if e.Result.Recheck == nil {
				return // hits are counted, not listed
			}
		case graph.Ran:
			p.ran++
		}
		p.redraw(finishedLine(e.Result))
	}
}

func (p *ttyProgress) forget(name string) {
	p.running = slices.DeleteFunc(p.running, func(r *runningNode) bool { return r.name == name })
	p.waiting = slices.DeleteFunc(p.waiting, func(w waitingNode) bool { return w.name == name })
}

func (p *ttyProgress) end(b *cache.Build) { p.close(summaryLine(b)) }

func (p *ttyProgress) part(b *cache.Build) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.redraw(summaryLine(b))
}

func (p *ttyProgress) close(text string) {
	close(p.stop)
	p.stopped.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running, p.waiting, p.stop = nil, nil, nil
	p.clear()
	fmt.Fprintln(p.w, text)
}

func (p *ttyProgress) checked(c checkReport) { fmt.Fprintln(p.w, c.line()) }

// redraw prints a line above the region, if there is one, and the region.
func (p *ttyProgress) redraw(above string) {
	width, height := p.size()
	lines := p.region(time.Now())
	if limit := max(height-2, 1); len(lines) > limit {
		lines = append(lines[:limit-1], fmt.Sprintf("  … and %d more", len(lines)-limit+1))
	}
	var out strings.Builder
	out.WriteString(p.clearText())
	if above != "" {
		out.WriteString(above + "\n")
	}
	for _, l := range lines {
		out.WriteString(cut(l, width) + "\n")
	}
	p.drawn = len(lines)
	io.WriteString(p.w, out.String())
}

// clear removes the region from the screen.
func (p *ttyProgress) clear() {
	io.WriteString(p.w, p.clearText())
	p.drawn = 0
}

func (p *ttyProgress) clearText() string {
	if p.drawn == 0 {
		return ""
	}
	// Up to the first line of the region, then erase to the end of the screen.
	return fmt.Sprintf("\x1b[%dA\x1b[J", p.drawn)
}

func (p *ttyProgress) region(now time.Time) []string {
	lines := []string{fmt.Sprintf("%s  %s  %d of %d nodes: %d hits, %d ran", p.image, clock(now.Sub(p.since)), p.hits+p.ran, p.total, p.hits, p.ran)}
	for _, r := range p.running {
		line := fmt.Sprintf("  %s %s", clock(now.Sub(r.since)), r.name)
		if last := lastLine(r.log); last != "" {
			line += "  " + last
		}
		lines = append(lines, line)
	}
	for _, w := range p.waiting {
		lines = append(lines, "  waiting for "+w.forWhom+" to build "+w.name)
	}
	return lines
}

// clock writes an elapsed time in a fixed width.
func clock(d time.Duration) string {
	if d < 100*time.Second {
		return fmt.Sprintf("%5.1fs", d.Seconds())
	}
	return fmt.Sprintf("%2dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}

// lastLine returns the last line of a log that is being written.
func lastLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "" // the node has just finished
	}
	defer f.Close()
	const window = 1024 // more than a terminal's line
	var buffer [window]byte
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	n, _ := f.ReadAt(buffer[:], max(info.Size()-window, 0))
	text := strings.TrimRight(string(buffer[:n]), "\r\n")
	text = text[strings.LastIndexAny(text, "\r\n")+1:]
	return printable(text)
}

// printable replaces what would move the cursor.
func printable(s string) string {
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s), "?")
}

// cut shortens a line to a terminal's width, so that it takes one line.
func cut(s string, width int) string {
	runes := []rune(s)
	if len(runes) < width {
		return s
	}
	return string(runes[:max(width-2, 0)]) + "…"
}
