package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

// dropInErrors is the standard error that the program was started with, while
// nobody sees what is written to the present one; nil otherwise.
var dropInErrors *os.File

// A dropInLog takes everything that is printed, by this process and what it
// starts, and writes it as lines with the time.
type dropInLog struct {
	outputs []lineOutput
	file    *os.File // the log file, if there is one
	pipe    *os.File // what standard output and error are meanwhile
	done    chan error
	// What they were.
	stdout, stderr *os.File
}

// A lineOutput is where lines go.
type lineOutput struct {
	w     io.Writer
	times bool
}

// openDropInLog turns standard output and error into the log: to the standard
// output unless DIB_QUIET or a file say otherwise, and to the file.
func openDropInLog(file string) (*dropInLog, error) {
	l := &dropInLog{stdout: os.Stdout, stderr: os.Stderr, done: make(chan error, 1)}
	quiet, given := os.LookupEnv("DIB_QUIET")
	if file != "" {
		fmt.Println("Output logs going to:", file)
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, fmt.Errorf("open the log file: %w", err)
		}
		l.file = f
		l.outputs = append(l.outputs, lineOutput{f, true})
		if !given || quiet == "" {
			quiet = "1"
		}
	}
	if quiet != "1" {
		l.outputs = append(l.outputs, lineOutput{l.stdout, os.Getenv("DIB_NO_TIMESTAMP") != "1"})
	} else {
		dropInErrors = l.stderr
	}
	from, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l.pipe = to
	os.Stdout, os.Stderr = to, to
	go func() { l.done <- errors.Join(l.copy(from), from.Close()) }()
	return l, nil
}

// close ends the log: everything is written, and the standard output and error
// are what they were.
func (l *dropInLog) close() error {
	os.Stdout, os.Stderr = l.stdout, l.stderr
	dropInErrors = nil
	err := errors.Join(l.pipe.Close(), <-l.done)
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	if err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}

// unwanted are the lines of shells about their own tracing.
var unwanted = regexp.MustCompile(`set \+o|xtrace`)

// copy writes lines until there are no more. It goes on when they cannot be
// written, so that nobody who prints has to wait; the first error is returned.
func (l *dropInLog) copy(from io.Reader) (failed error) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" && !unwanted.MatchString(line) {
			failed = errors.Join(failed, l.write(line, time.Now()))
			if failed != nil {
				l.outputs = nil
			}
		}
		if errors.Is(err, io.EOF) {
			return failed
		}
		if err != nil {
			return errors.Join(failed, err)
		}
	}
}

func (l *dropInLog) write(line string, at time.Time) error {
	line = strings.TrimSuffix(line, "\n") + "\n"
	timed := at.UTC().Format("2006-01-02 15:04:05.000") + " | " + line
	var errs []error
	for _, o := range l.outputs {
		text := line
		if o.times {
			text = timed
		}
		_, err := io.WriteString(o.w, text)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
