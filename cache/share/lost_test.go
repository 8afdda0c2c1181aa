package share

import (
	"errors"
	"os"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

// What a remote has lost, or has damaged, is there again after a build that had
// to make it again and may store it: for everybody, by whatever pack.
func TestWhatIsLostIsSentAgain(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"gone": func([]byte) []byte { return nil }, "altered": inverted,
		"truncated": func(b []byte) []byte { return b[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			r := newFakeRemote("dir:/r")
			a := newMachine(t, to(r))
			one := a.put("one")
			a.send(one, a.put("two", one))
			r.damage(change)

			b := newMachine(t, Options{From: places(r), To: places(r)})
			b.find("one")
			hits := []*cache.Record{b.hit("one"), b.hit("two")}
			// Hits are sent before anybody knows that they are of no use.
			for _, hit := range hits {
				b.share.Send(Sent{Record: hit, Deliver: func(string) bool { return false }})
			}
			if _, err := b.store.LayerDir(hits[0].Layers[0]); !errors.Is(err, cache.ErrMissing) {
				t.Fatalf("the layer: %v", err)
			}
			again := b.put("one")
			b.send(again, b.put("two", again))

			for _, by := range []string{"image", "node"} {
				c := newMachine(t, from(r))
				if by == "node" {
					delete(r.objects, c.share.imageName("main"))
				}
				c.find("one")
				c.find("two")
				for _, node := range []string{"one", "two"} {
					hit := c.hit(node)
					for _, layer := range hit.Layers {
						dir, err := c.store.LayerDir(layer)
						check(t, err)
						_, err = os.ReadDir(dir)
						check(t, err)
					}
					_, err := c.store.ReadBlob(hit.Outputs["large"].Digest)
					check(t, err)
				}
				c.quiet()
			}
		})
	}
}
