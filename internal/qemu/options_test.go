package qemu

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	debian := []string{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"}
	for _, test := range []struct {
		name    string
		options Options
		files   []string
		program string
		has     []string // in the command line
		hasNot  []string
		vars    string
	}{
		{
			"zero", Options{}, debian, "qemu-system-x86_64",
			[]string{"-m 1024", "-accel tcg", "-serial stdio", "-nic none", "snapshot=on,format=raw,file=/a,,b.raw"},
			[]string{"pflash"}, "",
		},
		{
			"UEFI", Options{Firmware: UEFI, Memory: 512, Format: "qcow2", Network: true}, debian, "qemu-system-x86_64",
			[]string{
				"-m 512", "format=qcow2", "-nic user", "restrict=on",
				"unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd", "unit=1,format=raw,file=vars.fd",
			},
			[]string{"-nic none"}, "/usr/share/OVMF/OVMF_VARS_4M.fd",
		},
		{
			"arm64 has UEFI only", Options{Arch: "arm64"}, debian, "qemu-system-aarch64",
			[]string{"-machine virt", "AAVMF_CODE.fd"}, nil, "/usr/share/AAVMF/AAVMF_VARS.fd",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := test.options.plan("/a,b.raw", func(name string) bool { return slices.Contains(test.files, name) })
			if err != nil {
				t.Fatal(err)
			}
			line := strings.Join(p.args, " ")
			for _, part := range test.has {
				if !strings.Contains(line, part) {
					t.Errorf("no %q in %s", part, line)
				}
			}
			for _, part := range test.hasNot {
				if strings.Contains(line, part) {
					t.Errorf("%q in %s", part, line)
				}
			}
			if p.program != test.program || p.vars != test.vars {
				t.Errorf("program %q, variables %q; want %q, %q", p.program, p.vars, test.program, test.vars)
			}
		})
	}
}

func TestPlanImpossible(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{Arch: "s390x"}, `no machine of architecture "s390x"`},
		{Options{Arch: "arm64", Firmware: BIOS}, "architecture arm64 has no BIOS"},
		{Options{Firmware: "coreboot"}, `no firmware "coreboot"`},
		{Options{Firmware: UEFI}, "no UEFI firmware for amd64 in /usr/share/OVMF"},
	} {
		_, err := test.options.plan("disk", func(string) bool { return false })
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.options, err, test.want)
		}
	}
}

func TestBootWithoutImage(t *testing.T) {
	c, err := Boot(t.Context(), "no-such-image", Options{})
	if err == nil {
		c.Close()
		t.Fatal("it booted an image that is not there")
	}
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "no-such-image") {
		t.Errorf("error %q, want that the image is not there", err)
	}
}
