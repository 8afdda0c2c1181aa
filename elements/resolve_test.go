package elements

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

// graphOf makes a library from lines "name: dependencies / provided names".
func graphOf(lines string) *Library {
	stock := fstest.MapFS{}
	for line := range strings.Lines(lines) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "" {
			continue
		}
		deps, provides, _ := strings.Cut(rest, "/")
		list := func(text string) *fstest.MapFile {
			return &fstest.MapFile{Data: []byte(strings.Join(strings.Fields(text), "\n"))}
		}
		stock[name+"/element-deps"] = list(deps)
		stock[name+"/element-provides"] = list(provides)
	}
	l, err := OpenLibrary(nil, "", stock)
	if err != nil {
		panic(err)
	}
	return l
}

const library = `
	base: init
	init:
	os: tools / operating-system
	os2: / operating-system
	tools:
	vm: block-device bootloader
	bootloader:
	block-device-mbr: / block-device
	block-device-efi: / block-device
	brings-efi: block-device-efi
	needs-late: late
	late-provider: / late
	old: legacy
	legacy:
	replaces-old: / old
	a: b
	b: a
	self: self
	twice: bootloader
	lost: nowhere
	comment: #
	dup-provider: / old
	virtual-first: late late-provider
`

func TestResolve(t *testing.T) {
	for _, test := range []struct {
		name     string
		def      Definition
		want     string // the elements, or
		problems string
	}{
		{"dependencies first", Definition{Elements: []string{"os", "vm"}}, "init base block-device-mbr bootloader tools os vm", ""},
		{"no base", Definition{Elements: []string{"os"}, SkipBase: true}, "tools os", ""},
		{"words in one argument", Definition{Elements: []string{"os twice"}, SkipBase: true}, "bootloader tools os twice", ""},
		{"caller's elements", Definition{Elements: []string{"os"}, SkipBase: true, Environment: map[string]string{"IMAGE_ELEMENT": "a"}}, "b a tools os", ""},
		{"arm64", Definition{Elements: []string{"os", "vm"}, SkipBase: true, Arch: "arm64"}, "block-device-efi bootloader tools os vm", ""},
		{"aarch64", Definition{Elements: []string{"os", "vm"}, SkipBase: true, Arch: "aarch64"}, "block-device-efi bootloader tools os vm", ""},
		{"part of an architecture", Definition{Elements: []string{"os", "vm"}, SkipBase: true, Arch: "arm"}, "block-device-efi bootloader tools os vm", ""},
		{"layout given", Definition{Elements: []string{"os", "vm", "block-device-efi"}, SkipBase: true}, "block-device-efi bootloader tools os vm", ""},
		{"layout of the caller", Definition{Elements: []string{"os", "vm"}, SkipBase: true, Environment: map[string]string{"IMAGE_ELEMENT": "block-device-efi"}}, "block-device-efi bootloader tools os vm", ""},
		{"circle", Definition{Elements: []string{"os", "a", "self"}, SkipBase: true}, "b a tools os self", ""},
		{"ramdisk", Definition{Elements: []string{"os"}, SkipBase: true, Ramdisk: true, RamdiskElement: "tools"}, "tools os", ""},
		{
			"replaced after it was processed: its dependencies stay",
			Definition{Elements: []string{"os", "needs-old", "needs-new"}, SkipBase: true}, "legacy replaces-old needs-new needs-old tools os", "",
		},
		{"provided before it is needed", Definition{Elements: []string{"os", "late-provider", "needs-late"}, SkipBase: true}, "late-provider needs-late tools os", ""},
		{"provider beside the virtual name", Definition{Elements: []string{"os", "virtual-first"}, SkipBase: true}, "late-provider tools os virtual-first", ""},
		{
			"layout of a dependency does not count", Definition{Elements: []string{"os", "vm", "brings-efi"}, SkipBase: true}, "",
			`embedded:block-device-efi/element-provides:1: element "block-device-efi": "block-device" is already provided by "block-device-mbr" ["vm" adds a disk layout of its own unless one is named beside it]`,
		},
		{
			"not found", Definition{Elements: []string{"os", "bootlaoder", "lost"}, SkipBase: true}, "",
			"element \"bootlaoder\" not found [did you mean \"bootloader\"?]\nembedded:lost/element-deps:1: element \"nowhere\" not found",
		},
		{
			"provider comes too late", Definition{Elements: []string{"os", "needs-late", "brings-provider"}, SkipBase: true}, "",
			`embedded:needs-late/element-deps:1: element "late" not found [it is provided by "late-provider"; name one before it is needed]`,
		},
		{
			"two operating systems", Definition{Elements: []string{"os", "os2"}, SkipBase: true}, "",
			`embedded:os2/element-provides:1: element "os2": "operating-system" is already provided by "os"`,
		},
		{
			"the same one twice", Definition{Elements: []string{"os", "os"}, SkipBase: true}, "",
			`embedded:os/element-provides:1: element "os": "operating-system" is already provided by "os" ["os" is given twice]`,
		},
		{
			"no operating system", Definition{Elements: []string{"twice"}}, "",
			"no element provides an operating system [add one of: os, os2]",
		},
		{
			"asked for and replaced", Definition{Elements: []string{"os", "old", "replaces-old"}, SkipBase: true}, "",
			`element "old" is asked for, but "replaces-old" provides it already [leave one of them out]`,
		},
		{
			"no comments", Definition{Elements: []string{"os", "comment"}, SkipBase: true}, "",
			`embedded:comment/element-deps:1: element "#" not found [a list of elements has no comments]`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := graphOf(library + `
				needs-old: old
				needs-new: replaces-old
				brings-provider: deeper
				deeper: late-provider
			`)
			if test.def.Arch == "" {
				test.def.Arch = "amd64"
			}
			elements, problems := resolve(l, test.def)
			if got := messages(join(problems)); got != test.problems {
				t.Errorf("problems:\n%s\nwant:\n%s", got, test.problems)
			}
			if got := namesOf(elements); len(problems) == 0 && got != test.want {
				t.Errorf("elements: %s\nwant:     %s", got, test.want)
			}
		})
	}
}

