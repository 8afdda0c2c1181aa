package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
)

// A graphPage is what "graph --html" makes a page of.
type graphPage struct {
	file  string // - is standard output
	build string // a past build: its id, or counted from the last
}

// checkArgs allows no elements if the page is to be of a past build.
func (p *graphPage) checkArgs(c *cobra.Command, args []string) error {
	if p.build != "" && (p.file == "" || len(args) > 0) {
		return errors.New("--build goes with --html, and without elements: it is about a past build")
	}
	if p.file == "" {
		return noElements(c, args)
	}
	for _, arg := range args {
		if strings.HasSuffix(arg, ".html") {
			return fmt.Errorf("%q is no element; for a page in that file write --html=%s", arg, arg)
		}
	}
	return nil
}

// write makes the page: of what a build of the elements would do now, or of a
// past build.
func (p *graphPage) write(c *cobra.Command, store *cache.Store, image *imageOptions, args []string) error {
	r, err := p.report(store, image, args)
	if err != nil {
		return err
	}
	if p.file == "-" {
		return r.WriteHTML(c.OutOrStdout())
	}
	return writeTarget(p.file, r.WriteHTML)
}

func (p *graphPage) report(store *cache.Store, image *imageOptions, args []string) (*reports.Report, error) {
	if len(args) == 0 {
		build, err := p.past(store, image.output)
		if err != nil {
			return nil, err
		}
		return reporter{store}.report(build, build), nil
	}
	if listsImages(args) {
		plans, err := loadPlans(image, store, args)
		if err != nil {
			return nil, err
		}
		if len(plans) > 1 {
			return nil, &hintError{&usageError{fmt.Errorf("a page shows one image, and %s are meant", plural(len(plans), "image"))}, "name one of them behind the file"}
		}
		return reporter{store}.report(plans[0].build, buildBefore(store, plans[0].Name, "")), nil
	}
	img, err := image.load(args)
	if err != nil {
		return nil, err
	}
	_, results, err := forecast(img, store)
	if err != nil {
		return nil, err
	}
	return reporter{store}.report(plannedBuild(img, results), buildBefore(store, img.Definition.Name, "")), nil
}

func (p *graphPage) past(store *cache.Store, image string) (*cache.Build, error) {
	if p.build != "" {
		return namedBuild(store, image, p.build)
	}
	return lastBuild(store, image)
}
