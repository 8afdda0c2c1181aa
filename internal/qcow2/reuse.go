package qcow2

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
)

// DigestSize is the size in bytes of the digests that tell clusters apart.
const DigestSize = 32

// A Reuse lets [Write] take compressed clusters from an image that it wrote
// before, wherever in the disk the same content is now. The bytes of the new
// image are those it would have without: a compressor makes the same of the same.
//
// What is taken is hashed again, so that damage of the earlier image does not
// pass on to the new one: such a cluster is compressed.
type Reuse struct {
	// Digest hashes clusters, in several goroutines at once. Two clusters of one
	// digest count as equal.
	Digest func([]byte) [DigestSize]byte
	// Image is the earlier image, Index what Write wrote for it. Both are empty
	// for the first one. An index of other options, or of another version of this
	// package, is of no use and ignored.
	Image io.ReaderAt
	Index []byte
	// NewIndex receives the index of the new image, when that is whole. It
	// depends on nothing but the image.
	NewIndex io.Writer
	// Taken is how many clusters were taken, Compressed for how many the
	// compressor ran. Write sets them.
	Taken, Compressed int64
}

// An index is a line that says what it is of, and a record for each content,
// in the order of the digests:
//
//	digest of the content        32 bytes
//	digest of what it became     16 bytes, shortened
//	offset of that in the file    8 bytes
//	its length                    4 bytes; 0 if it does not become smaller
const (
	checkSize  = 16
	recordSize = DigestSize + checkSize + 8 + 4
	// maxRecords bounds the memory that two indexes take to 32 MiB. That many
	// clusters of 64 KiB are 16 GiB of content; what is beyond is compressed.
	maxRecords = 1 << 18
)

// A record is one of an index.
type record struct {
	digest [DigestSize]byte
	check  [checkSize]byte
	at     uint64
	length uint32
}

func (r *record) compare(other *record) int { return bytes.Compare(r.digest[:], other.digest[:]) }

// indexLine says what images an index is of: those of other options have other
// compressed clusters.
func indexLine(o Options) []byte {
	return fmt.Appendf(nil, "dibgraph clusters 1, writer %s, %s level %d, %d bytes\n", Version, o.Compression, o.Level, o.ClusterSize)
}

// A reuser looks clusters up for the workers, and collects the records of the
// new image for the one who stores.
type reuser struct {
	*Reuse
	line    []byte
	earlier []record
	made    []record
	// counts of the workers
	taken, compressed atomic.Int64
}

// newReuser returns nil for images without compression, in which there is
// nothing to save.
func newReuser(o Options) *reuser {
	if o.Reuse == nil || o.Compression == None {
		return nil
	}
	r := &reuser{Reuse: o.Reuse, line: indexLine(o)}
	records, ok := bytes.CutPrefix(r.Index, r.line)
	if r.Image == nil || !ok || len(records)%recordSize != 0 {
		return r
	}
	r.earlier = make([]record, 0, len(records)/recordSize)
	for one := range slices.Chunk(records, recordSize) {
		var e record
		copy(e.digest[:], one)
		copy(e.check[:], one[DigestSize:])
		e.at = binary.BigEndian.Uint64(one[DigestSize+checkSize:])
		e.length = binary.BigEndian.Uint32(one[DigestSize+checkSize+8:])
		r.earlier = append(r.earlier, e)
	}
	return r
}

// take returns what the content of a digest became in the earlier image, in
// to, with its check; nil if it did not become smaller. It is not found if the earlier
// image does not have it, or no longer as it was.
func (r *reuser) take(digest [DigestSize]byte, to []byte) (data []byte, check [checkSize]byte, found bool) {
	i, found := slices.BinarySearchFunc(r.earlier, &record{digest: digest}, func(e record, want *record) int { return e.compare(want) })
	if !found {
		return nil, check, false
	}
	e := &r.earlier[i]
	if e.length == 0 {
		return nil, check, true
	}
	if int(e.length) > len(to) {
		return nil, check, false
	}
	data = to[:e.length]
	if _, err := r.Image.ReadAt(data, int64(e.at)); err != nil || r.check(data) != e.check {
		return nil, check, false
	}
	return data, e.check, true
}

func (r *reuser) check(data []byte) (check [checkSize]byte) {
	digest := r.Digest(data)
	copy(check[:], digest[:])
	return check
}

func (r *reuser) count(taken bool) {
	if taken {
		r.taken.Add(1)
	} else {
		r.compressed.Add(1)
	}
}

// note records a cluster that the new image has at an offset.
func (r *reuser) note(c cluster, at int64) {
	if c.data == nil || len(r.made) == maxRecords {
		return
	}
	made := record{digest: c.digest}
	if c.compressed {
		made.check, made.at, made.length = c.check, uint64(at), uint32(len(c.data))
	}
	r.made = append(r.made, made)
}

// finish writes the index of the new image.
func (r *reuser) finish() error {
	r.Taken, r.Compressed = r.taken.Load(), r.compressed.Load()
	if r.NewIndex == nil {
		return nil
	}
	// Of equal contents the first one stays, for the sort keeps their order.
	slices.SortStableFunc(r.made, func(a, b record) int { return a.compare(&b) })
	r.made = slices.CompactFunc(r.made, func(a, b record) bool { return a.digest == b.digest })
	w := bufio.NewWriterSize(r.NewIndex, batchSize)
	w.Write(r.line)
	for i := range r.made {
		m := &r.made[i]
		w.Write(m.digest[:])
		w.Write(m.check[:])
		w.Write(binary.BigEndian.AppendUint64(nil, m.at))
		w.Write(binary.BigEndian.AppendUint32(nil, m.length))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the index of clusters: %w", err)
	}
	return nil
}
