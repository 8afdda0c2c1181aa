package steps

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/observe"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Names of observations about the host: a file or directory that was opened,
// and a program that was executed.
const (
	observedHost = "host "
	observedMade = "made " // DIGEST NAME, for what the step made itself
	observedLink = "link "
	observedTree = "tree " // a directory with all that is in it
	observedTool = "tool "
)

// notInputs are directories of the host whose files are no inputs, with the
// reason.
var notInputs = map[string]string{
	"/usr": "the operating system, whose programs are tools", "/bin": "the same", "/sbin": "the same",
	"/lib": "the same", "/lib32": "the same", "/lib64": "the same", "/libx32": "the same", "/boot": "the same",
	"/proc": "the kernel's", "/sys": "the kernel's", "/dev": "the kernel's", "/run": "what runs now", "/var/run": "what runs now",
	"/tmp": "temporary", "/var/tmp": "temporary", "/var/lock": "temporary",
	"/var/cache": "made again by the tools that need it", "/var/log": "what happened",
	"/var/lib/dpkg": "the operating system's package manager", "/var/lib/apt": "the same", "/var/lib/rpm": "the same", "/var/lib/dnf": "the same",

	"/etc/ld.so.cache":   "where libraries are",
	"/etc/ld.so.preload": "which libraries programs are run with",
	"/etc/alternatives":  "which program of several is meant",
	"/etc/passwd":        "who is who on this machine", "/etc/group": "the same", "/etc/nsswitch.conf": "the same",
	"/etc/shadow": "the same", "/etc/gshadow": "the same", "/etc/pam.d": "the same", "/etc/security": "the same",
	"/etc/sudoers": "who may do what on this machine", "/etc/sudoers.d": "the same", "/etc/sudo.conf": "the same", "/etc/login.defs": "the same",
	"/etc/resolv.conf": "how machines are found", "/etc/hosts": "the same", "/etc/host.conf": "the same", "/etc/gai.conf": "the same",
	"/etc/services": "the same", "/etc/protocols": "the same", "/etc/networks": "the same", "/etc/ethers": "the same",
	"/etc/hostname": "another one on every machine", "/etc/machine-id": "the same", "/var/lib/dbus/machine-id": "the same", "/etc/mtab": "the same", "/etc/adjtime": "the same",
	"/etc/localtime": "the time of day", "/etc/timezone": "the same",
	"/etc/ssl": "whom to trust when something is fetched, not what it is", "/etc/pki": "the same", "/etc/ca-certificates": "the same",
	"/etc/ca-certificates.conf": "the same", "/etc/crypto-policies": "the same", "/etc/gnutls": "the same",
	"/etc/terminfo": "how a terminal is drawn on", "/etc/inputrc": "the same", "/etc/locale.alias": "how messages are written",
	"/etc/selinux": "what the kernel allows", "/etc/apparmor.d": "the same",
	"/etc/bash.bashrc": "for shells that people type into", "/etc/profile": "the same", "/etc/profile.d": "the same",
}

// isInput reports whether a file of the host at that path can be an input. The
// caller's own directories are looked at wherever they are.
func (h HostFiles) isInput(path string) bool {
	for _, dir := range append([]string{RunDir}, h.Ignored...) {
		if _, in := below(dir, path); in {
			return false
		}
	}
	for _, own := range []string{h.Home, h.WorkDir} {
		if _, in := below(own, path); in && own != "" && own != "/" {
			return true
		}
	}
	for dir := path; dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if notInputs[dir] != "" {
			return false
		}
	}
	return true
}

// workDirName is the name of the working directory itself.
const workDirName = "."

// name returns how a file of the host is called: by what stays the same for
// another user, or in another checkout.
func (h HostFiles) name(path string) string {
	name, longest := path, 0
	for _, place := range []struct{ dir, as, itself string }{{h.WorkDir, "", workDirName}, {h.Home, "~/", "~"}} {
		dir := place.dir
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real // as paths of opened files are
		}
		rest, in := below(dir, path)
		if !in || len(dir) <= max(longest, len("/")) {
			continue
		}
		name, longest = place.as+strings.TrimPrefix(rest, "/"), len(dir)
		if rest == "" {
			name = place.itself
		}
	}
	return name
}

// observed returns the observations of a file of the host that was opened, none
// if it is no input. Since is when the step began.
func (h HostFiles) observed(o observe.Opened, since time.Time) []string {
	if !h.isInput(o.Path) {
		return nil
	}
	name := h.name(o.Path)
	if o.Dir {
		if name == workDirName || name == "/" {
			// Programs open the directory they are in to come back to it, and
			// it is where images and logs of builds are.
			return nil
		}
		name = strings.TrimSuffix(name, "/") + "/"
	}
	if isNew(o.Born, since) {
		return h.made(name)
	}
	kind, _ := fileKind(o.Path)
	if kind != unix.S_IFREG && kind != unix.S_IFDIR && kind != 0 {
		return nil
	}
	return []string{observedHost + name}
}

// made returns the observation of what the step made itself under a name; none
// if it is gone again. A run that finds it may do something else than this one,
// which did not, so that only what it left is taken for nothing new.
func (h HostFiles) made(name string) []string {
	value := h.value(name)
	if value == absent {
		return nil
	}
	return []string{observedMade + graph.DigestText(value).String() + " " + name}
}

// isNew reports whether something was made since the given time, as far as the
// file system told.
func isNew(born, since time.Time) bool {
	// The clock of file systems is some milliseconds late.
	const late = 10 * time.Millisecond
	return !born.IsZero() && !born.Before(since.Add(-late))
}

