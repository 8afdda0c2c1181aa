package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/diskroot"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/packages"
	"github.com/dibgraph/dibgraph/internal/sandbox"
	"github.com/dibgraph/dibgraph/steps"
)

// loadDisk reads what is in the root filesystem of a disk image. It is mounted
// in namespaces of its own, which takes root.
func loadDisk(ctx context.Context, name, path string) (*side, error) {
	if os.Geteuid() != 0 {
		return nil, &hintError{fmt.Errorf("%s: not running as root: a disk image has to be mounted to be read", name),
			"run the same command with sudo -E, or compare builds or tar files"}
	}
	disk, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer disk.Close()
	if filepath.Ext(path) != ".raw" && filepath.Ext(path) != "" && filepath.Ext(path) != ".img" {
		raw, err := asRaw(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		defer raw.Close()
		disk = raw
	}
	listing, report, err := listDisk(ctx, disk)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &side{name: name, root: listing, packages: report.Packages, manager: report.Manager}
	if report.Unreadable != "" {
		s.noPackages(report.Unreadable)
	}
	if report.Others > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s: only the root filesystem is compared, of a disk with %s more", name, plural(report.Others, "partition")))
	}
	return s, nil
}

// asRaw converts an image of another format to a file without a name, which
// goes away with this process.
func asRaw(ctx context.Context, path string) (_ *os.File, err error) {
	raw, err := os.CreateTemp("", "dibgraph-*.raw")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(raw.Name()); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	source, err := filepath.Abs(path)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	convert := command.Cmd{
		Path: "qemu-img", Args: []string{"convert", "-O", "raw", source, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), raw.Fd())},
		Env: []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}, Dir: "/",
	}
	if err := convert.Run(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return raw, nil
}

// A diskReport comes back from the sandbox, besides the listing.
type diskReport struct {
	Manager    string
	Packages   map[string]string
	Unreadable string
	Others     int
}

// listDisk mounts a disk in a sandbox and lists its root filesystem.
func listDisk(ctx context.Context, disk *os.File) (*cache.Listing, diskReport, error) {
	var report diskReport
	from, to, err := os.Pipe()
	if err != nil {
		return nil, report, err
	}
	defer from.Close()
	text, read := []byte(nil), make(chan error, 1)
	go func() {
		var err error
		text, err = io.ReadAll(from)
		read <- err
	}()
	err = sandbox.Run(ctx, sandbox.Config{Program: "list disk", Stdout: to, Stderr: os.Stderr, Extra: []*os.File{disk}}, &report)
	err = errors.Join(err, to.Close(), <-read)
	if err != nil {
		return nil, report, err
	}
	listing, err := cache.ParseListing(text)
	return listing, report, err
}

func init() {
	sandbox.Register("list disk", func(context.Context, []byte) (any, error) { return listRoot(sandbox.Extra(0)) })
}

// listRoot writes the listing of a disk's root filesystem to standard output.
// It runs in the sandbox.
func listRoot(disk *os.File) (report diskReport, err error) {
	defer disk.Close()
	if err := os.MkdirAll(steps.RunDir, 0o755); err != nil {
		return report, err
	}
	if err := mount.Type("tmpfs", "tmpfs", steps.RunDir, 0, "mode=0755,size=1m"); err != nil {
		return report, err
	}
	root, others, err := diskroot.Mount(disk, steps.RunDir)
	if err != nil {
		return report, err
	}
	report.Others = others
	report.Manager, report.Packages, err = packages.Installed(func(path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(root, path))
	})
	if errors.Is(err, packages.ErrUnreadable) {
		report.Unreadable = err.Error()
	} else if err != nil {
		return report, err
	}
	listing, err := cache.ListUpper(root, cache.LayerOptions{Volatile: rootPatterns(elements.VolatilePaths())})
	if err != nil {
		return report, err
	}
	listing.Remove("lost+found") // which no tree has: it came with the filesystem
	text, err := listing.AppendText(nil)
	if err != nil {
		return report, err
	}
	_, err = os.Stdout.Write(text)
	return report, err
}
