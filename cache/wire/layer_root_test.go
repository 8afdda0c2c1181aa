package wire

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newStore(t testing.TB) *cache.Store {
	t.Helper()
	s, err := cache.Open(t.TempDir()+"/store", cache.Options{})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return s
}

// commit makes a layer of what fill leaves in a directory.
func commit(t testing.TB, s *cache.Store, fill func(dir string)) cache.Digest {
	t.Helper()
	dir, err := s.TempDir("upper")
	check(t, err)
	fill(dir)
	l, err := s.CommitLayer(dir, cache.LayerOptions{Volatile: []string{"var/log/**"}})
	check(t, err)
	return l.Digest
}

func encoded(t testing.TB, s *cache.Store, d cache.Digest) []byte {
	t.Helper()
	dir, err := s.LayerDir(d)
	check(t, err)
	l, err := s.Listing(d)
	check(t, err)
	var b bytes.Buffer
	check(t, EncodeLayer(t.Context(), &b, dir, l))
	return b.Bytes()
}

// transfer moves a layer to another store, and fails the test unless it arrives
// as it was: digest, times, masked content, holes.
func transfer(t testing.TB, from *cache.Store, d cache.Digest) *cache.Store {
	t.Helper()
	to := newStore(t)
	data := encoded(t, from, d)
	if again := encoded(t, from, d); !bytes.Equal(data, again) {
		t.Error("the second time it is encoded otherwise")
	}
	dir, err := to.TempDir("supply")
	check(t, err)
	decoded, err := DecodeLayer(t.Context(), bytes.NewReader(data), dir, DefaultLimits())
	check(t, err)
	check(t, to.ImportLayer(dir, d, decoded.Volatile))
	want, err := from.Listing(d)
	check(t, err)
	got, err := to.Listing(d)
	check(t, err)
	wantText, err := want.AppendText(nil)
	check(t, err)
	gotText, err := got.AppendText(nil)
	check(t, err)
	if !bytes.Equal(gotText, wantText) {
		t.Errorf("the listing is\n%s\nnot\n%s", gotText, wantText)
	}
	return to
}

func write(t testing.TB, path, content string, mode fs.FileMode) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte(content), 0o600))
	check(t, unix.Chmod(path, uint32(mode)))
}

func setxattr(t testing.TB, path, name, value string) {
	t.Helper()
	check(t, unix.Lsetxattr(path, name, []byte(value), 0))
}

// A capability in the form of the kernel (VFS_CAP_REVISION_2, CAP_NET_RAW).
const netRaw = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// An ACL: the owner rwx, user 1000 r--, the group r-x, mask r-x, others r--.
const acl = "\x02\x00\x00\x00" +
	"\x01\x00\x07\x00\xff\xff\xff\xff" + "\x02\x00\x04\x00\xe8\x03\x00\x00" + "\x04\x00\x05\x00\xff\xff\xff\xff" +
	"\x10\x00\x05\x00\xff\xff\xff\xff" + "\x20\x00\x04\x00\xff\xff\xff\xff"

