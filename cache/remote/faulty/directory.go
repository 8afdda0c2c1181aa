package faulty

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// A Damage is what happens to a file of a directory that machines share, or to
// one and another of its kind.
type Damage struct {
	Name string
	// Says is as in [Fault].
	Says string

	do func(file, other string) error
}

// Damages are all that can happen to files, in a fixed order.
func Damages() []Damage {
	return []Damage{
		{"unreadable", "not a file", replaced(func(file string) error { return os.Mkdir(file, 0o755) })},
		{"endless link", "too many levels", replaced(func(file string) error { return os.Symlink(filepath.Base(file), file) })},
		{"pipe", "not a file", replaced(func(file string) error { return syscall.Mkfifo(file, 0o644) })},
		{"garbage", "", func(file, _ string) error { return os.WriteFile(file, []byte("\x00garbage\n{"), 0o644) }},
		{"wrong bytes", "", wrongBytes},
		{"truncated", "", func(file, _ string) error {
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			return os.Truncate(file, info.Size()/2)
		}},
		{"empty", "", func(file, _ string) error { return os.Truncate(file, 0) }},
		{"missing", "", func(file, _ string) error { return os.Remove(file) }},
		{"swapped", "", func(file, other string) error {
			if file == other {
				return os.Remove(file)
			}
			return errors.Join(os.Rename(file, file+"~"), os.Rename(other, file), os.Rename(file+"~", other))
		}},
	}
}

// replaced removes a file, and puts something else in its place.
func replaced(put func(file string) error) func(file, other string) error {
	return func(file, _ string) error { return errors.Join(os.Remove(file), put(file)) }
}

// wrongBytes keeps the size.
func wrongBytes(file, _ string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for i := len(data) / 2; i < min(len(data)/2+8, len(data)); i++ {
		data[i] ^= 0x5a
	}
	return os.WriteFile(file, data, 0o644)
}

// DamageFiles damages the files of a kind in a shared directory, one in so many
// by chance, and returns how many those are.
func DamageFiles(dir string, d Damage, of Kind, oneIn, seed uint64) (int, error) {
	var patterns []string
	if of != Contents {
		patterns = append(patterns, "ac/*")
	}
	if of != Objects {
		patterns = append(patterns, "cas/*/*")
	}
	chance := rand.New(rand.NewPCG(seed, 0))
	damaged := 0
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return 0, err
		}
		slices.Sort(files)
		for i, file := range files {
			if chance.Uint64N(oneIn) != 0 {
				continue
			}
			damaged++
			// The last is in the place of another one already, if there are others.
			other := files[min(i+1, len(files)-1)]
			if d.Name == "swapped" && file == other && len(files) > 1 {
				continue
			}
			if err := d.do(file, other); err != nil {
				return 0, err
			}
		}
	}
	return damaged, nil
}
