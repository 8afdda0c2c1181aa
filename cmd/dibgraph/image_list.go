package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/elements/imagelist"
	"github.com/dibgraph/dibgraph/elements/stock"
	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/internal/problem"
)

// A listedImage is an image that a file lists, with its elements.
type listedImage struct {
	*imagelist.Image
	loaded *elements.Image
}

// isImageList reports whether an argument is a file that lists images. No
// element has such a name.
func isImageList(arg string) bool {
	suffix := filepath.Ext(arg)
	return suffix == ".yaml" || suffix == ".yml"
}

// listsImages reports whether arguments name files that list images, and not
// elements.
func listsImages(args []string) bool { return slices.ContainsFunc(args, isImageList) }

// splitList returns the files among arguments, and what is named besides.
func splitList(args []string) (files, names []string) {
	for _, arg := range args {
		if isImageList(arg) {
			files = append(files, arg)
		} else {
			names = append(names, arg)
		}
	}
	return files, names
}

// readList reads the images that files list, and chooses those that are named by
// pick. Of a list with problems, which are the error, it returns all.
func readList(args []string, pick func([]*imagelist.Image, []string) ([]*imagelist.Image, error)) ([]*imagelist.Image, error) {
	names, chosen := splitList(args)
	var files []imagelist.File
	var problems []*problem.Problem
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			problems = append(problems, &problem.Problem{File: name, Message: "cannot be read: " + causeOf(err)})
			continue
		}
		files = append(files, imagelist.File{Name: name, Content: content})
	}
	if err := problem.Join(problems); err != nil {
		return nil, err
	}
	images, err := imagelist.Read(files)
	if err != nil {
		return images, err
	}
	images, err = pick(images, chosen)
	var unknown *imagelist.UnknownError
	if errors.As(err, &unknown) {
		hint := cmp.Or(nearest.Question(unknown.Name, unknown.Known), "elements are named in the file")
		return nil, &hintError{&usageError{fmt.Errorf("%s: %w", strings.Join(names, ", "), err)}, hint}
	}
	return images, err
}

// causeOf returns what failed, without the path, which is said anyway.
func causeOf(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// ofOneImage are the options that say what one image is like.
var ofOneImage = []string{
	"output", "arch", "type", "uncompressed", "skip-base", "packages", "checksum", "image-size", "image-extra-size",
	"root-label", "mkfs-options", "max-online-resize", "qemu-img-options", "qcow2-compression", "docker-target", "install-type",
}

// checkListed refuses options that the file has to say.
func (o *imageOptions) checkListed() error {
	var given []string
	o.flags.Visit(func(f *pflag.Flag) {
		if slices.Contains(ofOneImage, f.Name) {
			given = append(given, "--"+f.Name)
		}
	})
	if len(given) == 0 {
		return nil
	}
	return &hintError{&usageError{fmt.Errorf("%s: is of one image, and a file lists them", strings.Join(given, ", "))},
		"say it in the file, and name images of it behind the file"}
}

// loadList reads the images of files and their elements. The error is all that is
// wrong with any of them.
func (o *imageOptions) loadList(args []string) ([]listedImage, error) {
	if err := o.checkListed(); err != nil {
		return nil, err
	}
	base, err := o.base()
	if err != nil {
		return nil, err
	}
	images, err := readList(args, imagelist.Select)
	problems := problem.All(err)
	if err != nil && len(problems) == 0 {
		return nil, err
	}
	var list []listedImage
	for _, i := range images {
		if i.Flawed {
			continue
		}
		def := i.Define(base)
		addHostMirrors(&def)
		loaded, err := elements.Load(def, stock.Elements())
		found := elements.Problems(err)
		if i.Logfile != "" {
			if err := checkTarget(i.Logfile); err != nil {
				found = append(found, &problem.Problem{Message: fmt.Sprintf("logfile %q: %s", i.Logfile, causeOf(err)), Hint: "create its directory first"})
			}
		}
		problems = append(problems, i.Locate(found)...)
		list = append(list, listedImage{i, loaded})
	}
	return list, problem.Join(eachOnce(problems))
}

// base returns what holds for all images of a file.
func (o *imageOptions) base() (elements.Definition, error) {
	def := o.def
	def.Environment = environment()
	def.ElementsPath = o.path
	if err := o.fresh.apply(&def); err != nil {
		return def, err
	}
	if !o.flags.Changed("check-mirrors") {
		def.CheckMirrors = 0 // for the file to say
	}
	var err error
	if def.WorkDir, err = os.Getwd(); err != nil {
		return def, err
	}
	if def.Home, err = os.UserHomeDir(); err != nil {
		def.Home = "/root"
	}
	return def, nil
}

// addHostMirrors names the mirrors of this machine where nothing else is said.
func addHostMirrors(def *elements.Definition) {
	for name, mirror := range elements.HostMirrors(os.DirFS("/")) {
		if def.Environment[name] == "" {
			def.Environment[name] = mirror
		}
	}
}

// eachOnce leaves out what was found for an earlier image as well.
func eachOnce(problems []*problem.Problem) []*problem.Problem {
	seen := make(map[problem.Problem]bool)
	return slices.DeleteFunc(problems, func(p *problem.Problem) bool {
		again := seen[*p]
		seen[*p] = true
		return again
	})
}
