package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/copytree"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/sandbox"
	"github.com/dibgraph/dibgraph/steps/blockdevice"
)

// inSandbox makes the disk image. Nothing is undone when it fails: mounts and
// loop devices go with the namespace and its processes.
func (run *diskRun) inSandbox(ctx context.Context) (report diskReport, err error) {
	if err := run.Tree.mount(); err != nil {
		return report, err
	}
	watched := watchTree(run.Tree, filepath.Join(TargetDir, InTarget))
	err = run.make(ctx)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return diskReport{Failed: err.Error(), Status: shellStatus(exit)}, nil
	}
	if err != nil {
		return report, err
	}
	report.Sight = watched().with(run.seen)
	report.Apt = run.apt
	return report, nil
}

// garbagePercent is how much of the memory that is in use there may be in garbage, in
// percent: half of what it is in other programs. What is in use here are the names and
// places of all files, which collections go through quickly.
const garbagePercent = 50

func (run *diskRun) make(ctx context.Context) error {
	debug.SetGCPercent(garbagePercent)
	if err := pack(); err != nil {
		return err
	}
	dynamic, err := run.chooseSize()
	if err != nil {
		return err
	}
	block, rest := run.Phases[0], run.Phases[1:]
	if err := run.blockDevicePhase(ctx, block, dynamic); err != nil {
		return err
	}
	run.say("making partitions and filesystems for %s, and copying the tree", run.Params.ImageSize)
	layout, err := blockdevice.Parse(run.Layout, run.LayoutFile, run.Params)
	if err != nil {
		return err
	}
	state, err := run.create(ctx, layout)
	if err != nil {
		return err
	}
	for _, key := range []string{"image-block-device", "image-block-devices"} {
		dynamic[strings.ToUpper(strings.ReplaceAll(key, "-", "_"))] = state.Value(key)
	}
	if err := run.finalise(ctx, rest, dynamic); err != nil {
		return err
	}
	if run.Tar {
		if err := run.writeTar(ctx); err != nil {
			return err
		}
	}
	run.say("unmounting and checking filesystems")
	if err := state.Umount(ctx); err != nil {
		return err
	}
	if err := state.FinishFilesystems(ctx); err != nil {
		return err
	}
	return run.collectBeside(ctx)
}

// say writes a line to the node's log.
func (run *diskRun) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "disk: "+format+"\n", args...)
}

// pack ends the life of the tree as a place to build in: it is now "built",
// and the image root is where the final filesystem will be mounted.
func pack() error {
	if err := os.RemoveAll(filepath.Join(TargetDir, "lost+found")); err != nil {
		return err
	}
	if err := os.Mkdir(BuiltDir, 0o755); err != nil {
		return err
	}
	return mount.Bind(TargetDir, BuiltDir, false)
}

// chooseSize sets the image size and returns what it makes known to hooks.
func (run *diskRun) chooseSize() (map[string]string, error) {
	run.Size.Tree = BuiltDir
	size, err := blockdevice.ImageSizeKiB(run.Size)
	if err != nil {
		return nil, fmt.Errorf("choose the image size: %w", err)
	}
	run.Params.ImageSize = strconv.FormatInt(size, 10) + "KiB"
	return map[string]string{"DIB_IMAGE_SIZE": strconv.FormatInt(size, 10)}, nil
}

// blockDevicePhase runs the legacy phase whose hooks may bring a block device
// of their own, which nothing here could make part of a cached result.
func (run *diskRun) blockDevicePhase(ctx context.Context, p diskRunPhase, dynamic map[string]string) error {
	var out bytes.Buffer
	if err := run.phase(ctx, p, dynamic, io.MultiWriter(os.Stdout, &out)); err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) {
		// The line is a piece of shell.
		_, device, _ := strings.Cut(line, "IMAGE_BLOCK_DEVICE=")
		if device = strings.Trim(device, "\"'; \t\n"); device != "" {
			return fmt.Errorf("a hook of %s brings the block device %s: such a device cannot be rebuilt from a cache; describe the layout in DIB_BLOCK_DEVICE_CONFIG instead", p.Dir, device)
		}
	}
	return nil
}

