package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/compat"
	"github.com/dibgraph/dibgraph/internal/qemu"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// compatVariable makes the suite run: its value is the name of a file for the
// table, or "-" for none.
const compatVariable = "DIBGRAPH_COMPAT"

// compatReference names a directory where the store and what diskimage-builder
// made are kept: the next run compares with that. Without it nothing is kept.
const compatReference = "DIBGRAPH_COMPAT_REFERENCE"

// A compatCase is an image of the original's elements that both programs build.
type compatCase struct {
	name string
	// program is diskImageCreate unless it says another one.
	program  string
	elements []string
	options  []string // besides -o
	env      []string // besides what all images have
	// files are written before, below the directory of the case, which is $CASE in
	// elements, options and variables.
	files map[string]string
	// given makes what cannot be written as a file.
	given func(*compatSite)
	// small puts a base system in the place of debian-minimal that is made once.
	small bool
	// boots says with what firmware the disk of dibgraph boots.
	boots []qemu.Firmware
	// alone says why diskimage-builder itself cannot build this here.
	alone string
	// impossible says why nobody can build this here.
	impossible string
	// notYet says what dibgraph or this suite does not do yet.
	notYet string
}

// Elements of diskimage-builder, as Debian ships them, give the image that
// diskimage-builder makes of them, but for differences that are listed.
func TestCompat(t *testing.T) {
	requireCompat(t)
	shared := compatShared(t)
	var table compatTable
	t.Cleanup(func() { table.report(t) })
	for _, c := range compatCases() {
		t.Run(c.name, func(t *testing.T) {
			row := compatRow{compatCase: &c}
			defer func() {
				if t.Failed() {
					row.result = compatFails
				}
				table.add(row)
			}()
			c.try(t, shared, &row)
		})
	}
}

func requireCompat(t *testing.T) {
	t.Helper()
	if os.Getenv(compatVariable) == "" {
		t.Skip("only in make compat: it needs hours, and Debian's mirrors")
	}
	testroot.Require(t)
	testroot.CheckMounts(t)
	if _, err := os.Stat(foreignElements); err != nil {
		t.Fatalf("python3-diskimage-builder is not installed: %v", err)
	}
}

// try builds the image of a case with both programs, and says what came of it.
func (c *compatCase) try(t *testing.T, shared string, row *compatRow) {
	if c.impossible != "" {
		row.result, row.note = compatUntested, c.impossible
		return
	}
	if c.notYet != "" {
		row.result, row.note = compatNotYet, c.notYet
		return
	}
	s := newCompatSite(t, c, shared)
	start := time.Now()
	s.dibgraph()
	row.ours = time.Since(start)
	s.dibgraphAgain()
	for _, firmware := range c.boots {
		s.boots(firmware)
	}
	if c.alone != "" {
		row.result, row.note = compatAlone, c.alone
		return
	}
	row.theirs = s.diskimageBuilder()
	row.result, row.compared = compatWorks, s.compare()
	for _, line := range row.compared.Unexplained {
		t.Errorf("differs: %s", line)
	}
}

// What a case came to.
const (
	compatWorks    = "works"
	compatAlone    = "works, not compared"
	compatFails    = "differs"
	compatNotYet   = "not yet"
	compatUntested = "cannot be tested here"
)

// A compatRow is a line of the table.
type compatRow struct {
	*compatCase
	result, note string
	compared     compat.Result
	ours, theirs time.Duration
}

// A compatTable collects rows. It may be used concurrently.
type compatTable struct {
	mu   sync.Mutex
	rows []compatRow
}

func (table *compatTable) add(row compatRow) {
	table.mu.Lock()
	defer table.mu.Unlock()
	table.rows = append(table.rows, row)
}

// report logs the table, and writes it to the file that was asked for.
func (table *compatTable) report(t *testing.T) {
	var out strings.Builder
	out.WriteString("| case | elements | result | files | expected differences |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range table.rows {
		files := ""
		if r.compared.Files > 0 {
			files = fmt.Sprint(r.compared.Files)
		}
		result := r.result
		if r.note != "" {
			result += ": " + r.note
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", r.name, strings.Join(r.elements, " "), result, files, expected(r.compared))
		t.Logf("%s: %s, dibgraph %s, diskimage-builder %s", r.name, r.result, r.ours.Round(time.Second), r.theirs.Round(time.Second))
	}
	t.Log("\n" + out.String())
	if file := os.Getenv(compatVariable); file != "-" {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// expected counts the differences that rules explain.
func expected(r compat.Result) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(r.Explained)) {
		list = append(list, fmt.Sprintf("%d %s", r.Explained[name], name))
	}
	return strings.Join(list, ", ")
}
