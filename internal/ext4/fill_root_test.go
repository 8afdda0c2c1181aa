package ext4

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/testroot"
	"github.com/dibgraph/dibgraph/internal/testtree"
)

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "E2FSPROGS_FAKE_TIME=946684800")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// fresh makes a filesystem that is always the same, behind offset bytes of a file.
func fresh(t testing.TB, size, offset int64, options ...string) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	must(t, os.WriteFile(image, nil, 0o600), os.Truncate(image, offset+size))
	args := []string{"-q", "-F", "-U", "01234567-89ab-cdef-0123-456789abcdef",
		"-E", fmt.Sprintf("offset=%d,hash_seed=fedcba98-7654-3210-fedc-ba9876543210", offset)}
	if len(options) == 0 || !strings.Contains(options[0], "has_journal") {
		options = append([]string{"^has_journal"}, options...)
	}
	args = append(append(args, "-O"), options...)
	run(t, "mkfs.ext4", append(args, image, fmt.Sprintf("%dK", size/1024))...)
	return image
}

func fillFile(t testing.TB, image string, o Options) error {
	t.Helper()
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	must(t, err)
	defer func() { must(t, file.Close()) }()
	return Fill(t.Context(), file, o)
}

// mounted calls do with the mount point of the filesystem.
func mounted(t testing.TB, image string, offset int64, do func(target string)) {
	t.Helper()
	device, err := loop.Attach(image, loop.Options{Offset: offset})
	must(t, err)
	target := t.TempDir()
	must(t, unix.Mount(device.Path, target, "ext4", unix.MS_NOATIME, ""))
	defer func() { must(t, unix.Unmount(target, 0), device.Close()) }()
	do(target)
}

// fsck checks the filesystem as it is in the file.
func fsck(t testing.TB, image string, offset int64) {
	t.Helper()
	name := image
	if offset > 0 {
		name = fmt.Sprintf("%s?offset=%d", image, offset)
	}
	run(t, "e2fsck", "-fn", name)
}

// Every kind of file, in filesystems of all the shapes that are written.
func TestFillEverything(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	source := t.TempDir()
	testtree.Special(t, source)
	want := testtree.Describe(t, source)
	for _, test := range []struct {
		name    string
		size    int64
		offset  int64
		options []string
	}{
		{name: "default", size: 64 << 20},
		{name: "in a partition", size: 64 << 20, offset: 1 << 20},
		{name: "blocks of 1 KiB", size: 64 << 20, options: []string{"^has_journal", "-b", "1024", "-I", "256"}},
		{name: "blocks of 2 KiB, many groups", size: 160 << 20, options: []string{"^has_journal", "-b", "2048"}},
		{name: "no checksums", size: 64 << 20, options: []string{"^has_journal,^metadata_csum"}},
		{name: "32 bits", size: 64 << 20, options: []string{"^has_journal,^64bit"}},
		{name: "journal", size: 64 << 20, options: []string{"has_journal"}},
		{name: "journal that fills a group", size: 64 << 20, options: []string{"has_journal", "-g", "2048", "-J", "size=20"}},
		{name: "no groups together", size: 160 << 20, options: []string{"^has_journal,^flex_bg,^resize_inode"}},
		{name: "small groups", size: 64 << 20, options: []string{"^has_journal", "-g", "2048", "-N", "20000"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			image := fresh(t, test.size, test.offset, test.options...)
			must(t, fillFile(t, image, Options{Source: source, Offset: test.offset}))
			fsck(t, image, test.offset)
			mounted(t, image, test.offset, func(target string) {
				testtree.Compare(t, testtree.Describe(t, target), want)
				// The kernel goes on from there.
				must(t, os.RemoveAll(filepath.Join(target, "odd")), os.WriteFile(filepath.Join(target, "new"), make([]byte, 1<<20), 0o644))
			})
			fsck(t, image, test.offset)
		})
	}
}

// Directories of one, several and very many blocks are found by name, and take
// new names.
func TestFillDirectories(t *testing.T) {
	testroot.Require(t)
	source := t.TempDir()
	// An index has a second level from 507 blocks of names on.
	counts := map[string]int{"one": 1, "few": 300, "many": 5_000, "long": 8_000}
	name := func(dir string, i int) string {
		if dir == "long" {
			return fmt.Sprintf("%s/\xe9%0250d", dir, i)
		}
		return fmt.Sprintf("%s/file-%d.txt", dir, i)
	}
	for dir, count := range counts {
		must(t, os.Mkdir(filepath.Join(source, dir), 0o755))
		for i := range count {
			must(t, os.WriteFile(filepath.Join(source, name(dir, i)), fmt.Appendf(nil, "%d", i), 0o644))
		}
	}
	image := fresh(t, 256<<20, 0, "^has_journal", "-i", "4096")
	must(t, fillFile(t, image, Options{Source: source}))
	fsck(t, image, 0)
	mounted(t, image, 0, func(target string) {
		for dir, count := range counts {
			entries, err := os.ReadDir(filepath.Join(target, dir))
			must(t, err)
			if len(entries) != count {
				t.Errorf("%s has %d entries, want %d", dir, len(entries), count)
			}
			for i := range count {
				content, err := os.ReadFile(filepath.Join(target, name(dir, i)))
				if err != nil || string(content) != fmt.Sprint(i) {
					t.Fatalf("%s: %q, %v", name(dir, i), content, err)
				}
			}
			for i := range 300 {
				must(t, os.WriteFile(filepath.Join(target, dir, fmt.Sprint("new", i)), nil, 0o644))
			}
			must(t, os.Remove(filepath.Join(target, name(dir, 0))))
		}
	})
	fsck(t, image, 0)
}

