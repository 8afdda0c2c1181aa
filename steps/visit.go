package steps

import (
	"context"

	"github.com/dibgraph/dibgraph/graph"
)

// A Visit looks at a recorded tree, for which there need not be a step any more.
type Visit struct {
	Site *Site
	// Values is the environment.
	Values map[string]string
	// Chroot says that it is inside the image, Kernel that proc, dev and sys
	// are mounted there.
	Chroot, Kernel bool
}

// Shell implements [Sheller].
func (v *Visit) Shell(ctx context.Context, w *graph.Work, command string, files Files) error {
	return shell(ctx, v.Site, w, hookRun{Tree: tree{Kernel: v.Kernel, HooksBind: v.Chroot}}, v.Values, command, files)
}