// create writes the filesystem table, makes the layout, and copies the tree into it.
func (run *diskRun) create(ctx context.Context, layout *blockdevice.Layout) (*blockdevice.State, error) {
	if err := layout.WriteFstab(filepath.Join(BuiltDir, "etc/fstab")); err != nil {
		return nil, err
	}
	rank, err := run.Tree.ranks()
	if err != nil {
		return nil, fmt.Errorf("list the layers: %w", err)
	}
	return layout.CreateFrom(ctx, runTool, blockdevice.Tree{Dir: BuiltDir, Rank: rank, Say: run.say})
}

// finalise runs the phases that work on the final filesystem and leaves it as
// it will boot.
func (run *diskRun) finalise(ctx context.Context, phases []diskRunPhase, dynamic map[string]string) error {
	if err := mountKernel(TargetDir); err != nil {
		return err
	}
	if _, err := lendResolver(TargetDir); err != nil {
		return err
	}
	before := packagesIn(TargetDir)
	for _, p := range phases {
		if err := run.phase(ctx, p, dynamic, os.Stdout); err != nil {
			return err
		}
	}
	if err := sandbox.KillOthers(); err != nil {
		return err
	}
	fetched, changed := packagesIn(TargetDir).since(before)
	run.apt = aptUses(TargetDir, fetched, changed, phases[0].Values)
	if err := restoreResolver(TargetDir); err != nil {
		return err
	}
	if err := unmountBelow(filepath.Join(TargetDir, "tmp")); err != nil {
		return err
	}
	if err := tidyRoot(TargetDir); err != nil {
		return err
	}
	for _, point := range kernelPoints[1:] {
		if err := mount.Unmount(filepath.Join(TargetDir, point)); err != nil {
			return err
		}
	}
	return nil
}

// phase runs the hooks of one phase with the environment it evaluates.
func (run *diskRun) phase(ctx context.Context, p diskRunPhase, dynamic map[string]string, stdout io.Writer) (err error) {
	hooks, err := effectiveHooks(p.Dir, run.Pattern, run.Tree)
	if err != nil || len(hooks) == 0 {
		return err
	}
	values := maps.Clone(p.Values)
	maps.Copy(values, dynamic)
	if p.Chroot {
		done, failed := run.showHooks()
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	reveal, err := run.Tree.hide()
	if err != nil {
		return err
	}
	if err := run.hooks(ctx, p, hooks, values, stdout); err != nil {
		return err
	}
	return reveal()
}

// hooks evaluates the environment of a phase and runs its hooks.
func (run *diskRun) hooks(ctx context.Context, p diskRunPhase, hooks []PhaseHook, values map[string]string, stdout io.Writer) error {
	env, err := evaluate(ctx, values, p.Chroot, run.Dir)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Dir, err)
	}
	for _, h := range hooks {
		c := command.Cmd{Path: filepath.Join(HooksDir, p.Dir, h.Name), Env: list(env), Dir: run.Dir, Stdout: stdout, Stderr: os.Stderr}
		if p.Chroot {
			c.Root, c.Dir, c.Path = TargetDir, "/", filepath.Join(InTarget, p.Dir, h.Name)
		}
		fmt.Fprintf(os.Stderr, "dib-run-parts Running %s\n", c.Path)
		if err := runCommand(ctx, c, p.NoNetwork[h.Name]); err != nil {
			return p.failure(h.Name, err)
		}
		fmt.Fprintf(os.Stderr, "dib-run-parts %s completed\n", h.Name)
	}
	return nil
}

