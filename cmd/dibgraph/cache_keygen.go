package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache/trust"
)

func newCacheKeygenCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "keygen NAME [--out FILE]",
		Short: "make a key to sign results with",
		Long: `Make a key with which results are signed that other machines take. The secret key
is written to a file that only its owner can read, and never over another file;
the public key is printed, and on standard error what to do with both.

The name is shown where a key is mentioned. Use one key for each kind of job, so
that those of pull requests cannot sign what everybody uses: see the scopes of
trusted keys in "dibgraph cache --help".
`,
		Example: `  dibgraph cache keygen ci
  dibgraph cache keygen ci-pull-requests --out /etc/dibgraph/pr.key > pr.pub`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return runKeygen(c, args[0], out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "write the secret key to `FILE` (default NAME.key)")
	return c
}

func runKeygen(c *cobra.Command, name, out string) error {
	secret, public, err := trust.GenerateKey(name)
	if err != nil {
		return &usageError{err}
	}
	if out == "" {
		if strings.ContainsRune(name, filepath.Separator) {
			return &usageError{fmt.Errorf("%q cannot be the name of a file: say --out FILE", name)}
		}
		out = name + ".key"
	}
	path, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := trust.WriteKeyFile(path, secret); errors.Is(err, fs.ErrExist) {
		return &hintError{err, "choose another file with --out; a key that is in use cannot be made again"}
	} else if err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), public)
	fmt.Fprintf(c.ErrOrStderr(), `The secret key is in %s. Machines that store results sign with it:

  --cache-sign-key %[1]s

or, in %[2]s:

  cache:
    sign_key_file: %[1]s

or the content of the file in $DIBGRAPH_CACHE_SIGN_KEY. Machines that take results
trust the public key, here for the scope main only:

  --cache-trust '%[3]s@main'

or, in %[2]s:

  cache:
    trust:
      - {key: "%[3]s", scopes: [main]}
`, path, systemConfig, public)
	return nil
}
