package blockdevice

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
)

// extOptions are options of mke2fs, taken apart. Of -E and -O the tool uses
// only the last, so that ours and the user's have to be one.
type extOptions struct {
	rest     []string
	extended []string // of -E
	features []string // of -O
	journal  []string // of -J

	// deferred: made without a journal, which is added when the tree has been
	// copied. That saves writing all metadata twice.
	deferred bool
	// orphans: the host's defaults add an orphan file, which needs a journal
	// and therefore has to wait with it.
	orphans bool
}

// extOptions takes the options of an ext2, ext3 or ext4 filesystem on a device of
// size bytes apart.
func (f *filesystem) extOptions(size int64) extOptions {
	var o extOptions
	for i := 0; i < len(f.opts); i++ {
		word := f.opts[i]
		into := o.list(word)
		if into == nil {
			o.rest = append(o.rest, word)
			continue
		}
		value := word[2:]
		if value == "" && i+1 < len(f.opts) {
			i++
			value = f.opts[i]
		}
		*into = append(*into, value)
	}
	o.deferred = f.fstype == "ext4" && !o.mentions("has_journal") && !o.mentions("journal_dev") &&
		!slices.Contains(o.rest, "-j") && o.journalBytes() <= size/4
	if o.deferred {
		o.orphans = !o.mentions("orphan_file") && defaultsToOrphanFile("/etc/mke2fs.conf")
	}
	return o
}

// list returns where the value of an option is collected.
func (o *extOptions) list(word string) *[]string {
	if len(word) < 2 {
		return nil
	}
	switch word[:2] {
	case "-E":
		return &o.extended
	case "-O":
		return &o.features
	case "-J":
		return &o.journal
	}
	return nil
}

// mentions reports whether the user has decided about a feature.
func (o *extOptions) mentions(feature string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(o.features, ","), ","), func(word string) bool {
		return strings.TrimLeft(word, "^+-") == feature
	})
}

// journalBytes returns the size of the journal that was asked for. A big one
// on a small filesystem is made at once: it may not fit, and that is better known before
// the copy than after it.
func (o *extOptions) journalBytes() int64 {
	for word := range strings.SplitSeq(strings.Join(o.journal, ","), ",") {
		if text, ok := strings.CutPrefix(word, "size="); ok {
			// What is not a number mke2fs will complain about.
			megabytes, _ := strconv.ParseInt(text, 10, 32)
			return megabytes * mib
		}
	}
	return 0
}

// arguments returns the options for mke2fs.
func (o extOptions) arguments(hashSeed string) []string {
	features := slices.Clone(o.features)
	if o.deferred {
		features = append(features, "^has_journal")
	}
	if o.orphans {
		features = append(features, "^orphan_file")
	}
	var args []string
	if len(features) > 0 {
		args = append(args, "-O", strings.Join(features, ","))
	}
	if len(o.journal) > 0 && !o.deferred {
		args = append(args, "-J", strings.Join(o.journal, ","))
	}
	args = append(args, "-E", strings.Join(append(slices.Clone(o.extended), "hash_seed="+hashSeed), ","))
	return append(args, o.rest...)
}

// addJournal adds to an unmounted ext4 filesystem what it was made without.
func (f *filesystem) addJournal(ctx context.Context, s *State) error {
	device := s.path(f.bases[0])
	size, err := deviceSize(device)
	if err != nil {
		return err
	}
	o := f.extOptions(size)
	if !o.deferred {
		return nil
	}
	tune2fs := []string{"E2FSPROGS_FAKE_TIME=" + epoch, "tune2fs", "-j"}
	if len(o.journal) > 0 {
		tune2fs = append(tune2fs, "-J", strings.Join(o.journal, ","))
	}
	if err := s.run(ctx, "env", append(tune2fs, device)...); err != nil || !o.orphans {
		return err
	}
	return s.run(ctx, "env", "E2FSPROGS_FAKE_TIME="+epoch, "tune2fs", "-O", "orphan_file", device)
}

// defaultsToOrphanFile reports whether mke2fs makes an orphan file unless told
// otherwise, by the host's configuration file. Older versions do not even
// know the word, so it must not be given to them.
func defaultsToOrphanFile(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false // then there is none by default either
	}
	for line := range strings.Lines(string(text)) {
		setting, _, _ := strings.Cut(line, "#")
		_, features, ok := strings.Cut(setting, "=")
		if ok && slices.Contains(strings.FieldsFunc(features, func(r rune) bool { return strings.ContainsRune(", \t\n", r) }), "orphan_file") {
			return true
		}
	}
	return false
}
