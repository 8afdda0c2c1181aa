package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/dibgraph/dibgraph/cache/settings"
)

// systemConfig is the configuration of the machine.
const systemConfig = "/etc/dibgraph/config.yaml"

// cacheFlags are the flags that say which shared caches are used.
type cacheFlags struct {
	flags                    *pflag.FlagSet
	from, to, trust          []string
	scope, salt, signKeyFile string
}

// addCacheFlags registers them.
func addCacheFlags(f *pflag.FlagSet) *cacheFlags {
	c := &cacheFlags{flags: f}
	f.StringArrayVar(&c.from, "cache-from", nil, "take results from the remote at `URL`; repeatable (see \"dibgraph cache --help\")")
	f.StringArrayVar(&c.to, "cache-to", nil, "store results in the remote at `URL`; repeatable")
	f.StringVar(&c.scope, "cache-scope", "", "store under this `scope`, which others choose to read or not (default main)")
	f.StringVar(&c.salt, "cache-salt", "", "take and store only results with this `text`; another one disowns those before")
	f.StringVar(&c.signKeyFile, "cache-sign-key", "", "sign what is stored with the secret key in `FILE`")
	f.StringArrayVar(&c.trust, "cache-trust", nil, "believe what is signed with the public `KEY`, or with KEY@SCOPE,… in those scopes; repeatable")
	return c
}

// settings returns what all places together say; those of a list of images count
// after flags and variables. Errors of files are those of elements.Problems.
func (c *cacheFlags) settings(listed ...settings.Layer) (settings.Settings, error) {
	flags, flagErr := c.layer()
	environment, envErr := environmentLayer(os.LookupEnv)
	layers := append([]settings.Layer{flags, environment}, listed...)
	if err := errors.Join(flagErr, envErr); err != nil {
		return settings.Settings{}, &hintError{&usageError{err}, `see "dibgraph cache --help"`}
	}
	user, err := userConfig()
	if err != nil {
		return settings.Settings{}, err
	}
	var problems []error
	for _, path := range []string{user, systemConfig} {
		layer, err := readConfig(path)
		layers, problems = append(layers, layer), append(problems, err)
	}
	return settings.Merge(layers...), errors.Join(problems...)
}

// userConfig is the path of the configuration of this user; empty without a home.
func userConfig() (string, error) {
	if dir := os.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dibgraph/config.yaml"), nil
	}
	if home := os.Getenv("HOME"); home != "" {
		return filepath.Abs(filepath.Join(home, ".config/dibgraph/config.yaml"))
	}
	return "", nil
}

func readConfig(path string) (settings.Layer, error) {
	if path == "" {
		return settings.Layer{}, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return settings.Layer{}, nil
	}
	if err != nil {
		return settings.Layer{}, fmt.Errorf("read the configuration: %w", err)
	}
	return settings.ReadFile(path, text)
}

// layer returns what the flags say that were given.
func (c *cacheFlags) layer() (settings.Layer, error) {
	list := func(name string, values []string) *string {
		if !c.flags.Changed(name) {
			return nil
		}
		text := strings.Join(values, " ")
		return &text
	}
	one := func(name, value string) *string { return list(name, []string{value}) }
	return settings.Words{
		From: list("cache-from", c.from), To: list("cache-to", c.to), Trust: list("cache-trust", c.trust),
		Scope: one("cache-scope", c.scope), Salt: one("cache-salt", c.salt), SignKeyFile: one("cache-sign-key", c.signKeyFile),
	}.Layer(flagNames)
}

// environmentLayer takes an empty variable for one that is not set: jobs have
// those for secrets that they do not get.
func environmentLayer(lookup func(string) (string, bool)) (settings.Layer, error) {
	value := func(name *string) *string {
		text, _ := lookup(strings.TrimPrefix(*name, "$"))
		if text == "" {
			return nil
		}
		return &text
	}
	n := variableNames
	return settings.Words{
		From: value(n.From), To: value(n.To), Trust: value(n.Trust), ReadScopes: value(n.ReadScopes),
		Scope: value(n.Scope), Salt: value(n.Salt), SignKey: value(n.SignKey), SignKeyFile: value(n.SignKeyFile),
	}.Layer(n)
}

// What the words are called, in messages and by "dibgraph cache config".
var (
	flagNames = settings.Words{
		From: new("--cache-from"), To: new("--cache-to"), Trust: new("--cache-trust"), Scope: new("--cache-scope"),
		Salt: new("--cache-salt"), SignKeyFile: new("--cache-sign-key"),
	}
	variableNames = settings.Words{
		From: new("$DIBGRAPH_CACHE_FROM"), To: new("$DIBGRAPH_CACHE_TO"), Trust: new("$DIBGRAPH_CACHE_TRUST"),
		Scope: new("$DIBGRAPH_CACHE_SCOPE"), ReadScopes: new("$DIBGRAPH_CACHE_READ_SCOPES"), Salt: new("$DIBGRAPH_CACHE_SALT"),
		SignKey: new("$DIBGRAPH_CACHE_SIGN_KEY"), SignKeyFile: new("$DIBGRAPH_CACHE_SIGN_KEY_FILE"),
	}
)
