package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// reportFiles are the files that a build is reported in when it ends.
type reportFiles struct{ reports, traces []string }

func (f *reportFiles) addFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.reports, "report", nil, "when the build ends, also if it fails, write `FILE`.html, a page to read, or FILE.json; repeatable")
	flags.StringArrayVar(&f.traces, "trace", nil, "when the build ends, also if it fails, write its times to `FILE` for Perfetto or chrome://tracing")
}

// check finds files that cannot be written, before anything runs.
func (f *reportFiles) check(dryRun bool) error {
	for _, name := range f.reports {
		if suffix := filepath.Ext(name); suffix != ".html" && suffix != ".json" {
			return &usageError{fmt.Errorf("--report %q: want a name that ends in .html or .json", name)}
		}
	}
	all := append(f.named("--report ", f.reports), f.named("--trace ", f.traces)...)
	if dryRun && len(all) > 0 {
		return &hintError{&usageError{fmt.Errorf("%s: --dry-run builds nothing that could be reported", all[0].flag)}, `"dibgraph graph --html" makes a page of what a build would do`}
	}
	for _, file := range all {
		if err := checkTarget(file.name); err != nil {
			return &usageError{fmt.Errorf("%s: %w", file.flag, err)}
		}
	}
	return nil
}

type namedFile struct{ flag, name string }

func (f *reportFiles) named(flag string, names []string) []namedFile {
	var all []namedFile
	for _, name := range names {
		all = append(all, namedFile{fmt.Sprintf("%s%q", flag, name), name})
	}
	return all
}

// write writes all files, of the report that get makes if there are any. Each is
// tried, whatever becomes of the others.
func (f *reportFiles) write(get func() *reports.Report) error {
	if len(f.reports)+len(f.traces) == 0 {
		return nil
	}
	r := get()
	var errs []error
	for _, name := range f.reports {
		write := r.WriteJSON
		if strings.HasSuffix(name, ".html") {
			write = r.WriteHTML
		}
		errs = append(errs, writeTarget(name, write))
	}
	for _, name := range f.traces {
		errs = append(errs, writeTarget(name, r.WriteTrace))
	}
	return errors.Join(errs...)
}

// checkTarget says why a file could not be written.
func checkTarget(name string) error {
	dir := filepath.Dir(name)
	switch info, err := os.Stat(dir); {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no directory", dir)
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory", name)
	}
	return nil
}

// writeTarget makes a file, which gets its name when it is whole. What is there
// and no regular file, such as a pipe, is written to.
func writeTarget(name string, write func(io.Writer) error) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target // the link stays
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := wholefile.Create(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	// The usual mode: reports hold no secrets.
	if err := errors.Join(write(f), f.Chmod(0o644)); err != nil {
		return fmt.Errorf("write %s: %w", name, errors.Join(err, f.Discard()))
	}
	if err := f.Publish(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
