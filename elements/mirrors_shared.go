package elements

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
)

// MirrorsFor returns what the builds of images that are built together go by,
// one for each. Images that would ask in the same way have the same one, so that
// they are judged by the same states, and by what any of them fetched meanwhile.
func MirrorsFor(ctx context.Context, store *cache.Store, images []*Image) []*Mirrors {
	shared := make(map[string]*Mirrors)
	list := make([]*Mirrors, len(images))
	for i, img := range images {
		way := img.Definition.wayToMirrors()
		if shared[way] == nil {
			shared[way] = NewMirrors(ctx, store, img)
		}
		list[i] = shared[way]
	}
	return list
}

// wayToMirrors is equal for definitions that ask in the same way: when, with
// which credentials, and with the variables that git and proxies go by. It holds
// secrets and is shown to nobody.
func (d Definition) wayToMirrors() string {
	way := []string{fmt.Sprint(d.Offline, d.CheckMirrors)}
	for _, name := range slices.Sorted(maps.Keys(d.Environment)) {
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, "_proxy") || strings.HasPrefix(name, "GIT_") || slices.Contains([]string{"PATH", "HOME", "SSH_AUTH_SOCK"}, name) {
			way = append(way, fmt.Sprintf("%s=%q", name, d.Environment[name]))
		}
	}
	users := userinfo(d.Environment)
	for _, host := range slices.Sorted(maps.Keys(users)) {
		way = append(way, fmt.Sprintf("%s@%q", users[host], host))
	}
	return strings.Join(way, "\n")
}
