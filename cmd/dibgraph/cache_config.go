package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/cache/trust"
)

func newCacheConfigCommand() *cobra.Command {
	var flags *cacheFlags
	c := &cobra.Command{
		Use:   "config [flags]",
		Short: "print which shared caches are used, and who says so",
		Long: `Print the settings of shared caches as a build with the same flags, variables and
files would use them, and where each is from. Secrets are not printed: neither the
key that signs nor passwords in addresses. "dibgraph cache --help" explains the
settings.

It asks no remote, changes nothing and needs no root.
`,
		Example: `  dibgraph cache config
  dibgraph cache config --cache-from oci://registry.example.org/images/cache`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := flags.settings()
			if err != nil {
				return err
			}
			rule, err := s.Rule(nil)
			if err != nil {
				return err
			}
			if _, err := trust.NewPolicy(rule); err != nil {
				return &hintError{err, "see where trusted and revoked keys are given, and keep one key for each name"}
			}
			return printSettings(c.OutOrStdout(), s)
		},
	}
	flags = addCacheFlags(c.Flags())
	return c
}

func printSettings(w io.Writer, s settings.Settings) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SETTING\tVALUE\tGIVEN BY")
	for _, name := range settings.Names {
		values := settingValues(s, name)
		if len(values) == 0 {
			values = []string{"none"}
		}
		for _, value := range values {
			fmt.Fprintf(t, "%s\t%s\t%s\n", name, value, cmp.Or(s.Given[name], "default"))
		}
	}
	return t.Flush()
}

// settingValues returns the lines of a setting.
func settingValues(s settings.Settings, name string) []string {
	switch name {
	case "from":
		return placeLines(s.From)
	case "to":
		return placeLines(s.To)
	case "scope":
		return []string{s.Scope}
	case "read_scopes":
		return s.ReadScopes
	case "salt":
		if s.Salt != "" {
			return []string{strconv.Quote(s.Salt)}
		}
	case "sign":
		return []string{s.Sign.String()}
	case "trust":
		var lines []string
		for _, key := range s.Trust {
			lines = append(lines, key.String())
		}
		return lines
	case "revoked":
		return s.Revoked
	case "max_size":
		if s.MaxSize > 0 {
			return []string{fmt.Sprint(s.MaxSize)}
		}
	case "min_free":
		if s.MinFree != (settings.Amount{}) {
			return []string{s.MinFree.String()}
		}
	}
	return nil
}

func placeLines(places []settings.Place) []string {
	var lines []string
	for _, p := range places {
		line := p.String()
		var more []string
		if p.Scope != "" {
			more = append(more, "scope "+p.Scope)
		}
		if p.RequireSignature != nil {
			more = append(more, map[bool]string{true: "signatures required", false: "no signatures required"}[*p.RequireSignature])
		}
		if p.CAFile != "" {
			more = append(more, "certificates in "+p.CAFile)
		}
		if len(more) > 0 {
			line += " (" + strings.Join(more, ", ") + ")"
		}
		lines = append(lines, line)
	}
	return lines
}
