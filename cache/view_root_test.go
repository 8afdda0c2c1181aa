package cache

import (
	"testing"

	"pgregory.net/rapid"
)

// A view is what a mount of the same layers shows.
func TestViewIsWhatAMountShows(t *testing.T) {
	s := rootStore(t)
	rapid.Check(t, func(rt *rapid.T) {
		k := newStack(t, s, files(t, s))
		for range rapid.IntRange(1, 5).Draw(rt, "steps") {
			changes := rapid.IntRange(1, 8).Draw(rt, "changes")
			k.step(func(root string) {
				for range changes {
					mutate(rt, root)
				}
			})
		}
		v := must[*View](t)(s.View(k.layers))
		if want := k.view(k.lower()); !sameFiles(v.Entries, want) {
			rt.Errorf("the view has\n%+v, the mount shows\n%+v", v.Entries, want)
		}
	})
}
