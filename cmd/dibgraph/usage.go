package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/steps"
)

// reportUsage says what takes room in the tree of a build, largest first, if
// DIB_SHOW_IMAGE_USAGE asks for it: files and directories of ten MiB or more, or
// with DIB_SHOW_IMAGE_USAGE_FULL all of them.
func reportUsage(w io.Writer, store *cache.Store, b *cache.Build, env map[string]string) error {
	wanted := func(name string) bool { return env[name] != "" && env[name] != "0" }
	if !wanted("DIB_SHOW_IMAGE_USAGE") {
		return nil
	}
	r, err := lastState(store, b)
	if err != nil || r == nil {
		return err
	}
	layers, _ := r.Tree()
	view, err := store.View(layers)
	if err != nil {
		return err
	}
	uses, title, all := usageOf(view.Entries), "Image size report (files > 10MiB)", wanted("DIB_SHOW_IMAGE_USAGE_FULL")
	if all {
		title = "Image size report"
	}
	rule := strings.Repeat("=", len(title))
	fmt.Fprintf(w, "%s\n%s\n%s\n", rule, title, rule)
	for _, u := range uses {
		if text := roughSize(u.kib); all || strings.HasSuffix(text, "iB") && !strings.Contains(text, "KiB") && !strings.Contains(text, ".") {
			fmt.Fprintf(w, "%7s %s\n", text, u.path)
		}
	}
	fmt.Fprint(w, "\n===== end image size report =====\n\n")
	return nil
}

// A pathUse is what a path takes, with what is below it.
type pathUse struct {
	path string
	kib  int64
}

// blockKiB is what files are rounded up to.
const blockKiB = 4

// usageOf adds up what is below the root of the image, largest first, with the
// total. A file that has several paths counts once.
func usageOf(entries []cache.Entry) []pathUse {
	sums := make(map[string]int64)
	for _, e := range entries {
		if e.Path != imageRoot && !strings.HasPrefix(e.Path, imageRoot+"/") || e.HardLink != "" {
			continue
		}
		kib := int64(0)
		switch e.Type {
		case cache.TypeDir:
			kib = blockKiB
		case cache.TypeFile:
			kib = (e.Size + blockKiB<<10 - 1) / (blockKiB << 10) * blockKiB
		}
		for at := e.Path; at != "."; at = path.Dir(at) {
			sums[at] += kib
		}
	}
	uses := []pathUse{{"total", sums[imageRoot]}}
	for at, kib := range sums {
		uses = append(uses, pathUse{steps.BuiltDir + strings.TrimPrefix(at, imageRoot), kib})
	}
	slices.SortFunc(uses, func(a, b pathUse) int {
		return cmp.Or(cmp.Compare(b.kib, a.kib), strings.Compare(b.path, a.path))
	})
	return uses
}

// roughSize writes KiB with two digits or more, rounded up, and no more than one
// behind the point.
func roughSize(kib int64) string {
	value, unit := float64(kib), 0
	for value >= 1024 && unit < 3 {
		value, unit = value/1024, unit+1
	}
	suffix := []string{"KiB", "MiB", "GiB", "TiB"}[unit]
	if tenths := math.Ceil(value * 10); tenths < 100 && value > 0 {
		return fmt.Sprintf("%.1f%s", tenths/10, suffix)
	}
	return fmt.Sprintf("%.0f%s", math.Ceil(value), suffix)
}
