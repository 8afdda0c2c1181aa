package main

import (
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/settings"
)

// cacheLimits say what a build may make of the local store.
type cacheLimits struct {
	maxSize, minFree byteSize
	flags            *pflag.FlagSet
	settings         settings.Settings // for what no flag says
}

func (l *cacheLimits) addFlags(f *pflag.FlagSet) {
	f.Var(&l.maxSize, "cache-max-size", "the most that the local store may take, such as 20GB (default: no limit)")
	f.Var(&l.minFree, "cache-min-free", "the least that is to be free on its filesystem; 0 is no limit (default: a tenth of it, at most 5GiB)")
	l.flags = f
}

// size returns the most that the store may take; 0 is no limit.
func (l *cacheLimits) size() int64 {
	if l.flags.Changed("cache-max-size") {
		return int64(l.maxSize)
	}
	return l.settings.MaxSize
}

// free returns how much of the filesystem of a store, which may not be there
// yet, is to stay free. Where that cannot be found out, opening it says why.
func (l *cacheLimits) free(dir string) int64 {
	given := l.settings.MinFree
	switch {
	case l.flags.Changed("cache-min-free"):
		return int64(l.minFree)
	case given.Bytes > 0:
		return given.Bytes
	}
	for {
		if total, err := cache.FilesystemSize(dir); err == nil {
			if given.Percent > 0 {
				return total / 100 * int64(given.Percent)
			}
			return cache.DefaultMinFree(total)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return 0
		}
		dir = parent
	}
}
