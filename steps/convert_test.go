package steps

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/qcow2"
)

func TestConvertNative(t *testing.T) {
	for _, test := range []struct {
		format, options string
		compress        bool
		want            qcow2.Options
		native          bool
	}{
		{"qcow2", "", true, qcow2.Options{}, true},
		{"qcow2", "", false, qcow2.Options{Compression: "none"}, true},
		{"qcow2", "compat=1.1", true, qcow2.Options{}, true},
		{"qcow2", "compat=v3,compression_type=zstd", true, qcow2.Options{Compression: "zstd"}, true},
		{"qcow2", "compression_type=zlib", false, qcow2.Options{Compression: "none"}, true},
		{"qcow2", "cluster_size=65536", true, qcow2.Options{ClusterSize: 65536}, true},
		{"qcow2", "cluster_size=4k,compat=1.1,cluster_size=2M", true, qcow2.Options{ClusterSize: 2 << 20}, true},
		{"qcow2", "cluster_size=1K", true, qcow2.Options{ClusterSize: 1024}, true},
		{format: "qcow2", options: "compression_type=zstd"},
		{format: "qcow2", options: "compat=0.10", compress: true},
		{format: "qcow2", options: "compat", compress: true},
		{format: "qcow2", options: "compat=1.1,", compress: true},
		{format: "qcow2", options: ",", compress: true},
		{format: "qcow2", options: "compression_type=lz4", compress: true},
		{format: "qcow2", options: "preallocation=metadata", compress: true},
		{format: "qcow2", options: "compat=1.1,lazy_refcounts=on", compress: true},
		{format: "qcow2", options: "cluster_size=", compress: true},
		{format: "qcow2", options: "cluster_size=0", compress: true},
		{format: "qcow2", options: "cluster_size=-512", compress: true},
		{format: "qcow2", options: "cluster_size=3k", compress: true},
		{format: "qcow2", options: "cluster_size=4M", compress: true},
		{format: "qcow2", options: "cluster_size=1kM", compress: true},
		{format: "qcow2", options: "cluster_size=1G", compress: true},
		{format: "qcow2", options: "cluster_size=18446744073709617152", compress: true},
		{format: "qcow", compress: true},
		{format: "vmdk"},
	} {
		c := Convert{Format: test.format, Options: test.options, Compress: test.compress}
		o, ok := c.native()
		if ok != test.native || ok && o != test.want {
			t.Errorf("%+v: %+v, %t", test, o, ok)
		}
		writer := map[bool]string{true: "dibgraph qcow2 " + qcow2.Version, false: "qemu-img"}[test.native]
		if got := c.writer(); got != writer {
			t.Errorf("%+v: writer %q", test, got)
		}
	}
}

func TestConvertCompression(t *testing.T) {
	for _, test := range []struct {
		compression, options string
		want                 qcow2.Options
		err                  string
	}{
		{"zlib", "", qcow2.Options{Compression: "zlib"}, ""},
		{"none", "cluster_size=2M", qcow2.Options{Compression: "none", ClusterSize: 2 << 20}, ""},
		{"zstd", "compat=1.1,compression_type=zstd", qcow2.Options{Compression: "zstd"}, ""},
		{"zstd:19", "", qcow2.Options{Compression: "zstd", Level: 19}, ""},
		{compression: "", err: `"" is none of`},
		{compression: "lz4", err: `"lz4" is none of`},
		{compression: "zstd:", err: `level "" is not`},
		{compression: "zstd:0", err: `level "0" is not`},
		{compression: "zstd:23", err: "level 23 "},
		{compression: "zlib:6", err: "level 6 "},
		{compression: "zstd", options: "compression_type=zlib", err: "does not go with"},
		{compression: "zstd", options: "preallocation=metadata", err: "does not go with"},
	} {
		err := CheckCompression(test.compression, test.options)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q with %q: %v, want %q", test.compression, test.options, err, test.err)
			}
			continue
		}
		c := Convert{Format: "qcow2", Compress: true, Compression: test.compression, Options: test.options}
		if o, ok := c.native(); err != nil || !ok || o != test.want {
			t.Errorf("%q with %q: %+v, %t, %v", test.compression, test.options, o, ok, err)
		}
	}
}

func TestWriteQcow2(t *testing.T) {
	dir := t.TempDir()
	raw, image := filepath.Join(dir, "raw"), filepath.Join(dir, "out", ImageOutput)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	w := &graph.Work{Out: filepath.Dir(image), Log: log}
	if err := os.Mkdir(w.Out, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeQcow2(t.Context(), w, image, raw, qcow2.Options{}); err == nil {
		t.Error("no error without a raw image")
	}
	if err := os.WriteFile(raw, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeQcow2(t.Context(), w, image, raw, qcow2.Options{}); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(image); err != nil || !bytes.HasPrefix(data, []byte("QFI\xfb")) {
		t.Errorf("no qcow2 image: %v, %.8q", err, data)
	}
	if info, err := os.Stat(filepath.Join(w.Out, ClustersOutput)); err != nil || info.Size() == 0 {
		t.Errorf("no index of its clusters: %v, %v", info, err)
	}
	if err := writeQcow2(t.Context(), w, image, raw, qcow2.Options{}); err == nil {
		t.Error("an image that is there already is written over")
	}
}
