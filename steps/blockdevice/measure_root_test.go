package blockdevice

import (
	"fmt"
	"testing"

	"github.com/dibgraph/dibgraph/internal/copytree"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// On ext4 with blocks of 4 KiB, which the rule imitates, a tree without holes
// has nearly the size that du counts.
func TestTreeSizeIsCloseToDu(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	const source = "/usr/share/doc"
	size, err := TreeSizeKiB(source)
	must(t, err)
	params := paramsIn(t.TempDir())
	params.ImageSize = fmt.Sprintf("%dKiB", size*2)
	params.RootFSOpts = "-b 4096 -i 4096"
	l, err := Parse([]byte(builtin), "layout", params)
	must(t, err)
	s, err := l.Create(t.Context(), tools)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	must(t, copytree.Copy(t.Context(), source, params.MountBase, copytree.Options{}))

	var du int64
	_, err = fmt.Sscan(output(t, "du", "-s", "-x", "--exclude=lost+found", params.MountBase), &du)
	must(t, err)
	again, err := TreeSizeKiB(params.MountBase)
	must(t, err)
	t.Logf("%s: %d KiB, du on ext4 %d KiB", source, size, du)
	if size < du*98/100 || size > du*102/100 {
		t.Errorf("%s has %d KiB; du on ext4 counts %d", source, size, du)
	}
	// lost+found is 16 KiB of its own making, and one more entry in the top directory.
	if again < size || again > size+20 {
		t.Errorf("on the other filesystem the tree has %d KiB, and had %d", again, size)
	}
}
