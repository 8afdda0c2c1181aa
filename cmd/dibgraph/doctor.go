package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/host"
)

func newDoctorCommand(store *storeOptions) *cobra.Command {
	var install, forTests, asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "say what this machine has and lacks for builds",
		Long: `Look for the host tools, kernel features, memory and space that builds use, and
say of everything that is not there what it is needed for and how to get it:

  ok        it is there
  degraded  builds are possible without; the line says what is not
  missing   builds need it

As root, kernel features are tried out in a sandbox; nothing of it stays. With
--install the packages of what is missing are installed with the package manager
of the distribution, by sudo if need be. The command is shown first.
`,
		Example: `  dibgraph doctor                 # what is missing here?
  sudo dibgraph doctor --install  # install it`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := store.path()
			if err != nil {
				return err
			}
			d := thisMachine(c, dir, forTests)
			if install {
				if err := d.install(c.Context()); err != nil {
					return err
				}
			}
			return d.tell(c.Context(), asJSON)
		},
	}
	c.Flags().BoolVar(&install, "install", false, "install the packages of what is missing")
	c.Flags().BoolVar(&forTests, "for-tests", false, "look for what the tests of dibgraph need as well")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// A doctor looks at a machine and installs what it lacks.
type doctor struct {
	distribution host.Distribution
	tools        func() []host.Finding                    // what can be installed
	rest         func(ctx context.Context) []host.Finding // what cannot
	root         bool                                     // whether installing needs no sudo
	environment  []string                                 // of the package manager
	in           io.Reader
	out, err     io.Writer
}

func thisMachine(c *cobra.Command, store string, forTests bool) *doctor {
	var machine host.Machine
	return &doctor{
		distribution: machine.Distribution(),
		tools:        func() []host.Finding { return machine.Look(needsFor(forTests)) },
		rest: func(ctx context.Context) []host.Finding {
			return append(machine.Kernel(ctx, store), machine.Resources(store)...)
		},
		root:        os.Geteuid() == 0,
		environment: append([]string{"PATH=" + host.DefaultPath}, inherited()...),
		in:          c.InOrStdin(), out: c.OutOrStdout(), err: c.ErrOrStderr(),
	}
}

// inherited are the variables of the caller that a package manager may need to
// reach its servers and the terminal.
func inherited() []string {
	var env []string
	for _, name := range []string{"HOME", "TERM", "LANG", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// install installs what is missing, as far as there are packages of it.
func (d *doctor) install(ctx context.Context) error {
	var packages []string
	for _, f := range d.tools() {
		if f.State == host.Missing {
			packages = append(packages, strings.Fields(f.Package)...)
		}
	}
	slices.Sort(packages)
	for _, c := range d.distribution.Install(slices.Compact(packages)) {
		c = d.prepare(c)
		fmt.Fprintln(d.err, "+", c)
		if err := c.Run(ctx); err != nil {
			return d.explain(err)
		}
	}
	return nil
}

// prepare makes a command of the package manager one that can be run.
func (d *doctor) prepare(c command.Cmd) command.Cmd {
	if !d.root {
		// Sudo passes only what it is told to.
		c.Args = append(append([]string{"env"}, host.InstallEnvironment...), append([]string{c.Path}, c.Args...)...)
		c.Path = "sudo"
		c.Stdin = d.in // for the password
	}
	c.Env = append(slices.Clone(d.environment), host.InstallEnvironment...)
	// What it installs is progress; standard output is for the findings.
	c.Stdout, c.Stderr = d.err, d.err
	return c
}

func (d *doctor) explain(err error) error {
	if !d.root && errors.Is(err, os.ErrNotExist) {
		return &hintError{fmt.Errorf("install what is missing: %w", err), "there is no sudo: run it as root"}
	}
	return fmt.Errorf("install what is missing: %w", err)
}

// tell prints what it finds. Its error says that something needed is missing.
func (d *doctor) tell(ctx context.Context, asJSON bool) error {
	findings := append(d.tools(), d.rest(ctx)...)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	write := d.text
	if asJSON {
		write = d.json
	}
	if err := write(findings); err != nil {
		return err
	}
	missing := 0
	for _, f := range findings {
		if f.State == host.Missing {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	err := &statusError{exitFailed, fmt.Sprintf("%d needed here and missing", missing)}
	if slices.ContainsFunc(findings, func(f host.Finding) bool { return f.State == host.Missing && f.Package != "" }) {
		return &hintError{err, "dibgraph doctor --install installs what has a package"}
	}
	return err
}

func (d *doctor) text(findings []host.Finding) error {
	var b strings.Builder
	fmt.Fprintln(&b, d.distribution.Name)
	for _, f := range findings {
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%-9s %-20s %s", f.State, f.What, f.Detail), " "))
		if f.State == host.OK {
			continue
		}
		fmt.Fprintf(&b, "%-9s %-20s for %s\n", "", "", f.For)
		if f.Fix != "" {
			fmt.Fprintf(&b, "%-9s %-20s fix: %s\n", "", "", f.Fix)
		}
	}
	_, err := io.WriteString(d.out, b.String())
	return err
}

func (d *doctor) json(findings []host.Finding) error {
	encoder := json.NewEncoder(d.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Distribution host.Distribution `json:"distribution"`
		Findings     []host.Finding    `json:"findings"`
	}{d.distribution, findings})
}
