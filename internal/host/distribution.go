package host

import (
	"slices"
	"strings"
)

// A Family is a group of distributions with one package manager.
type Family string

// The families whose package manager and package names we know.
const (
	Unknown Family = ""
	Debian  Family = "debian"
	Fedora  Family = "fedora"
	SUSE    Family = "suse"
	Arch    Family = "arch"
	Alpine  Family = "alpine"
)

// A Distribution is what os-release(5) says.
type Distribution struct {
	ID     string `json:"id"`
	Name   string `json:"name"` // for people
	Family Family `json:"family"`

	// listless says that the package manager has no list of packages yet.
	listless bool
}

// Distribution reads the machine's os-release. Without one the family is
// Unknown.
func (m Machine) Distribution() Distribution {
	text := m.read("/etc/os-release")
	if text == "" {
		text = m.read("/usr/lib/os-release")
	}
	values := parseRelease(text)
	d := Distribution{ID: values["ID"], Name: values["PRETTY_NAME"]}
	if d.Name == "" {
		d.Name = "this distribution"
	}
	d.Family = family(append([]string{d.ID}, strings.Fields(values["ID_LIKE"])...))
	d.listless = d.Family == Debian && m.match([]string{"/var/lib/apt/lists/*Packages*"}) == ""
	return d
}

// family finds the family of the first identifier that tells: a distribution's
// own, then those it says it is like.
func family(ids []string) Family {
	known := map[Family][]string{
		Debian: {"debian", "ubuntu"},
		Fedora: {"fedora", "rhel", "centos", "rocky", "almalinux"},
		SUSE:   {"suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles", "sled"},
		Arch:   {"arch", "archlinux"},
		Alpine: {"alpine"},
	}
	for _, id := range ids {
		for family, members := range known {
			if slices.Contains(members, id) {
				return family
			}
		}
	}
	return Unknown
}

// parseRelease reads NAME=value lines with the quotes and backslashes of a
// shell. A line of another form says nothing.
func parseRelease(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			values[name] = unquote(value)
		}
	}
	return values
}

func unquote(value string) string {
	if len(value) >= 2 && value[0] == '\'' && strings.HasSuffix(value, "'") {
		return value[1 : len(value)-1]
	}
	if len(value) >= 2 && value[0] == '"' && strings.HasSuffix(value, `"`) {
		value = value[1 : len(value)-1]
	}
	var plain strings.Builder
	escaped := false
	for _, c := range []byte(value) {
		if escaped = !escaped && c == '\\'; !escaped {
			plain.WriteByte(c)
		}
	}
	return plain.String()
}
