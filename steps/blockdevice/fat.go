package blockdevice

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// fillFAT copies a directory into the empty, unmounted FAT filesystem on a
// device, by mtools. What FAT cannot hold, and what does not fit, is an error
// that says so before anything is written.
func fillFAT(ctx context.Context, run Runner, device, dir string) error {
	need, err := measureFAT(dir)
	if err != nil {
		return fmt.Errorf("fill vfat from %q: %w", dir, err)
	}
	if len(need.top) == 0 {
		return nil
	}
	room, err := readFAT(device)
	if err != nil {
		return fmt.Errorf("fill vfat on %s: %w", device, err)
	}
	if err := room.check(need); err != nil {
		return fmt.Errorf("fill vfat from %q: %w", dir, err)
	}
	args := []string{
		"LC_ALL=C.UTF-8",      // names are UTF-8
		"MTOOLSRC=/dev/null",  // no drives of the host
		"MTOOLS_SKIP_CHECK=1", // no complaint about tracks, which disks have not
		"SOURCE_DATE_EPOCH=" + epoch,
		"mcopy", "-i", device, "-s", "-m", "-Q",
	}
	if err := run(ctx, "env", append(append(args, need.top...), "::")...); err != nil {
		return fmt.Errorf("fill vfat from %q: %w", dir, err)
	}
	return nil
}

// A fatNeed is what a tree takes on FAT.
type fatNeed struct {
	top         []string // paths of the entries of the top directory
	rootEntries int64
	sizes       []int64 // of files and directories, in bytes
}

// maxFATFile is what the 32-bit length of a FAT file can say.
const maxFATFile = 1<<32 - 1

func measureFAT(dir string) (fatNeed, error) {
	var need fatNeed
	var errs []error
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch entry.Type() {
		case fs.ModeDir:
			entries, problems := dirEntries(path, name)
			errs = append(errs, problems...)
			if name == "." {
				need.rootEntries = entries
			} else {
				need.sizes = append(need.sizes, fatEntry*(entries+2)) // with "." and ".."
			}
		case 0:
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if info.Size() > maxFATFile {
				errs = append(errs, fmt.Errorf("%q: a file of 4 GiB or more", name))
			}
			need.sizes = append(need.sizes, info.Size())
		default:
			errs = append(errs, fmt.Errorf("%q: vfat has files and directories only, no %s", name, kindOfFile(entry.Type())))
		}
		if filepath.Dir(name) == "." && name != "." {
			need.top = append(need.top, path)
		}
		return nil
	})
	return need, errors.Join(append(errs, err)...)
}

func kindOfFile(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "symbolic links"
	case mode&fs.ModeDevice != 0:
		return "devices"
	}
	return "fifos or sockets"
}

// fatEntry is the size of a directory entry.
const fatEntry = 32

// dirEntries counts the entries a directory takes, and names those that cannot be.
func dirEntries(path, name string) (int64, []error) {
	names, err := readNames(path)
	if err != nil {
		return 0, []error{err}
	}
	var errs []error
	entries := int64(0)
	seen := map[string]string{}
	for _, n := range names {
		if err := checkFATName(n); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", filepath.Join(name, n), err))
		}
		folded := strings.ToUpper(n)
		if other, ok := seen[folded]; ok {
			errs = append(errs, fmt.Errorf("%q: differs from %q only in case, which vfat does not tell apart", filepath.Join(name, n), other))
		}
		seen[folded] = n
		// One of the short name, and one for each 13 characters of the long one.
		entries += 1 + int64(len(utf16.Encode([]rune(n)))+12)/13
	}
	return entries, errs
}

func checkFATName(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("vfat needs names in UTF-8")
	case strings.ContainsAny(name, `"*:<>?\|`) || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7F }):
		return errors.New(`vfat has no names with control characters or any of "*:<>?\|`)
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return errors.New("vfat has no names that end in a dot or blank")
	case len(utf16.Encode([]rune(name))) > 255:
		return errors.New("vfat has names of 255 characters at most")
	}
	return nil
}

// A fatRoom is what an empty FAT filesystem has.
type fatRoom struct {
	cluster     int64 // bytes
	clusters    int64 // that are free
	rootEntries int64 // of FAT12 and FAT16, whose top directory cannot grow
}

// readFAT reads the boot sector of an empty FAT filesystem.
func readFAT(device string) (fatRoom, error) {
	file, err := os.Open(device)
	if err != nil {
		return fatRoom{}, err
	}
	defer file.Close()
	var boot [512]byte
	if _, err := io.ReadFull(file, boot[:]); err != nil {
		return fatRoom{}, fmt.Errorf("read the boot sector: %w", err)
	}
	le := binary.LittleEndian
	sector, perCluster := int64(le.Uint16(boot[11:])), int64(boot[13])
	if sector == 0 || perCluster == 0 {
		return fatRoom{}, errors.New("not a FAT filesystem")
	}
	rootEntries := int64(le.Uint16(boot[17:]))
	fatSectors := int64(le.Uint16(boot[22:]))
	if fatSectors == 0 {
		fatSectors = int64(le.Uint32(boot[36:]))
	}
	total := int64(le.Uint16(boot[19:]))
	if total == 0 {
		total = int64(le.Uint32(boot[32:]))
	}
	rootSectors := up(rootEntries*fatEntry, sector) / sector
	data := total - int64(le.Uint16(boot[14:])) - int64(boot[16])*fatSectors - rootSectors
	return fatRoom{cluster: sector * perCluster, clusters: data / perCluster, rootEntries: rootEntries}, nil
}

func (r fatRoom) check(need fatNeed) error {
	clusters := int64(0)
	for _, size := range need.sizes {
		clusters += up(size, r.cluster) / r.cluster
	}
	// The label takes one entry.
	root := need.rootEntries + 1
	if r.rootEntries == 0 {
		clusters += up(root*fatEntry, r.cluster) / r.cluster
	} else if root > r.rootEntries {
		return fmt.Errorf("the top directory has %d entries, and the filesystem has room for %d", root, r.rootEntries)
	}
	if clusters > r.clusters {
		return fmt.Errorf("the files take %d KiB, and the filesystem has room for %d KiB; make its partition bigger", clusters*r.cluster>>10, r.clusters*r.cluster>>10)
	}
	return nil
}
