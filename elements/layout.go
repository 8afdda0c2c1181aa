package elements

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/steps"
	"github.com/dibgraph/dibgraph/steps/blockdevice"
)

// layout is the block device configuration of an image, read and checked.
type layout struct {
	config []byte
	file   string // where it is from, for messages
	params blockdevice.Params
	size   blockdevice.SizeInput
	parsed *blockdevice.Layout
}

// journalMiB is the default of DIB_JOURNAL_SIZE.
const journalMiB = 64

// chooseLayout finds and checks the layout of an image. It is the one place
// where a plan reads a file that is no element's: a layout that
// DIB_BLOCK_DEVICE_CONFIG names.
func chooseLayout(img *Image) (layout, []*Problem) {
	env := img.Definition.Environment
	var lookups []blockdevice.Lookup
	for _, e := range img.Elements {
		lookups = append(lookups, func(name string) ([]byte, string, error) {
			content, err := e.read(name)
			return content, e.source(name), err
		})
	}
	l := layout{params: blockdevice.Params{
		RootFSType: cmp.Or(env["FS_TYPE"], "ext4"),
		RootLabel:  img.Definition.RootLabel,
		MountBase:  steps.TargetDir,
		BuildDir:   steps.BuildDir,
	}}
	problems := l.readNumbers(img)
	var err error
	if l.config, l.file, err = blockdevice.Choose(env[blockdevice.ConfigVariable], img.Definition.Arch, lookups); err != nil {
		return l, append(problems, &Problem{Message: err.Error()})
	}
	if l.parsed, err = blockdevice.Parse(l.config, l.file, l.params); err != nil {
		problems = append(problems, layoutProblems(err)...)
	}
	if len(problems) > 0 {
		return l, problems
	}
	l.size.RootFSType = l.parsed.Value("root-fstype")
	l.params.RootFSOpts = rootOptions(img, l.size)
	return l, nil
}

// readNumbers reads the sizes that variables give.
func (l *layout) readNumbers(img *Image) []*Problem {
	env := img.Definition.Environment
	l.size = blockdevice.SizeInput{
		ImageSize: img.Definition.ImageSize, ExtraSize: img.Definition.ImageExtraSize, JournalMiB: journalMiB,
		EFI: slices.ContainsFunc(img.Elements, func(e *Element) bool { return strings.Contains(e.Name, "block-device-efi") }),
	}
	var problems []*Problem
	read := func(name string, value *int, want string) {
		text := env[name]
		if text == "" {
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			problems = append(problems, &Problem{Message: fmt.Sprintf("%s %q is not %s", name, text, want)})
			return
		}
		*value = n
	}
	read("DIB_JOURNAL_SIZE", &l.size.JournalMiB, "a whole number of MiB")
	read("DIB_BLOCK_SIZE", &l.params.BlockSize, "a whole number of bytes")
	return problems
}

// rootOptions returns the options of mkfs for the root filesystem.
func rootOptions(img *Image, size blockdevice.SizeInput) string {
	var options []string
	if blocks := img.Definition.MaxOnlineResize; blocks != "" {
		options = append(options, "-E resize="+blocks)
	}
	if size.RootFSType == "ext4" {
		if img.Definition.Environment["DIB_RELEASE"] == "trusty" {
			options = append(options, "-O ^metadata_csum") // its e2fsck does not know it
		}
		options = append(options, fmt.Sprintf("-i 4096 -J size=%d", size.JournalMiB))
	}
	if more := img.Definition.MkfsOptions; more != "" {
		options = append(options, more)
	}
	return strings.Join(options, " ")
}

// layoutProblems makes problems of a definition of what is wrong with a layout.
func layoutProblems(err error) (problems []*Problem) {
	for _, e := range flatten(err) {
		if p, ok := e.(*blockdevice.Problem); ok {
			problems = append(problems, &Problem{File: p.File, Line: p.Line, Message: p.Message})
		} else {
			problems = append(problems, &Problem{Message: e.Error()})
		}
	}
	return problems
}

// flatten returns the errors that were joined into one.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}
