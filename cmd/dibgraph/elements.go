package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/elements/stock"
)

func newElementsCommand() *cobra.Command {
	var path []string
	c := &cobra.Command{
		Use:   "elements",
		Short: "list, show and check elements",
		Long:  "Show which elements there are, what is in them, and what they bring along.\n",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringArrayVar(&path, "elements-path", nil, "look for elements in `directory` first; repeatable (then $ELEMENTS_PATH, then the embedded ones)")
	library := func() (*elements.Library, error) {
		dirs := path
		if more := os.Getenv("ELEMENTS_PATH"); more != "" {
			dirs = append(dirs, filepath.SplitList(more)...)
		}
		return elements.OpenLibrary(dirs, "", stock.Elements())
	}
	c.AddCommand(newElementsListCommand(library), newElementsShowCommand(library), newElementsDepsCommand(), newElementsLintCommand(library))
	return c
}

func newElementsListCommand(library func() (*elements.Library, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list the elements that can be named",
		Args:  arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := library()
			if err != nil {
				return err
			}
			for _, name := range l.Names() {
				e, _ := l.Find(name)
				line := fmt.Sprintf("%-28s %s", name, e.Origin)
				if n := len(e.Overridden); n > 0 {
					line += fmt.Sprintf(" (overrides %s)", e.Overridden[0].Origin)
				}
				fmt.Fprintln(c.OutOrStdout(), line)
			}
			return nil
		},
	}
}

func newElementsShowCommand(library func() (*elements.Library, error)) *cobra.Command {
	return &cobra.Command{
		Use:     "show ELEMENT",
		Short:   "show the files, hooks and dependencies of an element",
		Example: "  dibgraph elements show bootloader",
		Args:    arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			l, err := library()
			if err != nil {
				return err
			}
			e, err := l.Open(args[0])
			if err != nil {
				return err
			}
			showElement(c.OutOrStdout(), e)
			return nil
		},
	}
}

func showElement(w io.Writer, e *elements.Element) {
	fmt.Fprintf(w, "%s (%s)\n", e.Name, e.Origin)
	for _, list := range []struct {
		title string
		names []string
	}{{"depends on", e.Deps}, {"provides", e.Provides}} {
		if len(list.names) > 0 {
			fmt.Fprintf(w, "%s: %s\n", list.title, strings.Join(list.names, ", "))
		}
	}
	for _, o := range e.Overridden {
		fmt.Fprintf(w, "overrides: %s\n", o.Origin)
	}
	for _, phase := range elements.Phases {
		if hooks := e.Tree.PhaseHooks(phase, ""); len(hooks) > 0 {
			fmt.Fprintf(w, "%s, %s:\n", phase.Dir(), map[bool]string{true: "in the image", false: "on the host"}[phase.Chroot])
			for _, h := range hooks {
				fmt.Fprintf(w, "    %s\n", h.Name)
			}
		}
	}
	fmt.Fprintln(w, "files:")
	for _, f := range e.Tree.Files {
		if !f.IsDir() {
			fmt.Fprintf(w, "    %s\n", f.Path)
		}
	}
}

func newElementsDepsCommand() *cobra.Command {
	var image imageOptions
	c := &cobra.Command{
		Use:     "deps ELEMENT…",
		Short:   "list the elements of an image, with what brought each along",
		Example: "  dibgraph elements deps debian-minimal vm",
		Args:    noElements,
		RunE: func(c *cobra.Command, args []string) error {
			image.flags = c.Flags()
			if path, err := c.Flags().GetStringArray("elements-path"); err == nil && path != nil {
				image.path = path
			}
			img, err := image.load(args)
			if err != nil {
				return err
			}
			return printDeps(c.OutOrStdout(), img)
		},
	}
	c.Flags().StringVarP(&image.def.Arch, "arch", "a", "", "target `architecture` (default $ARCH, else this machine's)")
	c.Flags().BoolVarP(&image.def.SkipBase, "skip-base", "n", false, "leave the element base out")
	return c
}

func printDeps(w io.Writer, img *elements.Image) error {
	if len(img.Elements) == 0 {
		return errors.New("no elements")
	}
	for _, e := range img.Elements {
		var by []string
		for _, other := range img.Elements {
			for _, d := range other.Deps {
				if d == e.Name {
					by = append(by, other.Name)
				}
			}
		}
		line := fmt.Sprintf("%-28s", e.Name)
		if len(by) > 0 {
			line += " for " + strings.Join(by, ", ")
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	return nil
}
