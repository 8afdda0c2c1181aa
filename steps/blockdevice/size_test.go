package blockdevice

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"512": 512, "512B": 512, "1 B": 1, "B": 1, "8MiB": 8 << 20, "MiB": 1 << 20, "1.5GiB": 3 << 29, "2 TiB": 2 << 40,
		"40G": 40e9, "40GB": 40e9, "3K": 3000, "3KB": 3000, "0.3KiB": 307, ".5KiB": 512, "5.KiB": 5 << 10, "123KiB": 123 << 10, "0": 0,
		"TiB": 1 << 40, "2T": 2e12, "2TB": 2e12, "GB": 1e9, "1.5M": 15e5, "1.5MB": 15e5, "1 ": 1, " MiB": 1 << 20,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", " ", ".", "1.2.3", "-1", "+1", "1mib", "1 kB", "1  MiB", "MiB 1", "50%", "1e3", "9999999999TiB", "0x10", "1MiB ", "KIB", "Ki", "1m"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", text, got)
		}
	}
	if s, err := parseSize("12.5%"); err != nil || !s.relative || s.of(1000) != 125 {
		t.Errorf("parseSize(12.5%%) = %+v, %v", s, err)
	}
	for _, text := range []string{"101%", "%", " %", "1.2.3%", "-1%"} {
		if s, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %+v, want an error", text, s)
		}
	}
}

func FuzzSize(f *testing.F) {
	for _, text := range []string{"100%", "1.5 GiB", "%", "99999999999999999999T", "..", "1 "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSize(text)
		if err != nil {
			return
		}
		if n := s.of(1 << 40); n < 0 || s.relative && n > 1<<40 {
			t.Errorf("parseSize(%q) is %d of 1 TiB", text, n)
		}
	})
}

func TestPlaces(t *testing.T) {
	for _, test := range []struct {
		name, label, partitions string
		diskMiB                 int64
		sector                  int64
		want                    string // number:start+length, of logical ones with @record, in KiB
	}{
		{"one", "mbr", "{name: a, size: 100%, flags: [primary]}", 100, 512, "1:1024+100352"},
		{"odd sizes", "mbr", "{name: a, size: '1000', flags: [primary]}, {name: b, size: 3K, flags: [primary]}, {name: c, size: 50%, flags: [primary]}", 100, 512, "1:1024+0.5 2:2048+2.5 3:3072+49152"},
		{"logical", "mbr", "{name: a, size: 10MiB, flags: [primary]}, {name: b, size: 10MiB}, {name: c, size: 100%}", 100, 512,
			"1:1024+10240 5:12288+10240@11264 6:23552+78848@22528"},
		{"unaligned before a share", "mbr", "{name: a, size: 1025KiB}, {name: b, size: 100%}", 100, 512, "5:2048+1025@1024 6:5120+97280@4096"},
		{"align", "mbr, align: 4MiB", "{name: a, size: 5MiB, flags: [primary]}, {name: b, size: 1MiB}, {name: c, size: 100%}", 100, 512,
			"1:4096+5120 5:16384+1024@12288 6:24576+77824@20480"},
		{"align is for mbr only", "gpt, align: 4MiB", "{name: a, size: 5MiB}, {name: b, size: 1MiB}", 100, 512, "1:1024+5120 2:6144+1024"},
		{"align of less than a sector", "mbr, align: '100'", "{name: a, size: '1000', flags: [primary]}, {name: b, size: 1KiB, flags: [primary]}", 100, 512, "1:0.5+0.5 2:1+1"},
		{"shares of what is left", "mbr", "{name: a, size: 50%, flags: [primary]}, {name: b, size: 50%, flags: [primary]}, {name: c, size: 12.5%, flags: [primary]}", 101, 512,
			"1:1024+50688 2:52224+25088 3:77824+3072"},
		{"4k sectors", "mbr", "{name: a, size: 10KB, flags: [primary]}, {name: b, size: 100%, flags: [primary]}", 100, 4096, "1:1024+8 2:2048+99328"},
		{"gpt", "gpt", "{name: a, size: 550MiB}, {name: b, size: 8MiB}, {name: c, size: 100%}", 1000, 512, "1:1024+563200 2:564224+8192 3:572416+450560"},
		{"gpt floors", "gpt", "{name: a, size: 40G}, {name: b, size: 33%}, {name: c, size: 100%}", 50000, 4096, "1:1024+39061504 2:39062528+4003840 3:43066368+8130560"},
	} {
		layout := "- local_loop: {name: image0}\n- partitioning: {name: t, base: image0, label: " + test.label + ", partitions: [" + test.partitions + "]}\n" +
			"- mkfs: {name: mkfs_root, base: a, mount: {mount_point: /}}\n"
		l := parse(t, layout, Params{})
		places, err := l.tables[0].places(test.diskMiB*mib, test.sector)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		kib := func(n int64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/1024), ".0") }
		for _, at := range places {
			text := fmt.Sprintf("%d:%s+%s", at.part.number, kib(at.start), kib(at.length))
			if at.record != 0 {
				text += "@" + kib(at.record)
			}
			got = append(got, text)
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestPlacesOverflow(t *testing.T) {
	for _, test := range []struct{ label, partitions, want string }{
		{"gpt", "{name: a, size: 99MiB}", `partition "a": needs 101376 KiB, and the disk has 100352 KiB left`},
		{"gpt", "{name: a, size: 100%}, {name: b, size: 100%}", `partition "b": no space is left`},
		{"gpt", "{name: a, size: 1000KiB}", `partition "a": no space is left`},
		{"gpt", "{name: a, size: 100353KiB}", `partition "a": needs 100353 KiB, and the disk has 100352 KiB left`},
		{"mbr", "{name: a, size: 100MiB, flags: [primary]}", `partition "a": needs 102400 KiB, and the disk has 101376 KiB left`},
		{"mbr", "{name: a, size: 99MiB}", `partition "a": needs 101376 KiB, and the disk has 100352 KiB left`},
		{"mbr", "{name: a, size: 100%}, {name: b, size: 10%}", `partition "b": no space is left`},
	} {
		l := parse(t, "- local_loop: {name: image0}\n- partitioning: {base: image0, label: "+test.label+", partitions: ["+test.partitions+"]}\n"+
			"- mkfs: {name: mkfs_root, base: a, mount: {mount_point: /}}\n", Params{})
		if places, err := l.tables[0].places(100*mib, 512); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: %v, %v; want %q", test.label, test.partitions, places, err, test.want)
		}
	}
}

