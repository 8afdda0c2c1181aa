package ociimage

import (
	"regexp"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// name is NAME:TAG as docker takes it, where NAME may begin with a host.
var name = regexp.MustCompile(`^(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// ValidName reports whether a text is NAME:TAG of an image.
func ValidName(text string) bool { return name.MatchString(text) }

// PlatformOf returns the platform of an architecture, which Debian, the kernel or
// Go may have named.
func PlatformOf(arch string) ocispec.Platform {
	p := ocispec.Platform{OS: "linux", Architecture: arch}
	switch arch {
	case "x86_64":
		p.Architecture = "amd64"
	case "i386", "i486", "i586", "i686":
		p.Architecture = "386"
	case "aarch64":
		p.Architecture = "arm64"
	case "ppc64el":
		p.Architecture = "ppc64le"
	case "mips64el":
		p.Architecture = "mips64le"
	case "armhf", "armv7l", "arm":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v5"
	}
	return p
}
