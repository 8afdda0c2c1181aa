package elements

import (
	"maps"
	"testing"
	"testing/fstest"
)

const debianRelease = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n"

const ubuntuRelease = "ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=\"noble\"\n"

func TestHostMirrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		release string
		files   map[string]string
		want    map[string]string
	}{
		{"no release", "", map[string]string{"sources.list": "deb http://example.org/debian bookworm main"}, nil},
		{"another distribution", "ID=fedora", map[string]string{"sources.list": "deb http://example.org/debian bookworm main"}, nil},
		{"a derivative", "ID=mint\nID_LIKE=debian\nVERSION_CODENAME=bookworm", map[string]string{"sources.list": "deb http://example.org/debian bookworm main"}, nil},
		{"nothing configured", debianRelease, nil, map[string]string{}},
		{
			"one line an entry", debianRelease, map[string]string{"sources.list": `
# deb http://old.example.org/debian bookworm main
deb-src http://src.example.org/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example.org/debian/ bookworm main contrib # comment
deb http://mirror.example.org/debian/ bookworm-updates main
deb http://security.example.org/debian-security bookworm-security main
`},
			map[string]string{"DIBGRAPH_DEBIAN_MIRROR": "http://mirror.example.org/debian", "DIBGRAPH_DEBIAN_SECURITY_MIRROR": "http://security.example.org/debian-security"},
		},
		{
			"paragraphs", debianRelease, map[string]string{"sources.list.d/debian.sources": `
# the archive
Types: deb deb-src
URIs: https://mirror.example.org/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
uris: https://mirror.example.org/debian-security/
Suites: bookworm-security
Components: main non-free
`},
			map[string]string{"DIBGRAPH_DEBIAN_MIRROR": "https://mirror.example.org/debian", "DIBGRAPH_DEBIAN_SECURITY_MIRROR": "https://mirror.example.org/debian-security"},
		},
		{
			"disabled and source only", debianRelease, map[string]string{"sources.list.d/debian.sources": `
Types: deb
URIs: http://off.example.org/debian
Suites: bookworm bookworm-updates
Components: main
Enabled: no

Types: deb-src
URIs: http://src.example.org/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://on.example.org/debian
Suites: bookworm
Components: main
Enabled: yes
`},
			map[string]string{"DIBGRAPH_DEBIAN_MIRROR": "http://on.example.org/debian"},
		},
		{
			"third parties", debianRelease, map[string]string{
				"sources.list.d/docker.list":   "deb [signed-by=/etc/apt/keyrings/docker.gpg] http://docker.example.org/debian bookworm stable\n",
				"sources.list.d/main.list":     "deb http://third.example.org/debian bookworm main\n",
				"sources.list.d/pgdg.list":     "deb http://db.example.org/apt bookworm-pgdg main\n",
				"sources.list.d/flat.list":     "deb http://flat.example.org/ ./\n",
				"sources.list.d/key.sources":   "Types: deb\nURIs: http://key.example.org/debian\nSuites: bookworm bookworm-updates bookworm-security\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n",
				"sources.list.d/trusted.list":  "deb [trusted=yes] http://local.example.org/debian bookworm main\ndeb [trusted=yes] http://local.example.org/debian bookworm-updates main\n",
				"sources.list.d/old.list.save": "deb http://save.example.org/debian bookworm main\ndeb http://save.example.org/debian bookworm-updates main\n",
				"sources.list.d/un known.list": "deb http://odd.example.org/debian bookworm main\ndeb http://odd.example.org/debian bookworm-updates main\n",
			}, map[string]string{},
		},
		{
			"third party first", debianRelease, map[string]string{
				"sources.list.d/a.list":      "deb http://third.example.org/debian bookworm main\n",
				"sources.list.d/mirror.list": "deb http://mirror.example.org/debian bookworm main\ndeb http://mirror.example.org/debian bookworm-updates main\n",
			}, map[string]string{"DIBGRAPH_DEBIAN_MIRROR": "http://mirror.example.org/debian"},
		},
		{
			"not over HTTP", debianRelease, map[string]string{"sources.list": "deb cdrom:[Debian 12]/ bookworm main\ndeb file:/srv/debian bookworm main\ndeb mirror+file:/etc/apt/m bookworm main\n"},
			map[string]string{},
		},
		{
			"another release, another component", debianRelease,
			map[string]string{"sources.list": "deb http://a.example.org/debian trixie main\ndeb http://b.example.org/debian bookworm contrib\ndeb http://c.example.org/debian bookworm-backports main\n"},
			map[string]string{},
		},
		{
			"suite names", "ID=debian\n", map[string]string{"sources.list": "deb http://a.example.org/debian stable main\ndeb http://a.example.org/debian stable-updates main\ndeb http://s.example.org/debian-security stable-security main\n"},
			map[string]string{"DIBGRAPH_DEBIAN_MIRROR": "http://a.example.org/debian", "DIBGRAPH_DEBIAN_SECURITY_MIRROR": "http://s.example.org/debian-security"},
		},
		{
			"old security suite", "ID=debian\nVERSION_CODENAME=buster\n", map[string]string{"sources.list": "deb http://s.example.org/debian-security buster/updates main\n"},
			map[string]string{"DIBGRAPH_DEBIAN_SECURITY_MIRROR": "http://s.example.org/debian-security"},
		},
		{
			"Ubuntu", ubuntuRelease, map[string]string{"sources.list.d/ubuntu.sources": "Types: deb\nURIs: http://u.example.org/ubuntu/\nSuites: noble noble-updates noble-security\nComponents: main universe\nSigned-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n"},
			map[string]string{"DIBGRAPH_UBUNTU_MIRROR": "http://u.example.org/ubuntu", "DIBGRAPH_UBUNTU_SECURITY_MIRROR": "http://u.example.org/ubuntu"},
		},
		{
			"Debian on Ubuntu", ubuntuRelease, map[string]string{"sources.list": "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://d.example.org/debian noble main\n"},
			map[string]string{},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := fstest.MapFS{"etc/os-release": {Data: []byte(test.release)}}
			for name, text := range test.files {
				root["etc/apt/"+name] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := HostMirrors(root); !maps.Equal(got, test.want) {
				t.Errorf("HostMirrors = %v, want %v", got, test.want)
			}
		})
	}
}

func TestHostMirrorsOSReleaseElsewhere(t *testing.T) {
	root := fstest.MapFS{
		"usr/lib/os-release": {Data: []byte(debianRelease)}, "etc/apt/sources.list": {Data: []byte("deb\thttp://m.example.org/debian\tbookworm\tmain")},
	}
	if got := HostMirrors(root)["DIBGRAPH_DEBIAN_MIRROR"]; got != "http://m.example.org/debian" {
		t.Errorf("mirror = %q", got)
	}
}
