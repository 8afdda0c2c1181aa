package main

import (
	"reflect"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

func TestUsageOf(t *testing.T) {
	got := usageOf([]cache.Entry{
		{Path: "hooks", Type: cache.TypeDir},
		{Path: "hooks/a", Type: cache.TypeFile, Size: 1 << 20},
		{Path: "mnt", Type: cache.TypeDir},
		{Path: "mnt/a", Type: cache.TypeFile, Size: 4097},
		{Path: "mnt/d", Type: cache.TypeDir},
		{Path: "mnt/d/b", Type: cache.TypeFile, HardLink: "mnt/a", Size: 4097},
		{Path: "mnt/d/c", Type: cache.TypeSymlink, Link: "b"},
		{Path: "mnt/d/e", Type: cache.TypeFile, Size: 1},
	})
	const built = "/run/dibgraph/dib_build.fixed/built"
	want := []pathUse{
		{"total", 20}, {built, 20}, {built + "/d", 8}, {built + "/a", 8}, {built + "/d/e", 4}, {built + "/d/c", 0},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The values are those of numfmt --to=iec-i --from-unit=1024 --suffix=B.
func TestRoughSize(t *testing.T) {
	for kib, want := range map[int64]string{
		1: "1.0KiB", 999: "999KiB", 1024: "1.0MiB", 10239: "10MiB", 10240: "10MiB", 10241: "11MiB", 12345: "13MiB",
		1048576: "1.0GiB", 1048577: "1.1GiB", 10485760: "10GiB", 999999999: "954GiB", 4: "4.0KiB", 5000: "4.9MiB",
	} {
		if got := roughSize(kib); got != want {
			t.Errorf("roughSize(%d) = %s, want %s", kib, got, want)
		}
	}
}