// Everything that an image of a system has in it, and what nobody expects.
func TestLayersArriveAsTheyWere(t *testing.T) {
	testroot.Require(t)
	for name, fill := range map[string]func(t *testing.T, dir string){
		"modes and owners": func(t *testing.T, dir string) {
			write(t, dir+"/setuid", "x", 0o4755)
			check(t, os.Chown(dir+"/setuid", 12, 34))
			check(t, unix.Chmod(dir+"/setuid", 0o6755))
			check(t, os.Mkdir(dir+"/sticky", 0o700))
			check(t, unix.Chmod(dir+"/sticky", 0o1777))
			check(t, os.Chown(dir+"/sticky", 1<<31, 1<<31+1))
			check(t, os.Symlink("nowhere", dir+"/link"))
			check(t, os.Lchown(dir+"/link", 7, 8))
			write(t, dir+"/none", "", 0)
		},
		"whiteouts": func(t *testing.T, dir string) {
			check(t, unix.Mknod(dir+"/gone", unix.S_IFCHR, 0))
			check(t, os.Mkdir(dir+"/d", 0o755))
			// The kernel makes whiteouts links of one inode.
			check(t, os.Link(dir+"/gone", dir+"/d/gone-too"))
			check(t, os.Mkdir(dir+"/opaque", 0o755))
			setxattr(t, dir+"/opaque", "trusted.overlay.opaque", "y")
			write(t, dir+"/opaque/kept", "x", 0o644)
			check(t, unix.Mknod(dir+"/"+strings.Repeat("n", 255), unix.S_IFCHR, 0))
		},
		"names like whiteouts": func(t *testing.T, dir string) {
			write(t, dir+"/.wh.file", "not a whiteout", 0o644)
			write(t, dir+"/.wh..wh..opq", "", 0o644)
			write(t, dir+"/.wh.", "", 0o644)
			check(t, os.Mkdir(dir+"/.wh.dir", 0o755))
			write(t, dir+"/.wh.dir/.wh..wh.x", "x", 0o644)
			check(t, unix.Mknod(dir+"/.wh.dir/.wh.gone", unix.S_IFCHR, 0))
		},
		"attributes": func(t *testing.T, dir string) {
			write(t, dir+"/ping", "x", 0o755)
			setxattr(t, dir+"/ping", "security.capability", netRaw)
			write(t, dir+"/user", "x", 0o644)
			setxattr(t, dir+"/user", "user.one", "binary\x00\xff=\n")
			setxattr(t, dir+"/user", "user.empty", "")
			setxattr(t, dir+"/user", "user.name=with equals", "x")
			write(t, dir+"/acl", "x", 0o754)
			setxattr(t, dir+"/acl", "system.posix_acl_access", acl)
			check(t, os.Mkdir(dir+"/d", 0o755))
			setxattr(t, dir+"/d", "system.posix_acl_default", acl)
			setxattr(t, dir+"/d", "user.dir", "yes")
		},
		"devices": func(t *testing.T, dir string) {
			check(t, unix.Mknod(dir+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
			check(t, unix.Mknod(dir+"/disk", unix.S_IFBLK|0o660, int(unix.Mkdev(4095, 1<<20-1))))
			check(t, unix.Mkfifo(dir+"/fifo", 0o600))
		},
		"times": func(t *testing.T, dir string) {
			for name, at := range map[string]time.Time{
				"nanoseconds": time.Unix(1700000000, 123456789), "before 1970": time.Unix(-5, 250000000),
				"zero": time.Unix(0, 0), "far": time.Unix(1<<33, 1),
			} {
				write(t, dir+"/"+name, "x", 0o644)
				check(t, setTime(dir+"/"+name, at))
			}
			write(t, dir+"/d/in", "x", 0o644)
			check(t, setTime(dir+"/d", time.Unix(1, 2)))
			check(t, os.Symlink("x", dir+"/link"))
			check(t, setTime(dir+"/link", time.Unix(3, 4)))
		},
		"hard links": func(t *testing.T, dir string) {
			write(t, dir+"/z/first", "content", 0o644)
			check(t, os.Mkdir(dir+"/a", 0o755))
			check(t, os.Link(dir+"/z/first", dir+"/a/second"))
			check(t, os.Link(dir+"/z/first", dir+"/z/third"))
			setxattr(t, dir+"/z/first", "user.x", "y")
			check(t, os.Symlink("x", dir+"/link"))
			check(t, unix.Linkat(unix.AT_FDCWD, dir+"/link", unix.AT_FDCWD, dir+"/link2", 0))
			check(t, unix.Mkfifo(dir+"/fifo", 0o600))
			check(t, os.Link(dir+"/fifo", dir+"/fifo2"))
		},
		"odd names": func(t *testing.T, dir string) {
			for _, name := range []string{
				"new\nline", "not utf-8 \xff\xfe", " leading", "trailing ", "a\\b", "tab\t", "=equals=", "-dash", "ü", "..x", "...",
				strings.Repeat("n", 255), "100 path=x\n",
			} {
				write(t, dir+"/"+name, name, 0o644)
				check(t, os.Symlink(name+"/../"+name, dir+"/l"+name[:min(len(name), 254)]))
			}
			deep := dir
			for range 14 {
				deep += "/" + strings.Repeat("d", 200)
			}
			write(t, deep+"/file", "x", 0o644)
			check(t, os.Symlink(strings.Repeat("t", 4000), dir+"/long target"))
		},
		"sparse files": func(t *testing.T, dir string) {
			write(t, dir+"/empty", "", 0o644)
			for name, offsets := range map[string][]int64{"all hole": nil, "end": {64 << 20}, "middle": {64 << 10, 512 << 10}, "start": {0}} {
				f, err := os.Create(dir + "/" + name)
				check(t, err)
				for _, at := range offsets {
					_, err := f.WriteAt([]byte("data"), at)
					check(t, err)
				}
				check(t, f.Truncate(64<<20+4))
				check(t, f.Close())
			}
		},
		"masked content": func(t *testing.T, dir string) {
			write(t, dir+"/var/log/apt/history.log", "a date", 0o640)
			write(t, dir+"/var/log/empty", "", 0o644)
		},
		"nothing but a directory": func(t *testing.T, dir string) { check(t, os.Mkdir(dir+"/d", 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			transfer(t, s, commit(t, s, func(dir string) { fill(t, dir) }))
		})
	}
}

func TestHolesStayHoles(t *testing.T) {
	testroot.Require(t)
	s := newStore(t)
	d := commit(t, s, func(dir string) {
		f, err := os.Create(dir + "/sparse")
		check(t, err)
		check(t, f.Truncate(1<<30))
		_, err = f.WriteAt([]byte("end"), 1<<30-3)
		check(t, err)
		check(t, f.Close())
	})
	if n := len(encoded(t, s, d)); n > 64<<10 {
		t.Errorf("1 GiB of nothing are %d bytes", n)
	}
	to := transfer(t, s, d)
	dir, err := to.LayerDir(d)
	check(t, err)
	var st unix.Stat_t
	check(t, unix.Stat(dir+"/sparse", &st))
	if st.Blocks*512 > 1<<20 {
		t.Errorf("1 GiB of nothing take %d bytes", st.Blocks*512)
	}
}

// A layer of a real overlay, with what the kernel writes there.
func TestLayersOfAnOverlay(t *testing.T) {
	testroot.Require(t)
	s := newStore(t)
	lower, upper, work, merged := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	for _, name := range []string{"removed", "replaced/by/file", "emptied/x", "renamed", "linked"} {
		write(t, lower+"/"+name, "lower "+name, 0o644)
	}
	check(t, os.Link(lower+"/linked", lower+"/linked2"))
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,index=off,metacopy=off,redirect_dir=nofollow", lower, upper, work)
	check(t, unix.Mount("overlay", merged, "overlay", 0, options))
	check(t, os.Remove(merged+"/removed"))
	check(t, os.RemoveAll(merged+"/replaced"))
	write(t, merged+"/replaced", "now a file", 0o644)
	check(t, os.RemoveAll(merged+"/emptied"))
	write(t, merged+"/emptied/new", "x", 0o644)
	check(t, os.Rename(merged+"/renamed", merged+"/other"))
	write(t, merged+"/linked", "changed", 0o644)
	check(t, unix.Unmount(merged, 0))
	d := commit(t, s, func(dir string) { check(t, os.Remove(dir)); check(t, os.Rename(upper, dir)) })
	to := transfer(t, s, d)
	tree, err := to.LayerDir(d)
	check(t, err)
	check(t, unix.Mount("overlay", merged, "overlay", unix.MS_RDONLY, fmt.Sprintf("lowerdir=%s:%s", tree, lower)))
	defer func() { check(t, unix.Unmount(merged, 0)) }()
	var names []string
	check(t, filepath.WalkDir(merged, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, strings.TrimPrefix(path, merged))
		return err
	}))
	if got := strings.Join(names, " "); got != " /emptied /emptied/new /linked /linked2 /other /replaced" {
		t.Errorf("the overlay shows %q", got)
	}
}

func TestManyFiles(t *testing.T) {
	testroot.Require(t)
	count := 5000
	if os.Getenv("DIBGRAPH_FAULTS") != "" {
		count = 100_000 // takes minutes where others use the disk
	}
	s := newStore(t)
	transfer(t, s, commit(t, s, func(dir string) {
		for i := range count {
			if i%1000 == 0 {
				check(t, os.Mkdir(fmt.Sprintf("%s/%d", dir, i/1000), 0o755))
			}
			check(t, os.WriteFile(fmt.Sprintf("%s/%d/%d", dir, i/1000, i), []byte(fmt.Sprint(i)), 0o644))
		}
	}))
}

func TestOtherLayersAreNotImported(t *testing.T) {
	testroot.Require(t)
	s := newStore(t)
	dir, err := s.TempDir("supply")
	check(t, err)
	write(t, dir+"/file", "x", 0o644)
	want := cache.DigestBytes([]byte("something else"))
	if err := s.ImportLayer(dir, want, nil); err == nil || s.HasLayer(want) {
		t.Errorf("imported: %v", err)
	}
}
