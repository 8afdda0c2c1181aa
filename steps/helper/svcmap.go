package helper

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// svcMapMain merges the service maps of all elements into one.
func svcMapMain(args []string, env Env, _ io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: svc-map-merge FILE", errUsage)
	}
	set, err := elementSet(env)
	if err != nil {
		return err
	}
	files, err := sources(set, "svc-map")
	if err != nil {
		return err
	}
	m := &svcMap{names: map[string]map[string]string{}, from: map[string]string{}}
	var problems []error
	for _, src := range files {
		problems = append(problems, m.add(src))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	doc, err := yaml.Marshal(m.names)
	if err != nil {
		return err
	}
	if err := writeFile(args[0], doc); err != nil {
		return err
	}
	return writeFile(args[0]+".tsv", m.lines())
}

// A svcMap holds for each service its name by distribution, family or default,
// and the place that defines it.
type svcMap struct {
	names map[string]map[string]string
	from  map[string]string
}

// add merges one file. Two elements that define one service contradict each
// other even when they agree today.
func (m *svcMap) add(src source) error {
	node, err := parseYAML(src.Path, src.Data)
	if err != nil {
		return err
	}
	services, err := pairs(src.Path, "the service map", node)
	if err != nil {
		return err
	}
	var problems []error
	for _, s := range services {
		if first, ok := m.from[s.Key]; ok {
			problems = append(problems, fmt.Errorf("%s:%d: service %q is defined by %s already", src.Path, s.Line, s.Key, first))
			continue
		}
		m.from[s.Key] = fmt.Sprintf("%s:%d", src.Path, s.Line)
		problems = append(problems, m.service(src.Path, s))
	}
	return errors.Join(problems...)
}

func (m *svcMap) service(file string, s pair) error {
	names, err := pairs(file, fmt.Sprintf("service %q", s.Key), s.Value)
	if err != nil {
		return err
	}
	m.names[s.Key] = map[string]string{}
	for _, n := range names {
		real, err := text(file, fmt.Sprintf("service %q, %s", s.Key, n.Key), n.Value)
		if err != nil {
			return err
		}
		if strings.ContainsAny(s.Key+n.Key+real, "\t\n") {
			return fmt.Errorf("%s:%d: a name cannot hold a tab or a line break", file, n.Line)
		}
		m.names[s.Key][n.Key] = real
	}
	return nil
}

func (m *svcMap) lines() []byte {
	var out bytes.Buffer
	for _, service := range slices.Sorted(maps.Keys(m.names)) {
		for _, key := range slices.Sorted(maps.Keys(m.names[service])) {
			fmt.Fprintf(&out, "%s\t%s\t%s\n", service, key, m.names[service][key])
		}
	}
	return out.Bytes()
}
