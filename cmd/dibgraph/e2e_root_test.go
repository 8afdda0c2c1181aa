package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/qemu"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// release is what the tests build: one whose archives no longer change much.
const release = "bookworm"

// bootPatience is how long an image may take to its login prompt in software
// emulation, on a machine that runs other tests meanwhile; 40 s if it is idle.
const bootPatience = 6 * time.Minute

// foreignElements is where Debian's python3-diskimage-builder has its elements.
const foreignElements = "/usr/lib/python3/dist-packages/diskimage_builder/elements"

// A workshop builds real images with one store.
type workshop struct {
	t     *testing.T
	dir   string
	store string
	env   []string
}

func newWorkshop(t *testing.T, env ...string) *workshop {
	t.Helper()
	dir := t.TempDir()
	return &workshop{t: t, dir: dir, store: filepath.Join(dir, "store"), env: append(env,
		"PATH="+os.Getenv("PATH"), "HOME="+dir, "DIB_RELEASE="+release)}
}

// build runs a build and returns what its history says.
func (w *workshop) build(args ...string) *cache.Build {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "/proc/self/exe")
	cmd.Args = append([]string{"dibgraph", "build", "--cache-dir", w.store}, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("dibgraph %q: %v\n%s", args, err, out)
	}
	cmd = exec.CommandContext(w.t.Context(), "/proc/self/exe")
	cmd.Args = []string{"dibgraph", "explain", "--cache-dir", w.store, "--all", "--json"}
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("explain: %v", err)
	}
	var b cache.Build
	if err := json.Unmarshal(out, &b); err != nil {
		w.t.Fatal(err)
	}
	return &b
}

func ran(b *cache.Build) []string {
	var names []string
	for _, n := range b.Nodes {
		if n.Status != string(graph.Hit) {
			names = append(names, n.Name)
		}
	}
	return names
}

// boots starts an image and waits for its login prompt on the serial console.
func (w *workshop) boots(image string, o qemu.Options) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), bootPatience)
	defer cancel()
	o.Memory = 1024
	console, err := qemu.Boot(ctx, filepath.Join(w.dir, image), o)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := console.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	if _, err := console.Expect(ctx, `\blogin: `); err != nil {
		w.t.Errorf("%s does not boot: %v", image, err)
	}
}

// The image that the README promises, from nothing to the login prompt.
func TestDebianFromEmbeddedElements(t *testing.T) {
	t.Parallel()
	testroot.Require(t)
	testroot.CheckMounts(t)
	w := newWorkshop(t)
	cold := w.build("-o", "debian", "debian-minimal", "vm")
	if b := w.build("-o", "debian", "debian-minimal", "vm"); len(ran(b)) > 0 {
		t.Errorf("the second build ran %q", ran(b))
	}
	w.boots("debian.qcow2", qemu.Options{Format: "qcow2"})
	t.Logf("cold build in %s", cold.Duration.Round(time.Second))

	// Other disks share what comes before the elements differ.
	for _, layout := range []struct {
		name     string
		firmware qemu.Firmware
	}{{"block-device-gpt", qemu.BIOS}, {"block-device-efi", qemu.UEFI}} {
		b := w.build("-o", layout.name, "-t", "raw", "debian-minimal", "vm", layout.name)
		for _, name := range ran(b) {
			if strings.HasPrefix(name, "root.d/08") {
				t.Errorf("%s bootstrapped the same system again", layout.name)
			}
		}
		w.boots(layout.name+".raw", qemu.Options{Format: "raw", Firmware: layout.firmware})
	}
}

// The elements of the original, unmodified.
func TestDebianFromForeignElements(t *testing.T) {
	t.Parallel()
	testroot.Require(t)
	testroot.CheckMounts(t)
	if _, err := os.Stat(foreignElements); err != nil {
		t.Fatalf("python3-diskimage-builder is not installed: %v", err)
	}
	// Its release of 2023 asks for a security suite by a name that bookworm
	// no longer has.
	w := newWorkshop(t, "ELEMENTS_PATH="+foreignElements, "DIB_APT_SOURCES_CONF="+aptSources(t))
	w.build("-o", "debian", "debian-minimal", "vm")
	if b := w.build("-o", "debian", "debian-minimal", "vm"); len(ran(b)) > 0 {
		t.Errorf("the second build ran %q", ran(b))
	}
	w.boots("debian.qcow2", qemu.Options{Format: "qcow2"})
}

// aptSources names the suites on the mirrors that the host itself uses.
func aptSources(t testing.TB) string {
	t.Helper()
	mirrors := elements.HostMirrors(os.DirFS("/"))
	main, security := mirrors["DIBGRAPH_DEBIAN_MIRROR"], mirrors["DIBGRAPH_DEBIAN_SECURITY_MIRROR"]
	if main == "" {
		t.Skip("needs a Debian host, whose mirrors it can use")
	}
	var out bytes.Buffer
	out.WriteString("default:deb " + main + " " + release + " main\n")
	if security != "" {
		out.WriteString("security:deb " + security + " " + release + "-security main\n")
	}
	return out.String()
}
