package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// newExported builds an image whose hooks do to files what layers have a special
// form for, and returns what the kernel shows of its last state.
func newExported(t *testing.T) (*program, map[string]string) {
	t.Helper()
	p := newProgram(t)
	p.write("elements/app/install.d/50-app", `#!/bin/bash
set -e
mkdir -p /opt/{opaque,replaced,gone}/sub /opt/kept /opt/owned /opt/moved/deep
for f in opaque/old opaque/sub/old replaced/sub/old gone/sub/old kept/a kept/b kept/c moved/deep/file; do echo $f > /opt/$f; done
echo file > /opt/becomes-dir
ln -s kept /opt/link
echo linked > /opt/linked && ln /opt/linked /opt/kept/linked && ln /opt/linked /opt/linked-too
mkfifo /srv/pipe
mknod -m 600 /srv/device c 1 3
mknod -m 640 /srv/disk b 7 9
echo setuid > /opt/setuid && chown 12:34 /opt/setuid && chmod 4750 /opt/setuid
chown 1000:1001 /opt/owned && chmod 3771 /opt/owned
echo odd > "/opt/$(printf 'odd\nname \377')"
echo long > /opt/$(printf '%0200d' 1)
mkdir -p /opt/$(printf '%0100d/%0100d' 1 2) && echo deep > /opt/$(printf '%0100d/%0100d/%0100d' 1 2 3)
printf 'data' > /opt/sparse && dd if=/dev/zero of=/opt/sparse bs=1 count=1 seek=1048576 2>/dev/null
`)
	p.write("elements/app/install.d/60-change", `#!/bin/bash
set -e
rm -r /opt/opaque && mkdir /opt/opaque && echo new > /opt/opaque/new
rm -r /opt/replaced && echo file now > /opt/replaced
rm -r /opt/gone /opt/kept/a
rm /opt/becomes-dir && mkdir /opt/becomes-dir && echo inside > /opt/becomes-dir/inside
echo more >> /opt/kept/b
chmod 700 /opt/kept
mv /opt/moved/deep /opt/deep
echo mended >> /opt/linked
rm /opt/link && ln -s opaque /opt/link
`)
	p.write("elements/app/install.d/70-again", "#!/bin/bash\nset -e\nrm -r /opt/becomes-dir\nmkdir /opt/gone\necho again > /opt/gone/again\nrm /opt/opaque/new\n")
	// The image has no tool for it, the test has.
	p.write("elements/app/post-root.d/50-app", "#!/bin/bash\nxattr \"$TMP_MOUNT_PATH/opt/kept/b\" user.app value\n")
	p.write("elements/app/post-root.d/60-last", "#!/bin/bash\necho last > $TMP_MOUNT_PATH/opt/last\n")
	p.buildApp()
	p.run("shell", "--after", "-c", "cp -a -x $TMP_MOUNT_PATH "+p.path("want"), "post-root.d/60-last")
	want := describeTree(t, p.path("want"))
	// The shell has these mounted; the state has them as they were made.
	want["proc"], want["sys"] = want["srv"], want["srv"]
	const noResolver = "# The host's name servers are here while hooks run.\n"
	want["etc/resolv.conf"] = fmt.Sprintf("-rwxrwxrwx 0:0 %d bytes %x", len(noResolver), sha256.Sum256([]byte(noResolver)))
	wantFile(t, want, "opt/opaque", "d", "")
	wantFile(t, want, "opt/kept/b", "-", "app=value")
	wantFile(t, want, "opt/linked", "-", "")
	for _, gone := range []string{"opt/opaque/old", "opt/opaque/new", "opt/gone/sub", "opt/kept/a", "opt/becomes-dir"} {
		if text, ok := want[gone]; ok {
			t.Errorf("the state has %s: %s", gone, text)
		}
	}
	return p, want
}

