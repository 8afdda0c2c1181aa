package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// An edit of a hook of diskimage-builder's elements runs that hook and what comes
// after it, and nothing before.
func TestCompatEdit(t *testing.T) {
	requireCompat(t)
	own, err := filepath.Abs(filepath.Join("testdata", "compat"))
	if err != nil {
		t.Fatal(err)
	}
	s := newCompatSite(t, &compatCase{
		name:     "edit",
		elements: []string{"small-system", "devuser", "runtime-ssh-host-keys", "element-manifest", "sysprep"},
		options:  []string{"-n", "-t", "tar"},
		env:      []string{"DIB_DEV_USER_AUTHORIZED_KEYS=$CASE/files/keys", "ELEMENTS_PATH=" + own + ":$CASE/originals"},
		files:    map[string]string{"files/keys": "ssh-ed25519 BBBB somebody else\n"},
		small:    true,
	}, compatShared(t))
	s.tool("cp", "-a", foreignElements, "originals")
	s.dibgraph()
	s.dibgraphAgain()
	for _, hook := range []string{
		"dpkg/root.d/50-trim-dpkg", "element-manifest/extra-data.d/75-inject-element-manifest",
		"dib-init-system/install.d/20-install-init-scripts", "devuser/install.d/50-devuser", "runtime-ssh-host-keys/post-install.d/80-ssh-keygen",
	} {
		t.Run(hook, func(t *testing.T) {
			name := "originals/" + hook
			before := s.read(name)
			s.write(name, before+"\nmkdir -p ${TARGET_ROOT:-${TMP_MOUNT_PATH:-}}/edited || mkdir -p /edited\n")
			s.dibgraph()
			s.runsFrom(t, filepath.Join(filepath.Base(filepath.Dir(hook)), filepath.Base(hook)))
			s.write(name, before)
			s.dibgraphAgain()
		})
	}
}

// runsFrom checks that a node was the first that ran.
func (s *compatSite) runsFrom(t *testing.T, name string) {
	t.Helper()
	nodes := lastRecorded(t, filepath.Join(s.shared, "store")).Nodes
	first := slices.IndexFunc(nodes, func(n cache.BuildNode) bool { return n.Status != string(graph.Hit) })
	if first < 0 || nodes[first].Name != name {
		t.Errorf("the first node that ran is %v, want %s", nodes[max(first, 0)].Name, name)
	}
}

// compatShared is the directory that all cases of a run share.
func compatShared(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv(compatReference); dir != "" {
		return dir
	}
	return t.TempDir()
}
