package qemu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// Not the machine's root but its QEMU is what these tests need; they stand
// behind the same gate, which is where tests may ask for something installed.

// echo is a boot sector for a BIOS. It greets on the first serial port, sends
// back every byte that comes in, and switches off on a "q".
var echo = []byte{
	0xfa,       //        cli
	0x31, 0xc0, //        xor ax, ax
	0x8e, 0xd8, //        mov ds, ax
	0xfc,             //        cld
	0xbe, 0x3e, 0x7c, //        mov si, greeting
	0xac,       // next:  lodsb
	0x84, 0xc0, //        test al, al
	0x74, 0x05, //        jz wait
	0xe8, 0x1c, 0x00, //        call put
	0xeb, 0xf6, //        jmp next
	0xba, 0xfd, 0x03, // wait:  mov dx, 3fdh       line status
	0xec,       //        in al, dx
	0xa8, 0x01, //        test al, 1          a byte has come
	0x74, 0xf8, //        jz wait
	0xba, 0xf8, 0x03, //        mov dx, 3f8h       data
	0xec,      //        in al, dx
	0x3c, 'q', //        cmp al, 'q'
	0x74, 0x05, //        je off
	0xe8, 0x07, 0x00, //        call put
	0xeb, 0xeb, //        jmp wait
	0xb0, 0xfe, // off:   mov al, 0feh
	0xe6, 0x64, //        out 64h, al        reset; QEMU runs with -no-reboot
	0xf4,       //        hlt
	0x88, 0xc4, // put:   mov ah, al
	0xba, 0xfd, 0x03, //        mov dx, 3fdh
	0xec,       // busy:  in al, dx
	0xa8, 0x20, //        test al, 20h        ready to send
	0x74, 0xfb, //        jz busy
	0xba, 0xf8, 0x03, //        mov dx, 3f8h
	0x88, 0xe0, //        mov al, ah
	0xee, //        out dx, al
	0xc3, //        ret
}

// bootSector gives an image with echo in its first sector, which is what a BIOS
// loads; SeaBIOS takes no disk that has no more than that.
func bootSector(t *testing.T) string {
	t.Helper()
	sector := make([]byte, 512)
	copy(sector, append(echo, "\x1b[1mhello\x1b[0m from sector one\r\nready> "...))
	sector[510], sector[511] = 0x55, 0xaa // what makes it bootable
	image := filepath.Join(t.TempDir(), "sector,one.raw")
	if err := errors.Join(os.WriteFile(image, sector, 0o644), os.Truncate(image, 1<<20)); err != nil {
		t.Fatal(err)
	}
	return image
}

func boot(t *testing.T, image string, o Options) (context.Context, *Console) {
	t.Helper()
	// Emulation on a machine that is busy with other tests is slow.
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	console, err := Boot(ctx, image, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { console.Close() })
	return ctx, console
}

func TestBootBIOS(t *testing.T) {
	testroot.Require(t)
	ctx, console := boot(t, bootSector(t), Options{Memory: 64})
	shown, err := console.Expect(ctx, `(?m)sector (\w+)$`)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(shown, "hello from sector one") {
		t.Errorf("shown %q, want it to end with the greeting, escape sequences left out", shown)
	}
	if shown, err = console.Expect(ctx, "ready> $"); err != nil || shown != "\nready> " {
		t.Errorf("shown %q, %v; want what came after the first match", shown, err)
	}
	if err := console.Send("typed"); err != nil {
		t.Fatal(err)
	}
	if _, err := console.Expect(ctx, "^typed$"); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := console.Expect(short, "sector one"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "\tready> typed") {
		t.Errorf("waiting for what was read already: %v, want the deadline, and the last lines", err)
	}
	if err := console.Send("q"); err != nil {
		t.Fatal(err)
	}
	if _, err := console.Expect(ctx, "never"); !errors.Is(err, ErrOff) {
		t.Errorf("waiting for a machine that switches itself off: %v, want ErrOff", err)
	}
	if log := console.Log(); !strings.Contains(log, "hello from sector one\nready> typed") {
		t.Errorf("log %q lacks what was shown", log)
	}
}

func TestCloseEndsQEMU(t *testing.T) {
	testroot.Require(t)
	image := bootSector(t)
	ctx, console := boot(t, image, Options{Memory: 64})
	if _, err := console.Expect(ctx, "ready>"); err != nil {
		t.Fatal(err)
	}
	if n := len(processesOf(t, image)); n != 1 {
		t.Fatalf("%d processes use the image, want QEMU alone: the test cannot fail", n)
	}
	if err := console.Close(); err != nil {
		t.Error(err)
	}
	if left := processesOf(t, image); len(left) > 0 {
		t.Errorf("still there after Close: %q", left)
	}
	if _, err := console.Expect(ctx, "never"); !errors.Is(err, ErrOff) {
		t.Errorf("after Close: %v, want ErrOff", err)
	}
}

func TestBootRefused(t *testing.T) {
	testroot.Require(t)
	ctx, console := boot(t, bootSector(t), Options{Memory: 64, Format: "qcow2"})
	_, err := console.Expect(ctx, "ready>")
	if !errors.Is(err, ErrOff) || !strings.Contains(err.Error(), "not in qcow2 format") {
		t.Errorf("a raw image as qcow2: %v, want ErrOff and what QEMU says", err)
	}
}

// The firmware itself says that it found nothing to boot.
func TestBootUEFI(t *testing.T) {
	testroot.Require(t)
	ctx, console := boot(t, bootSector(t), Options{Firmware: UEFI, Memory: 256})
	if _, err := console.Expect(ctx, `BdsDxe|UEFI Interactive Shell`); err != nil {
		t.Error(err)
	}
}

// processesOf lists the command lines that name a file.
func processesOf(t *testing.T, file string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, line := range lines {
		// A process that is gone by now cannot be read.
		text, _ := os.ReadFile(line)
		if strings.Contains(string(text), quote(file)) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}
