package helper

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// squashMain merges the package lists of all elements into one.
func squashMain(args []string, env Env, stderr io.Writer) error {
	flags := flag.NewFlagSet("package-installs-squash", flag.ContinueOnError)
	flags.SetOutput(stderr)
	names := flags.String("elements", "", "space-separated `names` of the elements")
	path := flags.String("path", "", "colon-separated `directories` that hold elements")
	hooks := flags.String("hooks", "", "the `directory` of the merged hooks, with the older lists of its phases")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("%w: package-installs-squash --elements=NAMES --path=DIRS [--hooks=DIR] FILE", errUsage)
	}
	files, err := packageFiles(strings.Fields(*names), filepath.SplitList(*path))
	if err != nil {
		return err
	}
	s := &squasher{env: env, plain: map[[2]string]bool{}}
	var problems []error
	for _, src := range files {
		if err := s.add(src); err != nil {
			problems = append(problems, err)
		}
	}
	if *hooks != "" {
		problems = append(problems, s.addOlder(*hooks))
	}
	for _, notice := range s.notices {
		fmt.Fprintf(stderr, "package-installs-squash: note: %s\n", notice)
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	return writePackages(flags.Arg(0), s.sorted())
}

// packageFiles returns the package lists of the elements. Every directory of
// the search path counts, so a list in a copy of an element that another
// directory overrides is merged too.
func packageFiles(names, path []string) ([]source, error) {
	var out []source
	var problems []error
	for _, name := range names {
		for _, dir := range path {
			set := []element{{name, filepath.Join(dir, name)}}
			for _, file := range []string{"package-installs.json", "package-installs.yaml"} {
				found, err := sources(set, file)
				out = append(out, found...)
				problems = append(problems, err)
			}
		}
	}
	return out, errors.Join(problems...)
}

// listName is where the flat form of a package list is: .list for .json.
func listName(file string) string {
	return strings.TrimSuffix(file, ".json") + ".list"
}

func writePackages(file string, entries []packageEntry) error {
	lists := map[string]map[string][][2]string{}
	var flat bytes.Buffer
	for _, e := range entries {
		if lists[e.Phase] == nil {
			lists[e.Phase] = map[string][][2]string{installAction: {}, uninstallAction: {}}
		}
		lists[e.Phase][e.Action] = append(lists[e.Phase][e.Action], [2]string{e.Package, e.Element})
		fields := []string{e.Phase, e.Action, e.Element, e.Package}
		if slices.ContainsFunc(fields, func(f string) bool { return strings.ContainsAny(f, "\t\n") }) {
			return fmt.Errorf("element %q: package %q: a name cannot hold a tab or a line break", e.Element, e.Package)
		}
		fmt.Fprintln(&flat, strings.Join(fields, "\t"))
	}
	doc, err := json.MarshalIndent(lists, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(file, append(doc, '\n')); err != nil {
		return err
	}
	if err := writeFile(listName(file), flat.Bytes()); err != nil {
		// One of the pair alone would be taken for the whole.
		return errors.Join(err, os.Remove(file))
	}
	return nil
}
