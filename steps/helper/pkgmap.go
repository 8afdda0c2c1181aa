package helper

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// pkgMapMain writes every element's package map into a directory: as it is,
// and in lines.
func pkgMapMain(args []string, env Env, _ io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: pkg-map-compile DIR", errUsage)
	}
	set, err := elementSet(env)
	if err != nil {
		return err
	}
	files, err := sources(set, "pkg-map")
	if err != nil {
		return err
	}
	compiled := make([][]byte, len(files))
	var problems []error
	for i, src := range files {
		compiled[i], err = compilePkgMap(src)
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	for i, src := range files {
		path := filepath.Join(args[0], src.Element)
		if err := writeFile(path, src.Data); err != nil {
			return err
		}
		if err := writeFile(path+".tsv", compiled[i]); err != nil {
			return err
		}
	}
	return nil
}

// compilePkgMap turns one package map into lines of five fields: scope
// (default, family, distro or release), distribution or family, release, name,
// value. Fields that a scope does not have are empty.
func compilePkgMap(src source) ([]byte, error) {
	node, err := parseJSON(src.Path, src.Data)
	if err != nil {
		return nil, err
	}
	scopes, err := pairs(src.Path, "the package map", node)
	if err != nil {
		return nil, err
	}
	depths := map[string]int{"default": 0, "family": 1, "distro": 1, "release": 2}
	lines := &mapLines{file: src.Path}
	for _, scope := range scopes {
		depth, ok := depths[scope.Key]
		if !ok {
			continue // other keys are in use as comments
		}
		lines.walk(scope, depth, scope.Key)
	}
	return lines.out.Bytes(), errors.Join(lines.problems...)
}

// mapLines collects the lines of a package map and what is wrong with it.
type mapLines struct {
	file     string
	out      bytes.Buffer
	problems []error
}

func (m *mapLines) problem(line int, format string, args ...any) {
	m.problems = append(m.problems, fmt.Errorf("%s:%d: "+format, append([]any{m.file, line}, args...)...))
}

// walk descends depth levels of names below at, then writes the mappings.
func (m *mapLines) walk(at pair, depth int, fields ...string) {
	entries, err := pairs(m.file, fmt.Sprintf("%q", at.Key), at.Value)
	if err != nil {
		m.problems = append(m.problems, err)
		return
	}
	for _, e := range entries {
		if depth > 0 {
			m.walk(e, depth-1, append(fields[:len(fields):len(fields)], e.Key)...)
			continue
		}
		value, err := text(m.file, fmt.Sprintf("the package for %q", e.Key), e.Value)
		if err != nil {
			m.problems = append(m.problems, err)
			continue
		}
		m.line(e.Line, fields, e.Key, value)
	}
}

func (m *mapLines) line(number int, scope []string, name, value string) {
	fields := [5]string{3: name, 4: value}
	copy(fields[:3], scope)
	line := strings.Join(fields[:], "\t")
	if strings.Count(line, "\t") != 4 || strings.Contains(line, "\n") {
		m.problem(number, "a name cannot hold a tab or a line break")
		return
	}
	fmt.Fprintln(&m.out, line)
}