// A file in so many pieces that its extents need a tree of blocks.
func TestFillFragments(t *testing.T) {
	testroot.Require(t)
	source := t.TempDir()
	for name, pieces := range map[string]int{"four": 4, "five": 5, "some": 300, "many": 2_000} {
		file, err := os.Create(filepath.Join(source, name))
		must(t, err)
		for i := range pieces {
			_, err := file.WriteAt(fmt.Appendf(nil, "piece %d", i), int64(i)*64<<10)
			must(t, err)
		}
		must(t, file.Truncate(int64(pieces)*64<<10), file.Close())
	}
	want := testtree.Describe(t, source)
	image := fresh(t, 128<<20, 0)
	must(t, fillFile(t, image, Options{Source: source}))
	fsck(t, image, 0)
	mounted(t, image, 0, func(target string) { testtree.Compare(t, testtree.Describe(t, target), want) })
}

// Equal trees give equal bytes, whatever was read or copied before; what a tree of a
// higher rank changes, changes little.
func TestFillDeterministic(t *testing.T) {
	testroot.Require(t)
	first, second := t.TempDir(), t.TempDir()
	testtree.Special(t, first)
	run(t, "cp", "-a", first+"/.", second)
	var images [][]byte
	for i, source := range []string{first, second, second} {
		image := fresh(t, 64<<20, 0)
		must(t, fillFile(t, image, Options{Source: source, Workers: 1 + 3*i}))
		data, err := os.ReadFile(image)
		must(t, err)
		images = append(images, data)
	}
	if !bytes.Equal(images[0], images[1]) || !bytes.Equal(images[0], images[2]) {
		t.Error("equal trees give different filesystems")
	}
}

// What this package does not write is refused, and left as it was.
func TestFillUnsupported(t *testing.T) {
	testroot.Require(t)
	for name, test := range map[string]struct {
		options []string
		make    func(t *testing.T, source string)
	}{
		"no extents":   {options: []string{"^has_journal,^extents,^64bit"}},
		"bigalloc":     {options: []string{"^has_journal,bigalloc"}},
		"inline data":  {options: []string{"^has_journal,inline_data"}},
		"small inodes": {options: []string{"^has_journal", "-I", "128"}},
		"quota":        {options: []string{"^has_journal,quota"}},
		"no attributes": {
			options: []string{"^has_journal,^ext_attr"},
			make:    func(t *testing.T, source string) { must(t, unix.Setxattr(source, "trusted.note", []byte("t"), 0)) },
		},
		"lost+found": {make: func(t *testing.T, source string) { must(t, os.Mkdir(filepath.Join(source, "lost+found"), 0o700)) }},
	} {
		t.Run(name, func(t *testing.T) {
			source := t.TempDir()
			if test.make != nil {
				test.make(t, source)
			}
			image := fresh(t, 64<<20, 0, test.options...)
			before, err := os.ReadFile(image)
			must(t, err)
			if err := fillFile(t, image, Options{Source: source}); !errors.Is(err, ErrUnsupported) {
				t.Errorf("Fill = %v, want ErrUnsupported", err)
			}
			after, err := os.ReadFile(image)
			must(t, err)
			if !bytes.Equal(before, after) {
				t.Error("the filesystem was changed")
			}
		})
	}
}

// A tree that does not fit is an error like the kernel's.
func TestFillFull(t *testing.T) {
	testroot.Require(t)
	source := t.TempDir()
	must(t, os.WriteFile(filepath.Join(source, "large"), make([]byte, 20<<20), 0o600))
	if err := fillFile(t, fresh(t, 16<<20, 0), Options{Source: source}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Fill = %v, want ENOSPC", err)
	}
	many := t.TempDir()
	for i := range 2000 {
		must(t, os.WriteFile(filepath.Join(many, fmt.Sprint(i)), nil, 0o600))
	}
	if err := fillFile(t, fresh(t, 16<<20, 0, "^has_journal", "-N", "1000"), Options{Source: many}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Fill with too many files = %v, want ENOSPC", err)
	}
}

// What a change of a file of the last rank leaves as it was: nearly all clusters of
// 64 KiB, though the file gets longer and another one comes before all others.
func TestFillStable(t *testing.T) {
	testroot.Require(t)
	source := t.TempDir()
	for i := range 600 {
		dir := filepath.Join(source, fmt.Sprintf("dir%02d", i%20))
		must(t, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, fmt.Sprint("file", i)), noise(i, 300*i), 0o644))
	}
	last := func(name string) int {
		if strings.HasPrefix(name, "dir00/aaa") || name == "dir07/file107" {
			return 2
		}
		return 1
	}
	fill := func() map[[32]byte]bool {
		image := fresh(t, 256<<20, 1<<20)
		must(t, fillFile(t, image, Options{Source: source, Offset: 1 << 20, Rank: last}))
		data, err := os.ReadFile(image)
		must(t, err)
		clusters := map[[32]byte]bool{}
		for at := 0; at < len(data); at += chunk {
			clusters[sha256.Sum256(data[at:at+chunk])] = true
		}
		return clusters
	}
	before := fill()
	must(t, os.WriteFile(filepath.Join(source, "dir00/aaa"), noise(1000, 100_000), 0o644),
		os.WriteFile(filepath.Join(source, "dir07/file107"), noise(1001, 200_000), 0o644))
	changed := 0
	after := fill()
	for cluster := range after {
		if !before[cluster] {
			changed++
		}
	}
	// The two files have 300 KB; besides there are inodes, directories, bitmaps,
	// descriptors and the superblock.
	if len(after) < 1000 || changed > 13 {
		t.Errorf("%d of %d clusters changed", changed, len(after))
	}
}

func noise(seed, n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(data)
	return data
}
