package compat

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
)

// cpio packs one archive; a name that ends in "@" is of a symbolic link.
func cpio(files map[string]string, names ...string) string {
	var out bytes.Buffer
	put := func(name, text string, mode int) {
		fmt.Fprintf(&out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 1, mode, 0, 0, 1, 12345, len(text), 0, 0, 0, 0, len(name)+1, 0, name)
		out.WriteString(strings.Repeat("\x00", int(padding(int64(out.Len())))))
		out.WriteString(text)
		out.WriteString(strings.Repeat("\x00", int(padding(int64(len(text))))))
	}
	for _, name := range names {
		if link, ok := strings.CutSuffix(name, "@"); ok {
			put(link, files[name], 0o120777)
		} else {
			put(name, files[name], 0o100644)
		}
	}
	put("TRAILER!!!", "", 0)
	return out.String()
}

func packed(t *testing.T, text string, level int) string {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Two initramfs with the same files, packed in another order and another way,
// are equal.
func TestInitramfs(t *testing.T) {
	files := map[string]string{"init": "#!/bin/sh\n", "bin/sh@": "busybox", "kernel/microcode": "m", "conf": "one"}
	early := cpio(files, "kernel/microcode") + strings.Repeat("\x00", 512)
	const name = "boot/initrd.img-1"
	ours := tree(t, file{name: name, text: early + packed(t, cpio(files, "init", "bin/sh@", "conf"), 9)})
	theirs := tree(t, file{name: name, text: early + packed(t, cpio(files, "conf", "bin/sh@", "init"), 1)})
	if got := Compare(ours, theirs, nil); len(got.Unexplained) > 0 || got.Files != 5 {
		t.Errorf("the same files packed otherwise: %d files, %q", got.Files, got.Unexplained)
	}
	if e := ours[name+"/bin/sh"]; e == nil || e.Type != 'l' || e.Target != "busybox" {
		t.Errorf("the link is %+v", e)
	}

	files["conf"] = "two"
	theirs = tree(t, file{name: name, text: early + packed(t, cpio(files, "conf", "bin/sh@", "init"), 1)})
	got := Compare(ours, theirs, nil).Unexplained
	if len(got) != 1 || !strings.HasPrefix(got[0], "/boot/initrd.img-1/conf has 3 bytes") {
		t.Errorf("another file in it: %q", got)
	}

	// What cannot be read is compared by its bytes.
	ours, theirs = tree(t, file{name: name, text: "\x28\xb5\x2f\xfdone"}), tree(t, file{name: name, text: "\x28\xb5\x2f\xfdtwo"})
	if got := Compare(ours, theirs, nil).Unexplained; len(got) != 1 {
		t.Errorf("unreadable ones: %q", got)
	}
}
