package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newLogCommand(store *storeOptions) *cobra.Command {
	var image string
	c := &cobra.Command{
		Use:   "log [-o IMAGE] NODE",
		Short: "print what a node printed when it ran",
		Long: `Print the output of a node, such as install.d/50-app, as of the last build. For
a node that hit, that is the output of the run whose result was used.
`,
		Example: `  dibgraph log install.d/50-app
  dibgraph log -o web disk`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := store.open(true)
			if err != nil {
				return err
			}
			build, err := lastBuild(s, image)
			if err != nil {
				return err
			}
			nodes := nodesNamed(build, args[0])
			if len(nodes) == 0 {
				return fmt.Errorf("log %s: the last build of %s had no node of that name", args[0], build.Image)
			}
			if nodes[0].Log.Digest.IsZero() {
				return fmt.Errorf("log %s: the last build of %s did not reach it", args[0], build.Image)
			}
			content, err := s.ReadBlob(nodes[0].Log.Digest)
			if err != nil {
				return fmt.Errorf("log %s: %w", args[0], err)
			}
			_, err = c.OutOrStdout().Write(content)
			return err
		},
	}
	c.Flags().StringVarP(&image, "output", "o", "", "`name` of the image (default: the one built last)")
	return c
}
