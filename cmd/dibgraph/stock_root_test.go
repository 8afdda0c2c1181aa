package main

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// packageTools stand in for apt and dpkg in a system that has no packages: they
// write down how they are called.
var packageTools = map[string]string{
	"usr/bin/apt-get":     "echo \"apt-get $*\" | sed 's/ -o [^ ]*//g' >>/var/lib/calls\n",
	"usr/bin/dpkg-query":  "case \"$*\" in *grub*) printf 'grub-pc:installed\\ngrub-efi-amd64:not-installed\\n' ;; esac\n",
	"usr/bin/dpkg-divert": "echo /usr/sbin/update-initramfs\n",
}

// A tinySystem is a directory with what root.d of the element tiny makes.
type tinySystem struct {
	*program
	dir string
}

// newTinySystem makes one in a directory of the program.
func (p *program) newTinySystem(dir string) *tinySystem {
	p.t.Helper()
	s := &tinySystem{program: p, dir: dir}
	p.write(dir+"/usr/lib/os-release", "NAME=tiny\n")
	p.tool("env", "TARGET_ROOT="+p.path(dir), p.shared()+"/tiny/root.d/10-tiny")
	p.tool("ln", "-s", "../usr/lib/os-release", dir+"/etc/os-release")
	return s
}

// shared is where the elements of testdata are.
func (p *program) shared() string {
	for _, variable := range p.env {
		if path, ok := strings.CutPrefix(variable, "ELEMENTS_PATH="); ok {
			return path[strings.LastIndex(path, ":")+1:]
		}
	}
	return ""
}

// write makes a file of the system.
func (s *tinySystem) write(name, text string) { s.program.write(s.dir+"/"+name, text) }

// stand lets programs stand in for those of a package manager.
func (s *tinySystem) stand(tools map[string]string) {
	for name, text := range tools {
		s.tool("rm", "-f", s.dir+"/"+name)
		s.write(name, "#!/bin/bash\nset -eu\n"+text)
	}
	s.tool("mkdir", "-p", s.dir+"/var/lib", s.dir+"/usr/local/bin")
}

// take copies a program of this machine with its libraries.
func (s *tinySystem) take(name string) {
	s.t.Helper()
	s.tool("bash", "-euc", `path=$(command -v "$1"); cd "$2"; rm -f "usr/bin/$1"; cp -L "$path" usr/bin
		ldd "$path" | sed -n 's/^.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | xargs cp -L --parents -t .`, "take", name, s.dir)
}

// inTar returns the text of a file in image.tar.
func (p *program) inTar(name string) string {
	p.t.Helper()
	return p.tool("tar", "-xOf", "image.tar", "./"+name)
}

// An Ubuntu begins with the cloud image of its release, which is checked, or with
// a file of the machine.
func TestStockUbuntu(t *testing.T) {
	p, m := newProgram(t), newMirror(t)
	p.env = append(p.env, "DIB_CLOUD_IMAGES="+m.URL+"/noble", "DIB_APT_LOCAL_CACHE=0", "DIB_DISTRIBUTION_MIRROR=http://mirror.example.org/ubuntu",
		"DIB_DISTRIBUTION_MIRROR_UBUNTU_IGNORE=-security")
	s := p.newTinySystem("cloud")
	s.stand(packageTools)
	s.take("install")
	for _, dir := range []string{"apt/apt.conf.d", "apt/sources.list.d", "apt/trusted.gpg.d", "dpkg/dpkg.cfg.d", "cloud/cloud.cfg.d"} {
		s.write("etc/"+dir+"/.keep", "")
	}
	s.write("etc/apt/sources.list", "# of Ubuntu\ndeb [arch=amd64] http://a.example.org/ubuntu noble main\ndeb http://b.example.org/ubuntu noble-security main\n")
	s.write("etc/apt/sources.list.d/ubuntu.sources", "Types: deb\nURIs: http://a.example.org/ubuntu/\nSuites: noble")
	p.tool("mksquashfs", "cloud", "cloud.squashfs", "-quiet", "-no-progress", "-comp", "gzip", "-Xcompression-level", "1")
	image := p.read("cloud.squashfs")
	m.put("/noble/noble-server-cloudimg-amd64.squashfs", "", image)
	m.put("/noble/SHA256SUMS", "", fmt.Sprintf("%x *noble-server-cloudimg-amd64.squashfs\n", sha256.Sum256([]byte(image))))
	build := func(env ...string) string {
		t.Helper()
		cmd := p.command("build", "-n", "-a", "amd64", "-t", "tar", "ubuntu")
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}

	wants(t, build(), "ran   source:ubuntu-image", "ran   root.d/10-cache-ubuntu-tarball")
	wants(t, p.inTar("var/lib/calls"), "remove grub-pc\n", "!grub-efi", "install linux-image-generic\n", "autoremove\n")
	wants(t, p.inTar("etc/apt/sources.list"), "# of Ubuntu\ndeb [arch=amd64] http://mirror.example.org/ubuntu noble main\ndeb http://b.example.org/ubuntu noble-security main\n")
	wants(t, p.inTar("etc/apt/sources.list.d/ubuntu.sources"), "Types: deb\nURIs: http://mirror.example.org/ubuntu\nSuites: noble\n")
	wants(t, p.inTar("etc/cloud/cloud.cfg.d/91-dib-cloud-init-datasources.cfg"), "datasource_list: [ Ec2 ]\n")

	m.asked()
	wants(t, build(), "image: nothing ran")
	if got := m.asked(); got != "[GET /noble/SHA256SUMS:1]" {
		t.Errorf("a build of nothing made the requests %s", got)
	}

	// The same system in a file of this machine, of another form.
	p.tool("tar", "-C", "cloud", "-cf", "local.img", ".")
	wants(t, build("DIB_LOCAL_IMAGE=local.img"), "run   root.d/10-cache-ubuntu-tarball", ", same result as before", "hit   root.d/50-trim-dpkg")
	if got := m.asked(); got != "[]" {
		t.Errorf("a build of a local image made the requests %s", got)
	}

	// One that is not what the list says is not used.
	m.put("/noble/noble-server-cloudimg-amd64.squashfs", "", "damaged")
	m.put("/noble/SHA256SUMS", "", strings.Repeat("0", 64)+" *noble-server-cloudimg-amd64.squashfs\n")
	wants(t, p.fails(1, "build", "-n", "-a", "amd64", "-t", "tar", "ubuntu"), "the checksum is wrong", "ubuntu/dibgraph.yaml:2: ")
}
