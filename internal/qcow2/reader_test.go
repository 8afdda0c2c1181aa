package qcow2

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/dibgraph/dibgraph/internal/deflate/inflate"
)

// A reader reads whole images as the specification says, knowing nothing of the
// writer. It counts every reference it follows.
type reader struct {
	file        []byte
	size        int64
	clusterSize int64
	clusterBits int
	length      uint32
	features    uint64
	compression byte
	refs        map[int64]int
	// guest has the clusters that are stored, by number.
	guest map[int64][]byte
	// How many guest clusters are stored how.
	compressed, standard int
}

func be32(b []byte, at int64) uint32 { return binary.BigEndian.Uint32(b[at:]) }
func be64(b []byte, at int64) uint64 { return binary.BigEndian.Uint64(b[at:]) }

// readImage reads and checks all there is in the file.
func readImage(file []byte) (r *reader, err error) {
	r = &reader{file: file, refs: make(map[int64]int), guest: make(map[int64][]byte)}
	defer func() {
		// Offsets out of the file end here.
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
	}()
	if err := r.header(); err != nil {
		return r, err
	}
	if err := r.l1(); err != nil {
		return r, err
	}
	return r, r.refcounts()
}

func (r *reader) header() error {
	if string(r.file[:4]) != "QFI\xfb" || be32(r.file, 4) != 3 || be64(r.file, 8) != 0 {
		return errors.New("no image of version 3 without a backing file")
	}
	r.clusterBits = int(be32(r.file, 20))
	r.clusterSize = 1 << r.clusterBits
	r.size = int64(be64(r.file, 24))
	r.features, r.length = be64(r.file, 72), be32(r.file, 100)
	if be32(r.file, 32) != 0 || be32(r.file, 60) != 0 || be64(r.file, 64) != 0 || be64(r.file, 80) != 0 || be64(r.file, 88) != 0 {
		return errors.New("encryption, snapshots or features")
	}
	if be32(r.file, 96) != 4 {
		return errors.New("refcounts are not of 16 bits")
	}
	if r.length > 104 {
		r.compression = r.file[104]
	}
	if (r.features == 1<<3) != (r.compression != 0) || r.features&^(1<<3) != 0 {
		return fmt.Errorf("features %b with compression type %d", r.features, r.compression)
	}
	if int64(len(r.file))%r.clusterSize != 0 {
		return errors.New("the last cluster is not whole")
	}
	r.refs[0]++
	return nil
}

func (r *reader) reference(at, length int64) {
	for c := at / r.clusterSize; c*r.clusterSize < at+length; c++ {
		r.refs[c]++
	}
}

// aligned returns the offset in an entry that allows the flag copied only.
func (r *reader) aligned(entry uint64) (int64, error) {
	at := int64(entry &^ (1 << 63))
	if entry>>63 != 1 || at%r.clusterSize != 0 || at == 0 {
		return 0, fmt.Errorf("entry %#x", entry)
	}
	r.reference(at, r.clusterSize)
	return at, nil
}

func (r *reader) l1() error {
	entries, table := int64(be32(r.file, 36)), int64(be64(r.file, 40))
	r.reference(table, entries*8)
	perTable := r.clusterSize / 8
	if want := (r.size + perTable*r.clusterSize - 1) / (perTable * r.clusterSize); entries < want {
		return fmt.Errorf("%d entries in the L1 table, want %d", entries, want)
	}
	for i := range entries {
		entry := be64(r.file, table+i*8)
		if entry == 0 {
			continue
		}
		l2, err := r.aligned(entry)
		if err != nil {
			return fmt.Errorf("L1 %d: %w", i, err)
		}
		for j := range perTable {
			guest := i*perTable + j
			if err := r.cluster(guest, be64(r.file, l2+j*8)); err != nil {
				return fmt.Errorf("guest cluster %d: %w", guest, err)
			}
		}
	}
	return nil
}

func (r *reader) cluster(guest int64, entry uint64) error {
	if entry == 0 {
		return nil
	}
	if guest*r.clusterSize >= r.size {
		return errors.New("beyond the end of the disk")
	}
	var data []byte
	if entry>>62&1 == 0 {
		at, err := r.aligned(entry)
		if err != nil {
			return err
		}
		r.standard++
		data = r.file[at : at+r.clusterSize]
	} else {
		var err error
		if data, err = r.inflate(entry); err != nil {
			return err
		}
		r.compressed++
	}
	if !slices.ContainsFunc(data, func(b byte) bool { return b != 0 }) {
		return errors.New("zeros are stored")
	}
	r.guest[guest] = data
	return nil
}

// inflate reads a compressed cluster: at the offset in the low bits, as many
// sectors as the others say, less what is before the offset in the first one.
func (r *reader) inflate(entry uint64) ([]byte, error) {
	if entry>>63 != 0 {
		return nil, errors.New("a compressed cluster with the flag copied")
	}
	bits := 62 - (r.clusterBits - 8)
	at := int64(entry & (1<<bits - 1))
	sectors := int64(entry&^(1<<62)>>bits) + 1
	length := sectors*512 - at%512
	r.reference(at, length)
	from := r.file[at : at+length]
	var data []byte
	var used int64
	var err error
	if r.compression == 1 {
		d, _ := zstd.NewReader(bytes.NewReader(from), zstd.WithDecoderConcurrency(1))
		defer d.Close()
		data = make([]byte, r.clusterSize)
		_, err = io.ReadFull(d, data)
		used = length // where a frame ends is not told
	} else {
		var n int
		data, n, err = inflate.Data(from, 4096)
		used = int64(n)
	}
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != r.clusterSize {
		return nil, fmt.Errorf("%d bytes", len(data))
	}
	if (at%512+used+511)/512 != sectors {
		return nil, fmt.Errorf("%d sectors for %d bytes at %d", sectors, used, at)
	}
	return data, nil
}

// refcounts compares what is counted with what was found.
func (r *reader) refcounts() error {
	table, clusters := int64(be64(r.file, 48)), int64(be32(r.file, 56))
	r.reference(table, clusters*r.clusterSize)
	perBlock := r.clusterSize / 2
	counted := make(map[int64]int)
	for i := range clusters * r.clusterSize / 8 {
		block := int64(be64(r.file, table+i*8))
		if block == 0 {
			continue
		}
		r.reference(block, r.clusterSize)
		for j := range perBlock {
			if n := binary.BigEndian.Uint16(r.file[block+j*2:]); n != 0 {
				counted[i*perBlock+j] = int(n)
			}
		}
	}
	for c := range int64(len(r.file)) / r.clusterSize {
		if counted[c] != r.refs[c] {
			return fmt.Errorf("host cluster %d has %d references and a count of %d", c, r.refs[c], counted[c])
		}
		if counted[c] == 0 {
			return fmt.Errorf("host cluster %d is not used", c)
		}
		delete(counted, c)
	}
	if len(counted) > 0 {
		return fmt.Errorf("counts beyond the end of the file: %v", counted)
	}
	return nil
}
