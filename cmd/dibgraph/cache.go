package main

import "github.com/spf13/cobra"

func newCacheCommand(store *storeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "cache",
		Short: "look after the local store and caches that machines share",
		Long: `Results are kept in the local store, and with --cache-to in remotes, from which
other machines take them with --cache-from. What is taken has to be signed with a
key that is trusted ("dibgraph cache keygen"), unless the remote is a directory.

What is used is said in four places. A setting is taken whole from the first that
has it; only revoked keys add up:

  1. flags: --cache-from, --cache-to, --cache-scope, --cache-salt, --cache-trust,
     and for signing --cache-sign-key
  2. variables: DIBGRAPH_CACHE_FROM, DIBGRAPH_CACHE_TO, DIBGRAPH_CACHE_TRUST and
     DIBGRAPH_CACHE_READ_SCOPES (with blanks between items), DIBGRAPH_CACHE_SCOPE,
     DIBGRAPH_CACHE_SALT, and DIBGRAPH_CACHE_SIGN_KEY (the key) or
     DIBGRAPH_CACHE_SIGN_KEY_FILE; an empty one is as one that is not set
  3. $XDG_CONFIG_HOME/dibgraph/config.yaml (default ~/.config)
  4. ` + systemConfig + `:

     cache:
       from: [oci://registry.example.org/images/cache]
       to: [oci://registry.example.org/images/cache]
       scope: main                # what is written; pr/7 in the job of a pull request
       read_scopes: [main]        # default: the scope that is written, and main
       salt: ""                   # another text disowns everything stored before
       sign_key_file: /etc/dibgraph/cache.key
       trust: [{key: NAME+HASH+BASE64, scopes: [main]}]
       revoked: [NAME+HASH]
       max_size: 50G
       min_free: 10%

In place of its address a remote can be a map of url, scope, require_signature and
ca_file. In place of sign_key_file there can be a sign_command, which gets a text
on standard input and prints its signature, with a sign_name; readers then trust
{name: NAME, verify_command: [PROGRAM, …, "{signature}"]}, which gets the text on
standard input, and the signature in the file that {signature} stands for.
`,
		Example: `  dibgraph cache keygen ci --out ci.key
  dibgraph cache config
  dibgraph cache trim --max-size 20GB --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCacheConfigCommand(), newCacheKeygenCommand(), newCachePushCommand(store), newCachePullCommand(store), newCacheGCCommand(),
		newCacheListCommand(store), newCacheUsageCommand(store), newCacheTrimCommand(store), newCacheVerifyCommand(store),
		newCachePinCommand(store), newCacheUnpinCommand(store))
	return c
}
