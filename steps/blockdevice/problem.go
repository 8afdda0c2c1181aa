package blockdevice

import (
	"errors"
	"fmt"
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

// problems collects what is wrong, so that all of it is reported at once.
type problems struct {
	file string
	all  []error
}

func (p *problems) add(line int, format string, args ...any) {
	p.all = append(p.all, &Problem{File: p.file, Line: line, Message: fmt.Sprintf(format, args...)})
}

func (p *problems) err() error { return errors.Join(p.all...) }
