package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/command"
)

// ErrNoGit says that git is not installed.
var ErrNoGit = errors.New("git is not installed")

// Git asks a repository for what a reference points to: a branch, a tag, a
// full name below refs, or "*" for all branches and tags. A reference that
// does not exist has a state too.
func (c *Client) Git(ctx context.Context, location, ref string) (State, error) {
	if strings.HasPrefix(location, "-") || strings.HasPrefix(ref, "-") {
		return State{}, fmt.Errorf("ask for %s of %s: neither may begin with a dash", ref, redacted(location))
	}
	ctx, cancel := context.WithTimeout(ctx, 2*c.timeout())
	defer cancel()
	run := command.Cmd{Path: "git", Args: []string{"ls-remote", "--", c.withUserinfo(location)}, Env: c.gitEnvironment(), Dir: "/"}
	names := gitNames(ref)
	run.Args = append(run.Args, names...)
	out, err := run.Output(ctx)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return State{}, fmt.Errorf("ask for %s of %s: %w", ref, redacted(location), ErrNoGit)
	case err != nil:
		return State{}, fmt.Errorf("ask for %s of %s: %w", ref, redacted(location), withoutCommand(err))
	}
	return State{Content: gitContent(out, names), Age: -1}, nil
}

// gitNames returns the full names that a reference can have.
func gitNames(ref string) []string {
	switch {
	case ref == "*":
		return []string{"refs/heads/*", "refs/tags/*"}
	case strings.HasPrefix(ref, "refs/") || ref == "HEAD":
		return []string{ref}
	}
	return []string{"refs/heads/" + ref, "refs/tags/" + ref}
}

// gitContent takes the lines of the names out of the answer: git also lists
// those that only end in a name.
func gitContent(out []byte, names []string) string {
	var lines []string
	for line := range bytes.Lines(out) {
		id, name, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\t")
		matches := func(want string) bool {
			if prefix, all := strings.CutSuffix(want, "*"); all {
				return strings.HasPrefix(name, prefix)
			}
			return name == want
		}
		if ok && slices.ContainsFunc(names, matches) {
			lines = append(lines, name+" "+id)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// gitEnvironment is what git runs with: as the caller would run it, but it
// never asks a person, and never runs a program that an address names.
func (c *Client) gitEnvironment() []string {
	env := map[string]string{
		"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=10",
		"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
	}
	for name, value := range c.Environment {
		lower := strings.ToLower(name)
		if slices.Contains([]string{"PATH", "HOME", "SSH_AUTH_SOCK"}, name) || strings.HasSuffix(lower, "_proxy") || strings.HasPrefix(name, "GIT_") {
			env[name] = value
		}
	}
	env["LC_ALL"], env["GIT_TERMINAL_PROMPT"], env["GIT_ASKPASS"] = "C", "0", "true"
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

func (c *Client) withUserinfo(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.User != nil || c.Userinfo[u.Hostname()] == nil || !strings.HasPrefix(u.Scheme, "http") {
		return location
	}
	u.User = c.Userinfo[u.Hostname()]
	return u.String()
}

// withoutCommand takes the command line, which may hold a password, off an
// error.
func withoutCommand(err error) error {
	var exit *command.ExitError
	if !errors.As(err, &exit) {
		return errors.New("git did not answer in time")
	}
	last := exit.Output[strings.LastIndexByte(exit.Output, '\n')+1:]
	if strings.Contains(last, "@") {
		last = ""
	}
	return errors.New(strings.TrimSuffix("git ls-remote: "+exit.Ending()+": "+last, ": "))
}

// redacted takes the password off an address.
func redacted(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	return address
}
