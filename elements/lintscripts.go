package elements

import (
	"regexp"
	"slices"
	"strings"
)

// downloads are programs that use the network, by the arguments with which they
// do; none is any.
var downloads = map[string][]string{
	"curl": nil, "wget": nil, "aria2c": nil, "scp": nil, "ssh": nil, "ftp": nil,
	"git":  {"clone", "fetch", "pull", "ls-remote", "submodule"},
	"pip":  {"install", "download", "wheel"},
	"pip3": {"install", "download", "wheel"},
	"npm":  {"install", "ci", "i"}, "yarn": {"install", "add"}, "gem": {"install"}, "cargo": {"install", "fetch"},
	"go": {"get", "install"}, "docker": {"pull"}, "podman": {"pull"}, "skopeo": {"copy"}, "snap": {"install"},
	"hg": {"clone", "pull"}, "svn": {"checkout", "co", "export", "update"},
}

// hostPackages are programs that download packages; in the image that is what
// package lists do as well, on the host it is not.
var hostPackages = map[string][]string{
	"apt-get": {"update", "install", "upgrade", "dist-upgrade", "download", "source"},
	"apt":     {"update", "install", "upgrade", "full-upgrade", "download"},
	"yum":     {"install", "update", "upgrade"}, "dnf": {"install", "update", "upgrade", "download"},
	"zypper": {"install", "in", "update", "up", "refresh"}, "debootstrap": nil, "mmdebstrap": nil,
}

var (
	localURL = regexp.MustCompile(`^(file:|https?://(localhost|127\.|169\.254\.|\[::1\]))`)
	version  = []string{"--version", "-V", "--help", "-h"}
)

func lintNetwork(l *lint, s *script) {
	for _, c := range s.Commands {
		name, args, host := c.call()
		uses := downloadsWith(downloads, name, args) || s.Host && host && downloadsWith(hostPackages, name, args)
		if uses && !slices.ContainsFunc(args, localURL.MatchString) && !slices.ContainsFunc(args, func(a string) bool { return slices.Contains(version, a) }) {
			l.add(s.File.Source, c.Line, "%s uses the network", name)
		}
	}
}

func downloadsWith(programs map[string][]string, name string, args []string) bool {
	how, known := programs[name]
	if !known {
		return false
	}
	return how == nil || slices.ContainsFunc(args, func(a string) bool { return slices.Contains(how, a) })
}

var (
	randomWord = regexp.MustCompile(`\$\{?S?RANDOM\b|/dev/u?random\b`)
	dateWord   = regexp.MustCompile(`\$\{?EPOCH(SECONDS|REALTIME)\b`)
	// randomPrograms make something new with each call, by the arguments with
	// which they do.
	randomPrograms = map[string][]string{
		"uuidgen": nil, "dbus-uuidgen": nil, "systemd-machine-id-setup": nil, "pwgen": nil,
		"ssh-keygen": {"-A", "-t", "-N"}, "openssl": {"rand", "genrsa", "genpkey", "req", "dhparam"}, "shuf": nil,
		"wg": {"genkey", "genpsk"},
	}
)

func lintRandom(l *lint, s *script) {
	for _, c := range s.Commands {
		name, args, _ := c.call()
		switch {
		case c.mentions(randomWord):
			l.add(s.File.Source, c.Line, "a random value is used")
		case downloadsWith(randomPrograms, name, args):
			l.add(s.File.Source, c.Line, "%s makes something new each time", name)
		case name == "mktemp" && keepsTemporary(args):
			l.add(s.File.Source, c.Line, "mktemp makes a random name outside of the temporary directories")
		}
	}
}

// keepsTemporary reports whether mktemp is told to work in a place whose
// content stays in the image.
func keepsTemporary(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		a = strings.TrimPrefix(a, "--tmpdir=")
		absolute := strings.HasPrefix(a, "/") || strings.HasPrefix(a, "$TMP_MOUNT_PATH/") || strings.HasPrefix(a, "$TARGET_ROOT/") ||
			strings.HasPrefix(a, "${TMP_MOUNT_PATH}/") || strings.HasPrefix(a, "${TARGET_ROOT}/")
		return absolute && !temporary.MatchString(a)
	})
}

var temporary = regexp.MustCompile(`^(\$\{?(TMP_MOUNT_PATH|TARGET_ROOT)\}?)?/(tmp|var/tmp|run|dev/shm)(/|$)`)

func lintDate(l *lint, s *script) {
	for _, c := range s.Commands {
		name, args, _ := c.call()
		fixed := slices.ContainsFunc(args, func(a string) bool { return fixedDate.MatchString(a) })
		if (name == "date" && !fixed || c.mentions(dateWord)) && !c.printed() {
			l.add(s.File.Source, c.Line, "the time of the build is used")
		}
	}
}

// fixedDate matches options of date with which it does not tell the time.
var fixedDate = regexp.MustCompile(`^(-[a-zA-Z]*[dfrs]|--(date|file|reference|set)\b)`)

// printed reports whether what a command prints, or is told, goes to the log.
func (c *shellCommand) printed() bool {
	at := c
	if c.Outer != nil {
		at = c.Outer
	} else if name, _, _ := c.call(); name != "echo" && name != "printf" {
		return false
	}
	name, _, _ := at.call()
	return (name == "echo" || name == "printf") && !at.piped && !slices.ContainsFunc(at.Redirects, func(r redirect) bool {
		return strings.HasPrefix(r.op, ">") && r.to != "2" && !strings.HasPrefix(r.to, "/dev/std")
	})
}

// mentions reports whether a word or a redirection matches.
func (c *shellCommand) mentions(what *regexp.Regexp) bool {
	return slices.ContainsFunc(c.Words, what.MatchString) ||
		slices.ContainsFunc(c.Redirects, func(r redirect) bool { return what.MatchString(r.to) })
}

// machinePath matches a word that names a file of the machine or of its user.
var machinePath = regexp.MustCompile(`^(~/|\$HOME/|\$\{HOME\}/|/etc/|/root/|/home/).`)

// knownMachinePath matches files that are inputs although no variable names
// them, and the name servers, which are known to be none.
var knownMachinePath = regexp.MustCompile(`\.ssh/(authorized_keys|id_[^/]*\.pub)$|^/etc/ci/mirror_info\.sh$|^/etc/resolv\.conf$`)

func lintHostPath(l *lint, s *script) {
	if !s.Host {
		return
	}
	for _, c := range s.Commands {
		name, args, host := c.call()
		if !host {
			continue
		}
		var found []string
		if name != "echo" && name != "printf" && name != "sed" {
			found = args
		}
		for _, r := range c.Redirects {
			found = append(slices.Clip(found), r.to)
		}
		for _, a := range found {
			if machinePath.MatchString(a) && !knownMachinePath.MatchString(a) {
				l.add(s.File.Source, c.Line, "%s is of the machine that builds", a)
				break
			}
		}
	}
}
