package oci

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// logins returns the files in which docker, podman and the like keep what a
// registry wants to know, the first to look at first.
func logins(env func(string) string) (files []string) {
	home := env("HOME")
	add := func(dir string, rest ...string) {
		if dir != "" {
			files = append(files, filepath.Join(append([]string{dir}, rest...)...))
		}
	}
	add(env("REGISTRY_AUTH_FILE"))
	if dir := env("DOCKER_CONFIG"); dir != "" {
		add(dir, "config.json")
	} else {
		add(home, ".docker", "config.json")
	}
	add(env("XDG_RUNTIME_DIR"), "containers", "auth.json")
	if dir := env("XDG_CONFIG_HOME"); dir != "" {
		add(dir, "containers", "auth.json")
	} else {
		add(home, ".config", "containers", "auth.json")
	}
	return files
}

// credential looks for what the registry wants to know when it first asks; a
// registry that does not ask is not told.
func credential(repository string, files []string) auth.CredentialFunc {
	return func(ctx context.Context, host string) (auth.Credential, error) {
		for _, file := range files {
			store, err := credentials.NewStore(file, credentials.StoreOptions{})
			if err != nil {
				return auth.EmptyCredential, fmt.Errorf("read the logins in %s: %w", file, err)
			}
			for _, key := range keys(host, repository, file) {
				found, err := store.Get(ctx, key)
				if err != nil {
					return auth.EmptyCredential, fmt.Errorf("ask for the login of %s that %s names: %w", host, file, err)
				}
				if found != auth.EmptyCredential {
					return found, nil
				}
			}
		}
		return auth.EmptyCredential, nil
	}
}

// keys are the names under which a file may have the login: podman's have some
// for a part of a registry, the longest of which counts.
func keys(host, repository, file string) (all []string) {
	if filepath.Base(file) == "auth.json" {
		for part := repository; part != ""; {
			all = append(all, host+"/"+part)
			cut := strings.LastIndexByte(part, '/')
			part = part[:max(cut, 0)]
		}
	}
	return append(all, credentials.ServerAddressFromHostname(host))
}