func namesOf(elements []*Element) string {
	var names []string
	for _, e := range elements {
		names = append(names, e.Name)
	}
	return strings.Join(names, " ")
}

// On graphs without provided names the result is what can be reached, each
// element once, and after its dependencies where there is no circle.
func TestResolveReaches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const count = 12
		deps := map[string][]string{}
		text := "os: / operating-system\n"
		for i := range count {
			name := fmt.Sprintf("e%d", i)
			// Edges to lower numbers only: no circles.
			for _, to := range rapid.SliceOfNDistinct(rapid.IntRange(0, max(0, i-1)), 0, 3, rapid.ID).Draw(t, name) {
				if to < i {
					deps[name] = append(deps[name], fmt.Sprintf("e%d", to))
				}
			}
			text += name + ": " + strings.Join(deps[name], " ") + "\n"
		}
		asked := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"e3", "e7", "e9", "e10", "e11"}), 1, 4, rapid.ID).Draw(t, "asked")
		want := map[string]bool{"os": true}
		var reach func(string)
		reach = func(name string) {
			want[name] = true
			for _, d := range deps[name] {
				reach(d)
			}
		}
		for _, name := range asked {
			reach(name)
		}
		l := graphOf(text)
		elements, problems := resolve(l, Definition{Elements: append(asked, "os"), SkipBase: true})
		if len(problems) > 0 {
			t.Fatal(join(problems))
		}
		got := map[string]bool{}
		for _, e := range elements {
			for _, d := range e.Deps {
				if !got[d] {
					t.Fatalf("%s is before its dependency %s", e.Name, d)
				}
			}
			if got[e.Name] {
				t.Fatalf("%s is there twice", e.Name)
			}
			got[e.Name] = true
		}
		if !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		again, _ := resolve(l, Definition{Elements: append([]string{"os"}, asked...), SkipBase: true})
		if namesOf(again) != namesOf(elements) {
			t.Fatalf("the order of arguments changes that of elements: %s, then %s", namesOf(elements), namesOf(again))
		}
	})
}
