package registry

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// podmanFile is the name of the file of podman's logins. Those can be for a part
// of a registry.
const podmanFile = "auth.json"

// Logins returns the files that logins are in, in the order in which they are
// looked at: $REGISTRY_AUTH_FILE, the config.json of docker in $DOCKER_CONFIG or
// ~/.docker, and the auth.json of podman in $XDG_RUNTIME_DIR/containers, and
// $XDG_CONFIG_HOME/containers or ~/.config/containers.
func Logins(variable func(name string) string) (files []string) {
	first := func(places ...[2]string) {
		for _, place := range places {
			if dir := variable(place[0]); dir != "" {
				files = append(files, filepath.Join(dir, place[1]))
				return
			}
		}
	}
	first([2]string{"REGISTRY_AUTH_FILE"})
	first([2]string{"DOCKER_CONFIG", "config.json"}, [2]string{"HOME", ".docker/config.json"})
	first([2]string{"XDG_RUNTIME_DIR", "containers/" + podmanFile})
	first([2]string{"XDG_CONFIG_HOME", "containers/" + podmanFile}, [2]string{"HOME", ".config/containers/" + podmanFile})
	return files
}

// Credential returns what says who we are to the registry of a repository, from
// the first of the files that knows it. It is called when a registry asks, and
// calls the helpers that the files name.
func Credential(repository string, files []string) auth.CredentialFunc {
	return func(ctx context.Context, host string) (auth.Credential, error) {
		for _, file := range files {
			store, err := credentials.NewStore(file, credentials.StoreOptions{})
			if err != nil {
				return auth.EmptyCredential, fmt.Errorf("read the logins in %s: %w", file, err)
			}
			for _, key := range loginKeys(host, repository, file) {
				found, err := store.Get(ctx, key)
				if err != nil {
					return auth.EmptyCredential, fmt.Errorf("look for the login of %s in %s: %w", host, file, err)
				}
				if found != auth.EmptyCredential {
					return found, nil
				}
			}
		}
		return auth.EmptyCredential, nil
	}
}

// loginKeys are the names that a login may have in a file, the closest first.
func loginKeys(host, repository, file string) (keys []string) {
	if filepath.Base(file) == podmanFile {
		for part := repository; part != "." && part != "/"; part = path.Dir(part) {
			keys = append(keys, host+"/"+part)
		}
	}
	return append(keys, credentials.ServerAddressFromHostname(host))
}
