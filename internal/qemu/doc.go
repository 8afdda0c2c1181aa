// Package qemu boots disk images in a virtual machine and talks to them over
// their serial console. It is for tests: it needs QEMU and, for UEFI, the
// firmware OVMF or AAVMF, and emulates, so that it works wherever QEMU does.
//
//	console, err := qemu.Boot(ctx, "debian.qcow2", qemu.Options{Format: "qcow2"})
//	if err != nil { … }
//	defer console.Close()
//	_, err = console.Expect(ctx, `login: $`)
//	err = console.Send("root\n")
//
// The image is never written: what the machine writes goes to a temporary file
// that QEMU removes.
package qemu
