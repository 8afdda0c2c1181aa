package qemu

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Firmware is what a machine starts with.
type Firmware string

// The firmwares.
const (
	BIOS Firmware = "bios"
	UEFI Firmware = "uefi"
)

// Options describe the machine. The zero value is one for amd64 with a BIOS,
// 1 GiB of memory, no network, and a raw disk.
type Options struct {
	Firmware Firmware // empty: BIOS, or UEFI where there is no other
	Memory   int      // MiB; 0: 1024
	Arch     string   // "amd64" or "arm64", as Go and Debian name them; empty: "amd64"
	Format   string   // of the image: "raw", "qcow2", …; empty: "raw"
	Network  bool     // a network card with QEMU's own DHCP server, and no way out
}

// A machine is what QEMU calls an architecture, and where distributions put its
// UEFI firmware: code and a file for its variables, in this order.
type machine struct {
	program string
	board   string
	bios    bool
	uefi    [][2]string
}

var machines = map[string]machine{
	"amd64": {
		program: "qemu-system-x86_64", board: "q35", bios: true,
		uefi: [][2]string{
			{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
			{"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
			{"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
			{"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
			{"/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"},
		},
	},
	"arm64": {
		program: "qemu-system-aarch64", board: "virt",
		uefi: [][2]string{
			{"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},
			{"/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw", "/usr/share/edk2/aarch64/vars-template-pflash.raw"},
		},
	},
}

// A plan is how to start a machine.
type plan struct {
	program string
	args    []string
	vars    string // firmware variables to copy to the file varsName before; empty: none
}

// varsName is what the firmware may write to, in the directory QEMU runs in.
const varsName = "vars.fd"

// plan makes the command line. exists says whether a file is on this machine.
func (o Options) plan(image string, exists func(string) bool) (plan, error) {
	arch := o.Arch
	if arch == "" {
		arch = "amd64"
	}
	m, ok := machines[arch]
	if !ok {
		return plan{}, fmt.Errorf("no machine of architecture %q", arch)
	}
	memory, format := o.Memory, o.Format
	if memory == 0 {
		memory = 1024
	}
	if format == "" {
		format = "raw"
	}
	p := plan{program: m.program, args: []string{
		"-machine", m.board, "-m", strconv.Itoa(memory),
		// Emulation is slow and works everywhere. KVM, where there is a /dev/kvm
		// at all, fails in ways of its own inside another virtual machine.
		"-accel", "tcg",
		// What distributions are built for is more than QEMU's default CPU has.
		"-cpu", "max",
		"-nodefaults", "-display", "none", "-no-reboot",
		"-serial", "stdio",
		// Without it a first boot may wait for entropy.
		"-device", "virtio-rng-pci",
		"-drive", "if=none,id=disk,snapshot=on,format=" + quote(format) + ",file=" + quote(image),
		"-device", "virtio-blk-pci,drive=disk",
	}}
	if o.Network {
		p.args = append(p.args, "-nic", "user,model=virtio-net-pci,restrict=on")
	} else {
		p.args = append(p.args, "-nic", "none")
	}
	return p, p.addFirmware(o.Firmware, arch, m, exists)
}

func (p *plan) addFirmware(f Firmware, arch string, m machine, exists func(string) bool) error {
	switch {
	case f == BIOS && !m.bios:
		return fmt.Errorf("architecture %s has no BIOS", arch)
	case f == BIOS || f == "" && m.bios:
		return nil // QEMU's own
	case f != UEFI && f != "":
		return fmt.Errorf("no firmware %q", f)
	}
	var looked []string
	for _, files := range m.uefi {
		if exists(files[0]) && exists(files[1]) {
			p.vars = files[1]
			p.args = append(p.args,
				"-drive", "if=pflash,unit=0,format=raw,readonly=on,file="+quote(files[0]),
				"-drive", "if=pflash,unit=1,format=raw,file="+varsName,
			)
			return nil
		}
		looked = append(looked, filepath.Dir(files[0]))
	}
	return fmt.Errorf("no UEFI firmware for %s in %s (package ovmf or qemu-efi-aarch64 on Debian)", arch, strings.Join(looked, ", "))
}

// quote doubles commas, as values of QEMU's options need it.
func quote(value string) string {
	return strings.ReplaceAll(value, ",", ",,")
}

func onThisMachine(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