// showHooks shows the hooks in the image, and observes what is read of them
// there: that is a mount of its own. The function it returns ends both.
func (run *diskRun) showHooks() (done func() error, err error) {
	if err := bindHooks(); err != nil {
		return nil, err
	}
	at := filepath.Join(TargetDir, InTarget)
	watched := watch(nil, at)
	return func() error {
		run.seen = run.seen.with(watched())
		return mount.Unmount(at)
	}, nil
}

// failure names the hook that failed, in place of the command it was.
func (p diskRunPhase) failure(hook string, err error) error {
	name := p.Dir + "/" + hook
	if origin := p.Origins[hook]; origin != "" {
		name += " (" + origin + ")"
	}
	var exit *command.ExitError
	if errors.As(err, &exit) {
		exit.Command = "hook " + name
		return exit
	}
	return fmt.Errorf("hook %s: %w", name, err)
}

// unmountBelow unmounts everything mounted under dir, last first.
func unmountBelow(dir string) error {
	infos, err := mount.Self()
	if err != nil {
		return err
	}
	for i := len(infos) - 1; i >= 0; i-- {
		if rest, ok := below(dir, infos[i].Point); ok && rest != "" {
			if err := mount.Unmount(infos[i].Point); err != nil {
				return err
			}
		}
	}
	return nil
}

// tidyRoot clears what a build leaves in a root: /tmp, logs, and log files of
// root's own.
func tidyRoot(root string) error {
	entries, err := os.ReadDir(filepath.Join(root, "tmp"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(root, "tmp", e.Name())); err != nil {
			return err
		}
	}
	if err := eachFile(filepath.Join(root, "var/log"), func(path string) error { return os.Truncate(path, 0) }); err != nil {
		return err
	}
	return eachFile(filepath.Join(root, "root"), func(path string) error {
		if strings.HasSuffix(path, ".log") {
			return os.Remove(path)
		}
		return nil
	})
}

// DiskEffect says what a [Disk] does to a path of the image by itself, whatever
// its hooks do: an end for a sentence that begins with the path. It is empty for
// a path that is copied as the tree has it. Made says that the path is in the
// image even if the tree does not have it.
func DiskEffect(path string) (effect string, made bool) {
	switch {
	case path == "/etc/fstab":
		return "is written by the disk node", true
	case strings.HasPrefix(path, "/tmp/"), strings.HasPrefix(path, "/root/") && strings.HasSuffix(path, ".log"):
		return "is removed by the disk node at the end", false
	case strings.HasPrefix(path, "/var/log/"):
		return "is emptied by the disk node at the end, if it is a file", false
	}
	return "", false
}

// eachFile calls do for every regular file below dir, which need not exist.
func eachFile(dir string, do func(path string) error) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return filepath.SkipAll
		}
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		return do(path)
	})
}

// writeTar writes the tree as it boots, with the mount points of the kernel's
// filesystems as empty directories. Access and change times, which tar would add
// where there are extended attributes, are those of this copy and say nothing.
func (run *diskRun) writeTar(ctx context.Context) error {
	run.say("writing the tar file")
	return runTool(ctx, "tar", "-C", TargetDir, "-cf", filepath.Join(run.Out, TarOutput), "--sort=name", "--numeric-owner",
		"--xattrs", "--xattrs-include=*", "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime", "--exclude=./lost+found", ".")
}

// collectBeside makes outputs of what hooks left beside the image.
func (run *diskRun) collectBeside(ctx context.Context) error {
	entries, err := os.ReadDir(OutDir)
	if err != nil || len(entries) == 0 {
		return err
	}
	target := filepath.Join(run.Out, BesideOutput)
	if err := os.Mkdir(target, 0o755); err != nil {
		return err
	}
	return copytree.Copy(ctx, OutDir, target, copytree.Options{})
}

// runTool runs a host tool, its output going to the node's log.
func runTool(ctx context.Context, name string, args ...string) error {
	c := command.Cmd{Path: name, Args: args, Env: toolEnvironment, Dir: "/", Stdout: os.Stdout, Stderr: os.Stderr}
	return c.Run(ctx)
}
