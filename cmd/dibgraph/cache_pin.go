package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
)

func newCachePinCommand(o *storeOptions) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "pin [IMAGE|NODE|BUILD]…",
		Short: "keep results from being trimmed, or list what is kept",
		Long: `Keep results from being trimmed: what an image used in its last build, whichever
that will be; what a node used last, in any image; or what a build used, named by
its id or as last or last~1. A name that is both an image and a node is the image.

Without arguments it lists the pins, changes nothing and needs no root.
`,
		Example: `  dibgraph cache pin web
  dibgraph cache pin root.d/10-debian last~1
  dibgraph cache pin`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return o.ask(func(store *cache.Store) error { return listPins(c.OutOrStdout(), store, asJSON) })
			}
			return eachPin(o, args, func(store *cache.Store, kind, name string) error { return store.Pin(kind, name) })
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return c
}

func newCacheUnpinCommand(o *storeOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "unpin {IMAGE|NODE|BUILD}…",
		Short: "let results be trimmed again",
		Long: `Let results be trimmed again that "dibgraph cache pin" keeps. It lists them.
`,
		Example: `  dibgraph cache unpin web`,
		Args:    arguments(1, -1),
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := o.open(false)
			if err != nil {
				return err
			}
			for _, arg := range args {
				err = errors.Join(err, unpin(store, arg))
			}
			return errors.Join(err, store.Close())
		},
	}
}

// eachPin calls pin for what each argument names, once all are known to name
// something.
func eachPin(o *storeOptions, args []string, pin func(store *cache.Store, kind, name string) error) error {
	store, err := o.open(false)
	if err != nil {
		return err
	}
	var pins []cache.Pin
	for _, arg := range args {
		p, findErr := findPinned(store, arg)
		pins, err = append(pins, p), errors.Join(err, findErr)
	}
	for i := 0; err == nil && i < len(pins); i++ {
		err = pin(store, pins[i].Kind, pins[i].Name)
	}
	return errors.Join(err, store.Close())
}

// findPinned says what a name is the name of.
func findPinned(store *cache.Store, arg string) (cache.Pin, error) {
	if buildID.MatchString(arg) {
		build, err := namedBuild(store, "", arg)
		if err != nil {
			return cache.Pin{}, err
		}
		return cache.Pin{Kind: cache.PinBuild, Name: build.ID}, nil
	}
	if _, image := elements.SplitOutput(arg, nil); store.HasHistory(image) {
		return cache.Pin{Kind: cache.PinImage, Name: image}, nil
	}
	if store.HasNode(arg) {
		return cache.Pin{Kind: cache.PinNode, Name: arg}, nil
	}
	return cache.Pin{}, &hintError{fmt.Errorf("pin %q: the store has no image, node or build of that name", arg),
		`"dibgraph cache ls" lists images and nodes, "dibgraph builds" the builds`}
}

// unpin ends the pin of a name, which may no longer be that of anything.
func unpin(store *cache.Store, arg string) error {
	if buildID.MatchString(arg) {
		if build, err := namedBuild(store, "", arg); err == nil {
			arg = build.ID
		}
	}
	_, image := elements.SplitOutput(arg, nil)
	for _, p := range []cache.Pin{{Kind: cache.PinImage, Name: image}, {Kind: cache.PinNode, Name: arg}, {Kind: cache.PinBuild, Name: arg}} {
		if err := store.Unpin(p.Kind, p.Name); !errors.Is(err, cache.ErrMissing) {
			return err
		}
	}
	return &hintError{fmt.Errorf("unpin %q: it is not pinned", arg), `"dibgraph cache pin" lists pins`}
}

func listPins(w io.Writer, store *cache.Store, asJSON bool) error {
	pins, err := store.Pins()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, pins)
	}
	if len(pins) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KIND\tNAME\tPINNED")
	for _, p := range pins {
		fmt.Fprintf(t, "%s\t%s\t%s\n", p.Kind, p.Name, p.Made.Local().Format(time.DateTime))
	}
	return t.Flush()
}