func TestExport(t *testing.T) {
	p, want := newExported(t)
	rootfs := func(layout, tag string) map[string]string {
		bundle := layout + ".bundle"
		p.tool("umoci", "unpack", "--image", layout+":"+tag, bundle)
		return describeTree(t, p.path(bundle+"/rootfs"))
	}

	t.Run("tar", func(t *testing.T) {
		p.run("export", "--format", "tar", "-o", "root.tar")
		p.tool("mkdir", "tar")
		p.tool("tar", "-C", "tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", "root.tar")
		compareTrees(t, describeTree(t, p.path("tar")), want)
		if out, _ := p.run("export", "--format", "tar", "-o", "-"); out != p.read("root.tar") {
			t.Error("the archive on the standard output is another one")
		}
	})
	t.Run("dir", func(t *testing.T) {
		p.run("export", "--format", "dir", "-o", "dir")
		compareTrees(t, describeTree(t, p.path("dir")), want)
		var st unix.Stat_t
		if err := unix.Stat(p.path("dir/opt/sparse"), &st); err != nil || st.Blocks*512 >= st.Size {
			t.Errorf("the sparse file has %d blocks for %d bytes, %v", st.Blocks, st.Size, err)
		}
		wants(t, p.fails(1, "export", "--format", "dir", "-o", "dir"), "dir: the directory is not empty", "hint: name a new directory")
	})
	t.Run("oci", func(t *testing.T) {
		out, _ := p.run("export", "--format", "oci", "-o", "layers", "--tag", "app:1.0")
		compareTrees(t, rootfs("layers", "app:1.0"), want)
		image := p.inspect("oci:layers")
		if want := "layers@" + image.Digest + "\n"; out != want {
			t.Errorf("it says %q, want %q", out, want)
		}
		if image.Architecture != "amd64" || image.Os != "linux" || len(image.Layers) < 4 {
			t.Errorf("skopeo finds %+v", image)
		}
		var config struct {
			History []struct {
				Maker string `json:"created_by"`
				Empty bool   `json:"empty_layer"`
			}
			Config struct{ Cmd, Env []string }
		}
		if err := json.Unmarshal([]byte(p.tool("skopeo", "inspect", "--config", "oci:layers")), &config); err != nil {
			t.Fatal(err)
		}
		var makers []string
		for _, h := range config.History {
			if !h.Empty {
				makers = append(makers, h.Maker)
			}
		}
		if len(makers) != len(image.Layers) || !slices.Contains(makers, "dibgraph: install.d/60-change") {
			t.Errorf("the makers of %d layers are %q", len(image.Layers), makers)
		}
		if got := strings.Join(append(config.Config.Cmd, config.Config.Env...), " "); got != "/bin/sh "+containerPath {
			t.Errorf("it runs with %q", got)
		}
	})
	t.Run("squash", func(t *testing.T) {
		p.run("export", "--format", "oci", "-o", "squashed.tar", "--squash", "--compress", "zstd")
		image := p.inspect("oci-archive:squashed.tar")
		if len(image.Layers) != 1 {
			t.Errorf("skopeo finds %+v", image)
		}
		// umoci reads no zstd.
		p.tool("skopeo", "copy", "-q", "--dest-compress-format", "gzip", "--dest-compress", "oci-archive:squashed.tar", "dir:squashed")
		p.tool("skopeo", "copy", "-q", "dir:squashed", "oci:squashed-layout:one")
		compareTrees(t, rootfs("squashed-layout", "one"), want)
	})
	t.Run("docker", func(t *testing.T) {
		p.run("export", "--format", "docker", "-o", "docker.tar", "--tag", "localhost/app:1.0")
		p.tool("skopeo", "copy", "-q", "docker-archive:docker.tar", "oci:docker:one")
		compareTrees(t, rootfs("docker", "one"), want)
		if image := p.inspect("docker-archive:docker.tar:localhost/app:1.0"); len(image.Layers) < 4 {
			t.Errorf("skopeo finds %+v", image)
		}
	})
	t.Run("earlier node", func(t *testing.T) {
		p.run("export", "install.d/50-app", "--format", "tar", "-o", "earlier.tar")
		wants(t, p.tool("tar", "-tf", "earlier.tar"), "./opt/kept/a\n", "./opt/opaque/sub/old\n", "!./opt/last\n", "!hooks")
		wants(t, p.fails(1, "export", "env:root", "--format", "tar", "-o", "none.tar"), "export: env:root: a node of kind environment leaves no tree", "hint: name the last hook before it")
	})
	if left := p.tool("sh", "-c", "ls -A | grep '\\.part' || true"); left != "" {
		t.Errorf("there is left over %q", left)
	}
}

