package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/internal/getopt"
)

// dropInRules are the options of disk-image-create.
var dropInRules = getopt.Rules{
	Short: "a:ho:t:xucnp:",
	Long: []string{
		"checksum", "no-tmpfs", "offline", "help", "version", "min-tmpfs:", "image-size:", "image-extra-size:", "image-cache:",
		"max-online-resize:", "mkfs-journal-size:", "mkfs-options:", "qemu-img-options:", "ramdisk-element:", "root-label:",
		"install-type:", "docker-target:", "logfile:",
	},
}

// dropInFlags are the options that "dibgraph build" has as well, by their names
// here: flags of the same meaning.
var dropInFlags = map[string]string{
	"a": "arch", "o": "output", "u": "uncompressed", "n": "skip-base", "checksum": "checksum", "offline": "offline",
	"image-size": "image-size", "image-extra-size": "image-extra-size", "image-cache": "image-cache",
	"max-online-resize": "max-online-resize", "mkfs-options": "mkfs-options", "qemu-img-options": "qemu-img-options",
	"root-label": "root-label", "install-type": "install-type", "docker-target": "docker-target",
}

// dropInVariables are the options that only set a variable.
var dropInVariables = map[string]string{
	"mkfs-journal-size": "DIB_JOURNAL_SIZE", "min-tmpfs": "DIB_MIN_TMPFS", "no-tmpfs": "DIB_NO_TMPFS",
}

// keptByClear are the variables that -c leaves: where things are, and who asks.
// None of them is an input.
var keptByClear = []string{"PATH", "HOME", "USER", "LOGNAME", "TERM", "ELEMENTS_PATH", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}

func newDropIn(name string) *dropIn {
	d := &dropIn{name: name}
	d.build.store = &storeOptions{}
	d.build.live = true
	d.build.addFlags(&cobra.Command{Use: name})
	d.build.jobs = runtime.NumCPU()
	d.build.image.def.Ramdisk = name == ramdiskImageCreate
	return d
}

// parse reads the command line, and returns all that is wrong with it. What
// variables are to say is said to the variables of this process.
func (d *dropIn) parse(args []string) []error {
	rules := dropInRules
	_, rules.InOrder = os.LookupEnv("POSIXLY_CORRECT")
	options, elements, problems := rules.Parse(args)
	d.elements = elements
	if slices.ContainsFunc(options, func(o getopt.Option) bool { return o.Name == "c" }) {
		clearEnvironment()
	}
	for _, o := range options {
		if err := d.set(o); err != nil {
			problems = append(problems, err)
		}
	}
	if _, set := os.LookupEnv("OVERWRITE_OLD_IMAGE"); !set {
		// An older image is kept under another name.
		problems = appendError(problems, os.Setenv("OVERWRITE_OLD_IMAGE", "0"))
	}
	return problems
}

func appendError(list []error, err error) []error {
	if err != nil {
		list = append(list, err)
	}
	return list
}

var wholeNumber = regexp.MustCompile(`^[0-9]+$`)

// set takes one option.
func (d *dropIn) set(o getopt.Option) error {
	flags := d.build.image.flags
	if flag, ok := dropInFlags[o.Name]; ok {
		value := o.Value
		if flags.Lookup(flag).NoOptDefVal != "" { // it takes none
			value = flags.Lookup(flag).NoOptDefVal
		}
		return flags.Set(flag, value)
	}
	switch o.Name {
	case "c":
		return nil
	case "x":
		return flags.Set("trace-hooks", "+1")
	case "t":
		d.build.image.types = nil // the last one counts
		return d.list("type", strings.Split(o.Value, ","))
	case "p":
		return d.list("packages", strings.FieldsFunc(o.Value, func(r rune) bool { return strings.ContainsRune(", \t\n", r) }))
	case "h", "help":
		d.asked = firstOf(d.asked, "help")
	case "version":
		d.asked = firstOf(d.asked, "version")
	case "logfile":
		if o.Value == "" {
			return errors.New("--logfile: the name of the file is empty")
		}
		d.logfile = o.Value
	case "ramdisk-element":
		d.build.image.def.RamdiskElement = o.Value
	case "min-tmpfs", "mkfs-journal-size":
		if !wholeNumber.MatchString(o.Value) {
			return fmt.Errorf("--%s: %q is not a whole number", o.Name, o.Value)
		}
		return os.Setenv(dropInVariables[o.Name], o.Value)
	case "no-tmpfs":
		return os.Setenv(dropInVariables[o.Name], "1")
	default:
		panic("dibgraph: nothing takes the option " + o.Name)
	}
	return nil
}

// list adds to a flag that is a list.
func (d *dropIn) list(flag string, items []string) error {
	for _, item := range items {
		if strings.ContainsAny(item, "\"\n") {
			return fmt.Errorf("%q is no %s", item, strings.TrimSuffix(flag, "s"))
		}
		if item == "" {
			item = `""`
		}
		if err := d.build.image.flags.Set(flag, item); err != nil {
			return err
		}
	}
	return nil
}

func firstOf(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// clearEnvironment forgets the variables of the caller.
func clearEnvironment() {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.Contains(keptByClear, name) && !strings.HasPrefix(name, "DIBGRAPH_CACHE") {
			os.Unsetenv(name)
		}
	}
}
