package graph

import (
	"os"

	"github.com/dibgraph/dibgraph/cache"
)

// A LastRun offers a run what the node left last time, so that it need not make
// again what is the same. It is no input: a run with it has to leave the same bytes as
// one without. The nil LastRun has nothing.
type LastRun struct {
	store  *cache.Store
	record *cache.Record
}

// lastRun returns what is offered of a record that may be nil.
func (b *Builder) lastRun(last *cache.Record) *LastRun {
	if last == nil {
		return nil
	}
	return &LastRun{b.Store, last}
}

// Read returns an output, which was hashed again. It is not there if this
// machine does not have it any more: nothing is fetched for it.
func (l *LastRun) Read(output string) (content []byte, ok bool) {
	blob, ok := l.blob(output)
	if !ok {
		return nil, false
	}
	content, err := l.store.ReadBlob(blob.Digest)
	return content, err == nil
}

// Open opens an output for reading, of which the size is what it was and
// no more is known; the caller closes it.
func (l *LastRun) Open(output string) (file *os.File, ok bool) {
	blob, ok := l.blob(output)
	if !ok {
		return nil, false
	}
	file, err := l.store.OpenBlob(blob.Digest)
	return file, err == nil
}

func (l *LastRun) blob(output string) (b cache.Blob, ok bool) {
	if l == nil {
		return b, false
	}
	if b, ok = l.record.Outputs[output]; !ok {
		return b, false
	}
	there, ok := l.store.HasBlob(b.Digest)
	return b, ok && there == b
}