// fileKind returns the type of a file, 0 for one that is not there, and when it
// was made, zero if the file system does not tell.
func fileKind(path string) (kind uint16, born time.Time) {
	var info unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_TYPE|unix.STATX_BTIME, &info); err != nil {
		return 0, born
	}
	if info.Mask&unix.STATX_BTIME != 0 {
		born = time.Unix(info.Btime.Sec, int64(info.Btime.Nsec))
	}
	return info.Mode & unix.S_IFMT, born
}

// outright returns the observations of the files that texts with these words name
// outright, whether or not they are there: that one was looked for in vain is not
// seen.
func (h HostFiles) outright(words mention.Words, since time.Time) []string {
	var names []string
	for _, file := range words.Files {
		path := h.path(file)
		if !h.isInput(path) {
			continue
		}
		if _, born := fileKind(path); isNew(born, since) {
			names = append(names, h.made(h.name(path))...)
		} else {
			names = append(names, observedHost+h.name(path))
		}
	}
	return names
}

// mounts returns where the host's own files can be reached in a sandbox.
func (h HostFiles) mounts() ([]string, error) {
	infos, err := mount.Self()
	if err != nil {
		return nil, err
	}
	var points []string
	for _, m := range infos {
		_, ours := below(RunDir, m.Point)
		if ours || pseudoFilesystems[m.FSType] || (m.Point != "/" && !h.isInput(m.Point)) {
			continue
		}
		if _, err := os.Lstat(m.Point); err == nil { // else it is covered by another mount
			points = append(points, m.Point)
		}
	}
	return points, nil
}

// pseudoFilesystems hold nothing that anyone wrote.
var pseudoFilesystems = map[string]bool{
	"autofs": true, "binfmt_misc": true, "bpf": true, "cgroup": true, "cgroup2": true, "configfs": true, "debugfs": true,
	"devpts": true, "devtmpfs": true, "efivarfs": true, "fusectl": true, "hugetlbfs": true, "mqueue": true, "nsfs": true,
	"proc": true, "pstore": true, "rpc_pipefs": true, "securityfs": true, "selinuxfs": true, "sysfs": true, "tracefs": true,
}

// observe writes the present value of an observation about the host.
func (h HostFiles) observe(d *graph.Description, observation string) {
	if name, ok := strings.CutPrefix(observation, observedTool); ok {
		if h.Strict {
			d.Add(fmt.Sprintf("tool %q", name), "%s", toolDigest(name))
		}
		return
	}
	if rest, ok := strings.CutPrefix(observation, observedMade); ok {
		made, name, _ := strings.Cut(rest, " ")
		value := h.value(name)
		if value == absent || graph.DigestText(value).String() == made {
			value = "absent, or as it was made"
		}
		d.Add(fmt.Sprintf("host %q", name), "%s", value)
		return
	}
	if name, ok := strings.CutPrefix(observation, observedLink); ok {
		d.Add(fmt.Sprintf("host link %q", name), "%s", h.leadsTo(name))
		return
	}
	if name, ok := strings.CutPrefix(observation, observedTree); ok {
		value, err := h.digest(h.path(name))
		if err != nil {
			value = "unreadable"
		}
		d.Add(fmt.Sprintf("host %q", name), "%s", value)
		return
	}
	name, ok := strings.CutPrefix(observation, observedHost)
	if !ok {
		return
	}
	if dir, ok := strings.CutSuffix(name, "/"); ok {
		d.Add(fmt.Sprintf("host list %q", dir), "%s", h.value(name))
		return
	}
	d.Add(fmt.Sprintf("host %q", name), "%s", h.value(name))
}

// absent is the value of what is not there.
const absent = "absent"

// value describes what a name leads to now: the listing of a directory if it ends
// in a slash.
func (h HostFiles) value(name string) string {
	if dir, ok := strings.CutSuffix(name, "/"); ok {
		return h.list(h.path(dir))
	}
	return h.content(h.path(name))
}

// list returns the names in a directory of the host with what they are, but for
// those of what is no input: outputs of the build itself would come and go.
func (h HostFiles) list(dir string) string {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return absent
	}
	if err != nil {
		return "unreadable"
	}
	names := []string{}
	for _, e := range entries {
		if !h.isInput(filepath.Join(dir, e.Name())) {
			continue
		}
		kind := "file"
		if e.IsDir() {
			kind = "directory"
		}
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			kind = fmt.Sprintf("link %q", h.target(target))
		} else if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			kind = fmt.Sprintf("file %04o", info.Mode().Perm())
		}
		names = append(names, e.Name()+" ("+kind+")")
	}
	return fmt.Sprintf("%q", names)
}

// target returns what a link has for a target, called as files are.
func (h HostFiles) target(target string) string {
	if filepath.IsAbs(target) {
		return h.name(filepath.Clean(target))
	}
	return target
}

// content describes what a path of the host is and leads to, without what is in a
// directory. The mode belongs to it: it can be tested, and is copied.
func (h HostFiles) content(path string) string {
	link := ""
	if target, err := os.Readlink(path); err == nil {
		link = fmt.Sprintf("link %q to ", h.target(target))
	}
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return link + absent
	case err != nil:
		return link + "unreadable"
	case info.IsDir():
		return link + "directory"
	case !info.Mode().IsRegular():
		return link + "special"
	}
	digest, err := fileDigest(path)
	if err != nil {
		return link + "unreadable"
	}
	return fmt.Sprintf("%s%s %04o", link, digest, info.Mode().Perm())
}
