package steps

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Only what is in the files that a run wrote can be read by a later one.
func TestCarried(t *testing.T) {
	upper := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		at := filepath.Join(upper, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("mnt/usr/bin/tool", "#!/bin/sh\necho $DIB_A\n")
	write("mnt/usr/bin/program", "\x7fELF\x00DIB_B\x00")
	write("mnt/usr/bin/packaged", "\x7fELF\x00DIB_C\x00")
	write("mnt/var/lib/dpkg/info/packaged.list", "/.\n/usr/bin/packaged\n")
	if err := unix.Mknod(filepath.Join(upper, "mnt/var/lib/dpkg/info/removed.list"), unix.S_IFCHR, 0); err != nil { // as overlayfs does
		t.Fatal(err)
	}
	write("mnt/far", strings.Repeat("x", 300<<10)+"DIB_FAR"+strings.Repeat("x", 300<<10))
	write("mnt/edge", strings.Repeat("x", window-3)+"DIB_EDGE"+strings.Repeat("x", 300<<10))
	write("hooks/bin/made", "echo ${DIB_REPO_a} $OTHER")
	for _, test := range []struct {
		text string
		want []string
	}{
		{"exit 0", nil},
		{"echo $DIB_D > file # DIB_D is not in it", nil},
		{"echo $DIB_A $DIB_B $DIB_C $DIB_D", []string{"DIB_A", "DIB_B"}}, // packages know nothing of elements
		{"DIB_FAR", []string{"DIB_FAR"}},
		{"DIB_EDGE", []string{"DIB_EDGE"}}, // of which one window has the beginning
		{"v=DIB_REPO_$x; $OTHER", []string{"DIB_REPO_*"}},
		{"env > file", []string{"*"}}, // who knows what is in the program
		{"\x00binary", []string{"*"}},
	} {
		got, err := someVariables.carried(upper, wordsOf(test.text))
		if err != nil {
			t.Fatal(err)
		}
		if kept := someVariables.keep(got); !slices.Equal(kept, test.want) {
			t.Errorf("%q leaves %q, want %q", test.text, kept, test.want)
		}
	}
	if err := os.Remove(filepath.Join(upper, "mnt/usr/bin/program")); err != nil {
		t.Fatal(err)
	}
	got, err := someVariables.carried(upper, wordsOf("env > file"))
	if kept := someVariables.keep(got); err != nil || !slices.Equal(kept, []string{"DIB_A", "DIB_REPO_a"}) {
		t.Errorf("a hook that dumps the environment leaves %q, %v; want what texts mention", kept, err)
	}
	write("mnt/usr/bin/dump", "#!/bin/sh\nenv\n")
	if got, err := someVariables.carried(upper, wordsOf("env")); err != nil || !got.All {
		t.Errorf("a hook that may have written a program that dumps the environment leaves %+v, %v; want all", got, err)
	}
	if got, err := someVariables.carried(upper, wordsOf("echo $DIB_A")); err != nil || got.All {
		t.Errorf("a hook that cannot have written it leaves %+v, %v", got, err)
	}
}
