package elements

import (
	"os"
	"slices"
	"testing"
)

// dibElements is where Debian's python3-diskimage-builder puts its elements.
const dibElements = "/usr/lib/python3/dist-packages/diskimage_builder/elements"

// Every operating system that diskimage-builder has is resolved with "vm", and
// merged with all it needs.
func TestDIBElements(t *testing.T) {
	if _, err := os.Stat(dibElements); err != nil {
		t.Skip("python3-diskimage-builder is not installed")
	}
	l, err := OpenLibrary([]string{dibElements}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	systems := l.providers(operatingSystem)
	if len(systems) < 10 {
		t.Errorf("only %d elements provide an operating system: %v", len(systems), systems)
	}
	for _, name := range systems {
		t.Run(name, func(t *testing.T) {
			img, err := Load(Definition{
				Arch: "amd64", Elements: []string{name, "vm"}, ElementsPath: []string{dibElements}, OutputDir: t.TempDir(),
			}, nil)
			if err != nil {
				t.Fatal(messages(err))
			}
			for _, needed := range []string{"base", "vm", "bootloader", "block-device-mbr", name} {
				if !img.Has(needed) {
					t.Errorf("%s is missing in %s", needed, namesOf(img.Elements))
				}
			}
			isBootloader := func(h Hook) bool { return h.Name == "50-bootloader" && h.Element == "bootloader" }
			if !slices.ContainsFunc(img.Hooks.PhaseHooks(phaseNamed("finalise"), ""), isBootloader) {
				t.Error("finalise.d has no 50-bootloader")
			}
			if len(EnvironmentFiles(img.Hooks)) == 0 {
				t.Error("there is no environment.d")
			}
		})
	}
}