func TestImageSize(t *testing.T) {
	tree := t.TempDir()
	// 1,000 KiB with the directory.
	if err := os.WriteFile(filepath.Join(tree, "file"), make([]byte, 996<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		in   SizeInput
		want int64
	}{
		{SizeInput{}, 1728}, // 1000/0.6 = 1666, up to 64
		{SizeInput{RootFSType: "ext4", JournalMiB: 64}, 67264}, // + 65536 = 67202
		{SizeInput{RootFSType: "xfs", JournalMiB: 64}, 1728},   // no journal
		{SizeInput{EFI: true}, 539328},                         // + 537600 = 539266
		{SizeInput{ExtraSize: "2"}, 3072},                      // MiB: 1000 + 2048 = 3048
		{SizeInput{ImageSize: "2"}, 2 << 20},                   // GiB
		{SizeInput{ImageSize: "1.5", RootFSType: "ext4", JournalMiB: 64}, 3 << 19},
		{SizeInput{ImageSize: "0.0001", ExtraSize: "5"}, 128}, // 104, and extra does not count
		{SizeInput{ImageSize: "1", EFI: true}, 1<<20 + 537600},
	} {
		test.in.Tree = tree
		if got, err := ImageSizeKiB(test.in); err != nil || got != test.want {
			t.Errorf("%s: %d, %v; want %d", test.in, got, err, test.want)
		}
	}
	for _, in := range []SizeInput{{ImageSize: "big"}, {ImageSize: "1e9"}, {ImageSize: "-1"}, {ImageSize: "1/2"}, {ExtraSize: "0x10"}, {ImageSize: "1" + strings.Repeat("0", 30)}, {ImageSize: "."}} {
		in.Tree = tree
		if got, err := ImageSizeKiB(in); err == nil {
			t.Errorf("%s: %d, want an error", in, got)
		}
	}
	if _, err := ImageSizeKiB(SizeInput{Tree: "/nonexistent"}); err == nil {
		t.Error("a missing tree has a size")
	}
}

func TestTreeSize(t *testing.T) {
	tree := t.TempDir()
	in := func(name string) string { return filepath.Join(tree, name) }
	add := func(what string, blocks int64, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		size, err := TreeSizeKiB(tree)
		if err != nil {
			t.Fatal(err)
		}
		if want := blocks * 4; size != want {
			t.Errorf("with %s: %d KiB, want %d", what, size, want)
		}
	}
	add("nothing", 1, nil)
	add("an empty file", 1, os.WriteFile(in("empty"), nil, 0o644))
	add("a byte", 2, os.WriteFile(in("byte"), []byte("b"), 0o644))
	add("another name", 2, os.Link(in("byte"), in("byte2")))
	add("4,097 bytes", 4, os.WriteFile(in("two"), make([]byte, 4097), 0o644))
	add("a directory", 5, os.Mkdir(in("dir"), 0o755))
	add("a short link", 5, os.Symlink(strings.Repeat("s", 59), in("short")))
	add("a long link", 6, os.Symlink(strings.Repeat("s", 60), in("long")))
	// Whether holes are kept depends on where the tree has been.
	hole := in("hole")
	add("a hole", 6+256, errors.Join(os.WriteFile(hole, nil, 0o644), os.Truncate(hole, 1<<20)))
	// 204 names of 12 bytes make entries of 20: 4,080 bytes, 24 with "." and "..".
	var errs []error
	for i := range 204 {
		errs = append(errs, os.Mkdir(filepath.Join(tree, "dir", fmt.Sprintf("%012d", i)), 0o755))
	}
	add("a big directory", 6+256+204+1, errors.Join(errs...))
}