// The same state gives the same bytes, whatever is done at the same time.
func TestExportIsReproducible(t *testing.T) {
	p, _ := newExported(t)
	for _, form := range [][]string{{"tar"}, {"docker"}, {"oci"}, {"oci", "--squash"}, {"oci", "--compress", "zstd"}} {
		args := append([]string{"export", "--format"}, form...)
		p.run(append(args, "-o", "one.tar")...)
		p.run(append(args, "-o", "two.tar")...)
		if p.read("one.tar") != p.read("two.tar") {
			t.Errorf("%q gives something else the second time", form)
		}
	}
}

// What is not in the store as it was recorded becomes no image.
func TestExportOfDamagedStore(t *testing.T) {
	p, _ := newExported(t)
	var broken int
	err := filepath.WalkDir(p.path("store/layers"), func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "/mnt/opt/last") {
			broken++
			return os.WriteFile(path, []byte("evil\n"), 0o644)
		}
		return err
	})
	if err != nil || broken != 1 {
		t.Fatalf("%d files, %v", broken, err)
	}
	for _, form := range []string{"tar", "dir", "oci", "docker"} {
		wants(t, p.fails(1, "export", "--format", form, "-o", "bad-"+form), `"opt/last"`, "is not what was recorded")
	}
	if left := p.tool("sh", "-c", "ls -A | grep bad- || true"); left != "" {
		t.Errorf("there is %q", left)
	}
}

// A skopeoImage is what skopeo says of an image.
type skopeoImage struct {
	Digest, Architecture, Os, Created string
	Layers                            []string
}

func (p *program) inspect(image string, args ...string) (found skopeoImage) {
	p.t.Helper()
	out := p.tool("skopeo", append(append([]string{"inspect"}, args...), image)...)
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		p.t.Fatalf("%s: %v", out, err)
	}
	return found
}

// What a registry gets is what comes back, and what it has is not sent again.
func TestExportToRegistry(t *testing.T) {
	r := newRegistry(t)
	p, want := newExported(t)
	out, _ := p.run("export", "--push", r.image("team/app:1.0"))
	image := p.inspect("docker://"+r.host+"/team/app:1.0", "--tls-verify=false")
	if said := r.image("team/app:1.0") + "@" + image.Digest + "\n"; out != said {
		t.Errorf("it says %q, want %q", out, said)
	}
	p.tool("skopeo", "copy", "-q", "--src-tls-verify=false", "docker://"+r.host+"/team/app:1.0", "oci:copy:one")
	p.tool("umoci", "unpack", "--image", "copy:one", "bundle")
	compareTrees(t, describeTree(t, p.path("bundle/rootfs")), want)

	// One hook more is one layer more, and the rest is there.
	r.forget()
	p.write("elements/app/post-root.d/80-more", "#!/bin/bash\necho more > $TMP_MOUNT_PATH/opt/more\n")
	p.buildApp()
	p.run("export", "--push", r.image("team/app:latest"))
	if n := r.asked("PUT", "/blobs/"); n != 2 {
		t.Errorf("%d parts were sent, want a layer and a configuration", n)
	}
	if again := p.inspect("docker://"+r.host+"/team/app:1.0", "--tls-verify=false"); again.Digest != image.Digest {
		t.Errorf("the other tag is now %s", again.Digest)
	}

	wants(t, p.fails(1, "export", "--push", "oci://127.0.0.1:1/app:1.0"), "oci://127.0.0.1:1/app:1.0: ", "connection refused")
	wants(t, p.fails(2, "export", "--push", "registry/app"), `"registry/app" is no address of an image`)
	wants(t, p.fails(2, "export", "--push", "oci://me:hidden@registry/app"), "the address of the image says who we are", "!hidden")
}
