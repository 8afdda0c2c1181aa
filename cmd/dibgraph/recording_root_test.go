package main

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// BenchmarkRecording is what a cold build of debian-minimal spends only so that
// later builds and explanations know what there was: observing opened files,
// digesting programs of the host, looking for variables in what hooks wrote,
// writing descriptions, texts, logs, records and history. What it reports is the
// time of that, as a part of the build's, and the bytes. Layers and outputs are
// not counted: they are the results themselves.
func BenchmarkRecording(b *testing.B) {
	testroot.Require(b)
	var meter graph.Meter
	var total time.Duration
	var bytes int64
	for b.Loop() {
		dir := b.TempDir()
		for name, value := range map[string]string{"HOME": dir, "DIB_RELEASE": release, "ELEMENTS_PATH": ""} {
			b.Setenv(name, value)
		}
		build := newRootCommand()
		build.SetArgs([]string{"build", "--cache-dir", filepath.Join(dir, "store"), "-o", filepath.Join(dir, "image"), "debian-minimal", "vm"})
		started := time.Now()
		if err := build.ExecuteContext(graph.WithMeter(b.Context(), &meter)); err != nil {
			b.Fatal(err)
		}
		total += time.Since(started)
		bytes += recorded(b, filepath.Join(dir, "store"))
	}
	var recording time.Duration
	for on, took := range meter.Spent() {
		b.ReportMetric(1000*took.Seconds()/float64(b.N), strings.ReplaceAll(on, " ", "-")+"-ms")
		recording += took
	}
	b.ReportMetric(total.Seconds()/float64(b.N), "build-s")
	b.ReportMetric(100*recording.Seconds()/total.Seconds(), "recording-%")
	b.ReportMetric(float64(bytes)/float64(b.N)/1000, "recorded-kB")
	b.ReportMetric(0, "ns/op") // says nothing beside these
}

// recorded adds up what a build left in a store besides layers and images:
// records and what they name, of which the largest are logs.
func recorded(b *testing.B, store string) (sum int64) {
	b.Helper()
	const largest = 1 << 20 // more than any log or text there
	for _, name := range []string{"records", "shapes", "history", "tokens", "builds", "blobs"} {
		err := filepath.WalkDir(filepath.Join(store, name), func(_ string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			info, err := e.Info()
			if err == nil && info.Size() < largest {
				sum += info.Size()
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return sum
}
