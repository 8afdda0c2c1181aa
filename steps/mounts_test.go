package steps

import (
	"testing"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/mount"
)

// The host of these tests: a disk at /, one at /home, the build tree over it.
var hostMounts = []mount.Info{
	{ID: 1, Major: 8, Minor: 1, Root: "/", Point: "/", FSType: "ext4", Options: "rw,relatime", Super: "rw", Source: "/dev/sda1"},
	{ID: 2, Parent: 1, Major: 8, Minor: 2, Root: "/", Point: "/home", FSType: "ext4", Options: "rw", Super: "rw", Source: "/dev/sda2"},
	{ID: 3, Parent: 1, Major: 8, Minor: 2, Root: "/shared/cache", Point: "/var/shared", FSType: "ext4", Options: "rw", Super: "rw", Source: "/dev/sda2"},
	{ID: 4, Parent: 1, Major: 0, Minor: 50, Root: "/", Point: BuildDir, FSType: "overlay", Options: "rw", Super: "rw", Source: "overlay"},
	{ID: 5, Parent: 1, Major: 0, Minor: 5, Root: "/", Point: "/dev/pts", FSType: "devpts", Options: "rw,nosuid", Super: "rw,gid=5,mode=620,ptmxmode=000", Source: "devpts"},
}

func TestDescribeMount(t *testing.T) {
	const point = "/var/cache/apt"
	at := TargetDir + point
	for _, test := range []struct {
		name  string
		mount mount.Info
		cache string
		want  graph.Mount
	}{
		{
			"a directory of the host",
			mount.Info{Major: 8, Minor: 1, Root: "/srv/apt", FSType: "ext4", Options: "rw,relatime", Super: "rw"},
			"", graph.Mount{Source: "/srv/apt", Point: point},
		},
		{
			"one on another disk of it, read-only",
			mount.Info{Major: 8, Minor: 2, Root: "/user/apt", FSType: "ext4", Options: "ro,relatime", Super: "rw"},
			"", graph.Mount{Source: "/home/user/apt", Point: point, ReadOnly: true},
		},
		{
			"one that is to be seen in two places, by the nearest",
			mount.Info{Major: 8, Minor: 2, Root: "/shared/cache/apt", FSType: "ext4", Options: "rw"},
			"", graph.Mount{Source: "/var/shared/apt", Point: point},
		},
		{
			"the image cache, wherever it is",
			mount.Info{Major: 8, Minor: 2, Root: "/user/.cache/image-create/apt/debian", FSType: "ext4", Options: "rw"},
			"/home/user/.cache/image-create", graph.Mount{Source: cacheToken + "/apt/debian", Point: point},
		},
		{
			"a directory of the build tree",
			mount.Info{Major: 0, Minor: 50, Root: "/hooks/static", FSType: "overlay", Options: "rw"},
			"", graph.Mount{Source: HooksDir + "/static", Point: point},
		},
		{
			"a filesystem of its own",
			mount.Info{Major: 0, Minor: 77, Root: "/", FSType: "tmpfs", Options: "rw,nosuid", Super: "rw,size=1024k", Source: "memory"},
			"/cache", graph.Mount{Source: "memory", Point: point, FSType: "tmpfs", Options: "rw,size=1024k"},
		},
		{
			"a name that only begins like the image cache",
			mount.Info{Major: 8, Minor: 1, Root: "/cache-2/apt", FSType: "ext4", Options: "rw"},
			"/cache", graph.Mount{Source: "/cache-2/apt", Point: point},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := test.mount
			m.ID, m.Parent, m.Point = 99, 4, at
			got := describeMount(m, point, append(hostMounts, m), test.cache)
			if got != test.want {
				t.Errorf("describeMount = %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDevptsOptions(t *testing.T) {
	if got, want := devptsOptions(hostMounts), "gid=5,mode=620,ptmxmode=000"; got != want {
		t.Errorf("options %q, want those of the host, %q", got, want)
	}
	if got, want := devptsOptions(hostMounts[:4]), "mode=620,ptmxmode=666"; got != want {
		t.Errorf("without a devpts on the host options %q, want %q", got, want)
	}
}

func TestBelow(t *testing.T) {
	for _, test := range []struct {
		dir, path, rest string
		ok              bool
	}{
		{"/", "/", "", true},
		{"/", "/etc", "etc", true},
		{"/a", "/a", "", true},
		{"/a", "/a/b/c", "/b/c", true},
		{"/a", "/ab", "", false},
		{"/a/b", "/a", "", false},
		{"/a", "/b", "", false},
	} {
		rest, ok := below(test.dir, test.path)
		if ok != test.ok || ok && rest != test.rest {
			t.Errorf("below(%q, %q) = %q, %t, want %q, %t", test.dir, test.path, rest, ok, test.rest, test.ok)
		}
	}
}
