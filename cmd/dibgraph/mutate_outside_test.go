package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

// signed is the index of a suite as a mirror has it: what counts of it is the
// list of digests.
const signed = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Suite: bookworm
Date: %s
SHA256:
 %s 10 main/binary-amd64/Packages
-----BEGIN PGP SIGNATURE-----

%[1]s
-----END PGP SIGNATURE-----
`

// followMirror gives the site a package mirror with two suites, and a hook that
// stands for one that installs packages.
func followMirror(s *site) {
	s.t.Helper()
	s.mirror = newMirror(s.t)
	s.index("bookworm", "Mon, 02 Nov 2026 08:00:00 UTC", "aaaa")
	s.index("trixie", "Mon, 02 Nov 2026 08:00:00 UTC", "bbbb")
	s.options = append(s.options, "--check-mirrors=always")
	s.put("elements/machine/install.d/73-apt", `#!/bin/sh
set -e
mkdir -p /etc/apt /var/lib/dpkg
echo 'deb `+s.mirror.URL+`/debian bookworm main' > /etc/apt/sources.list
echo installed > /var/lib/dpkg/status
`)
}

func (s *site) index(suite, date, digest string) {
	s.mirror.put("/debian/dists/"+suite+"/InRelease", "", fmt.Sprintf(signed, date, digest))
}

// followGit gives the site a git repository, and a hook that fetches what an
// element names as a source.
func followGit(s *site) {
	s.t.Helper()
	// Below the cache for downloads: its files are no inputs by themselves.
	const dir = "site/home/.cache/image-create/repo"
	s.tool("mkdir", "-p", dir)
	s.tool("git", "init", "-q", "-b", "main", dir)
	s.commit()
	s.options = append(s.options, "--check-mirrors=always")
	s.put("elements/machine/source-repository-machine", "machine git /opt/machine "+s.path(dir)+" main\n")
	s.put("elements/machine/extra-data.d/36-sources", "#!/bin/sh\ncat $TMP_HOOKS_PATH/source-repository-machine > $TMP_MOUNT_PATH/etc/sources\n")
}

func (s *site) commit() {
	s.t.Helper()
	s.tool("git", "-C", "site/home/.cache/image-create/repo", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "one")
}

// useTool gives the host a program, and the site a hook that runs it.
func useTool(s *site) {
	s.t.Helper()
	s.host = fmt.Sprintf("/usr/local/bin/dibgraph-mutate-%016x", rand.Uint64())
	s.t.Cleanup(func() { os.Remove(s.host) }) // in a directory of the system
	s.install("1")
	s.put("elements/machine/extra-data.d/37-tool", "#!/bin/sh\n"+s.host+" > $TMP_MOUNT_PATH/etc/tool\n")
}

// install makes a version of the program: it says the same whatever that is.
func (s *site) install(version string) {
	s.t.Helper()
	if err := os.WriteFile(s.host, []byte("#!/bin/sh\n# version "+strings.ReplaceAll(version, "NUMBER", fmt.Sprint(s.number))+"\necho tool\n"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.touched[s.host] = true
}

// outsideMutations are edits of what is neither in an element nor in a file that
// the user names.
func outsideMutations() []mutation {
	const group, apt, git, tool = "mirrors, repositories, programs", "install.d/73-apt", "extra-data.d/36-sources", "extra-data.d/37-tool"
	strict := func(s *site) { s.options = append(s.options, "--strict-host"); useTool(s) }
	return []mutation{
		{group, "a package mirror has something new", followMirror, func(s *site) { s.index("bookworm", "Tue, 03 Nov 2026 08:00:00 UTC", fmt.Sprintf("%04d", s.number)) },
			only(apt), []string{"changed apt /debian bookworm"}},
		{group, "a package mirror was signed again", followMirror, func(s *site) { s.index("bookworm", "Tue, 03 Nov 2026 08:00:00 UTC", "aaaa") }, nothing, nil},
		{group, "another suite has something new", followMirror, func(s *site) { s.index("trixie", "Tue, 03 Nov 2026 08:00:00 UTC", "cccc") }, nothing, nil},
		{group, "a commit on the branch", followGit, func(s *site) { s.commit() }, only(git), []string{"changed git home/.cache/image-create/repo main"}},
		{group, "another branch", followGit, func(s *site) { s.tool("git", "-C", "site/home/.cache/image-create/repo", "branch", "other") }, nothing, nil},
		{group, "another version of a program", useTool, func(s *site) { s.install("NUMBER") }, nothing, nil},
		{group, "another version of a program, with --strict-host", strict, func(s *site) { s.install("NUMBER") }, only(tool), []string{"changed tool PROGRAM"}},
	}
}
