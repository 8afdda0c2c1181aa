package deflate

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/flate"
)

// BenchmarkEncode compresses clusters of the raw image that DIBGRAPH_BENCH_RAW
// names, or else of this machine's programs; what counts is the ratio to
// klauspost's in one run.
func BenchmarkEncode(b *testing.B) {
	clusters := benchClusters(b)
	to := make([]byte, clusterSize+100)
	run := func(name string, encode func(cluster []byte) int) {
		b.Run(name, func(b *testing.B) {
			var in, out int
			for _, c := range clusters {
				in += len(c)
			}
			b.SetBytes(int64(in))
			for b.Loop() {
				out = 0
				for _, c := range clusters {
					out += encode(c)
				}
			}
			b.ReportMetric(100*float64(out)/float64(in), "%")
		})
	}
	var e Encoder
	run("own", func(cluster []byte) int {
		n, ok := e.Encode(to[:len(cluster)-1], cluster)
		if !ok {
			n = len(cluster)
		}
		return n
	})
	w, err := flate.NewWriterWindow(nil, Window)
	if err != nil {
		b.Fatal(err)
	}
	run("klauspost", func(cluster []byte) int {
		out := bytes.NewBuffer(to[:0])
		w.Reset(out)
		for rest := cluster; len(rest) > 0; {
			n, err := w.Write(rest[:min(len(rest), blockSize)])
			if err != nil {
				b.Fatal(err)
			}
			if rest = rest[n:]; len(rest) > 0 {
				w.Flush()
			}
		}
		w.Close()
		return min(out.Len(), len(cluster))
	})
}

const clusterSize = 64 << 10

func benchClusters(b *testing.B) (clusters [][]byte) {
	every := 20
	names := []string{os.Getenv("DIBGRAPH_BENCH_RAW")}
	if names[0] == "" {
		every = 1
		var err error
		if names, err = filepath.Glob("/usr/bin/*"); err != nil {
			b.Fatal(err)
		}
	}
	seen, zero := 0, make([]byte, clusterSize)
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for cluster := make([]byte, clusterSize); len(clusters) < 700; {
			if _, err := io.ReadFull(f, cluster); err != nil {
				break
			}
			if bytes.Equal(cluster, zero) {
				continue
			}
			if seen++; seen%every == 0 {
				clusters = append(clusters, bytes.Clone(cluster))
			}
		}
	}
	return clusters
}
