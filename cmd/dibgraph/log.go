package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
)

func newLogCommand(o *storeOptions) *cobra.Command {
	var past pastOptions
	c := &cobra.Command{
		Use:   "log [-o IMAGE | --build ID] {NODE | FILE.yaml… [IMAGE…] NODE}",
		Short: "print what a node printed when it ran",
		Long: `Print the output of a node, such as install.d/50-app, as of the last build, or of
another with --build. For a node that hit, that is the output of the run whose
result was used.

With files that list images, print it for each of them that has such a node, or
for those named between the files and the node; what several have in common is
printed once.
`,
		Example: `  dibgraph log install.d/50-app
  dibgraph log -o web disk
  dibgraph log images.yaml web install.d/50-app
  dibgraph log --build last~1 install.d/50-app`,
		Args: func(c *cobra.Command, args []string) error {
			if listsImages(args) {
				return logListArgs(&past, args)
			}
			return arguments(1, 1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return o.ask(func(store *cache.Store) error {
				if listsImages(args) {
					return logList(c.OutOrStdout(), store, args)
				}
				content, err := logOf(store, &past, args[0])
				if err != nil {
					return fmt.Errorf("log %s: %w", args[0], err)
				}
				_, err = c.OutOrStdout().Write(content)
				return err
			})
		},
	}
	past.addFlags(c)
	return c
}

func logOf(store *cache.Store, past *pastOptions, name string) ([]byte, error) {
	build, err := past.find(store)
	if err != nil {
		return nil, err
	}
	n, err := nodeIn(build, name)
	if err != nil {
		return nil, err
	}
	if n.Log.Digest.IsZero() {
		return nil, fmt.Errorf("the build %s of %s did not reach it", build.ID, build.Image)
	}
	return store.ReadBlob(n.Log.Digest)
}
