package blockdevice

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// A Problem is something wrong with a layout.
type Problem struct {
	File    string
	Line    int // 0: the layout as a whole
	Message string
}

// Error returns "file:line: message".
func (p *Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// problems collects what is wrong, so that all of it is reported at once, and what is
// only remarkable.
type problems struct {
	file    string
	all     []*Problem
	notices []string
}

func (p *problems) notice(line int, format string, args ...any) {
	p.notices = append(p.notices, fmt.Sprintf("%s:%d: %s", p.file, line, fmt.Sprintf(format, args...)))
}

func (p *problems) add(line int, format string, args ...any) {
	p.all = append(p.all, &Problem{File: p.file, Line: line, Message: fmt.Sprintf(format, args...)})
}

// err returns all problems in the order of the file, those of the layout as a
// whole last.
func (p *problems) err() error {
	slices.SortStableFunc(p.all, func(a, b *Problem) int {
		// 0 becomes the biggest number there is.
		return cmp.Compare(uint(a.Line)-1, uint(b.Line)-1)
	})
	var errs []error
	for _, problem := range p.all {
		errs = append(errs, problem)
	}
	return errors.Join(errs...)
}
