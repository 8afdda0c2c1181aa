package main

import (
	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/elements/imagelist"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON schema of files that list images",
		Long: `Print the JSON schema of the files that "dibgraph build" takes, for editors and
other checkers. It says what each key means.
`,
		Example: `  dibgraph schema > images.schema.json`,
		Args:    arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			schema, err := imagelist.Schema()
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(schema)
			return err
		},
	}
}
