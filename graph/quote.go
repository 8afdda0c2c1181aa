package graph

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dibgraph/dibgraph/cache"
)

// maxQuote is the largest file, in bytes, whose text is kept for explanations.
// Hooks and what they read are a few kilobytes; the difference of something
// larger is no explanation.
const maxQuote = 128 << 10

// bringTexts brings what the reasons of a run compare with, so that it can be
// shown later, from others that have it. Without it the explanation is shorter.
// Only texts are worth it: a disk image that was an input is shown to nobody.
func (b *Builder) bringTexts(v verdict) {
	if v.last == nil {
		return
	}
	for _, r := range v.reasons {
		digest, ok := contentDigest(r.Old)
		if ok && slices.ContainsFunc(v.last.Texts, func(t cache.Blob) bool { return t.Digest == digest }) {
			_, _ = b.Store.BlobFile(digest)
		}
	}
}

// keepTexts puts the texts behind a description into the store, so that what
// changed can still be shown when the files have changed.
func (b *Builder) keepTexts(n *Node, d *Description) ([]cache.Blob, error) {
	q, quotes := n.Action.(Quoter)
	var kept []cache.Blob
	seen := make(map[Digest]bool)
	for _, line := range d.lines {
		digest, ok := contentDigest(line.Value)
		if !ok || seen[digest] {
			continue
		}
		seen[digest] = true
		var blob cache.Blob
		var err error
		if line.Text != "" {
			blob, err = b.keepLong(digest, line.Text)
		} else if quotes {
			blob, err = b.keepQuoted(q, line, digest)
		}
		if err != nil {
			return nil, fmt.Errorf("keep the text of %s, an input of %s: %w", line.Name, n.Name, err)
		}
		if !blob.Digest.IsZero() {
			kept = append(kept, blob)
		}
	}
	return kept, nil
}

// keepLong stores the text behind a line unless it is there.
func (b *Builder) keepLong(digest Digest, text string) (cache.Blob, error) {
	if blob, ok := b.Store.HasBlob(digest); ok {
		return blob, nil
	}
	return b.Store.PutAll(strings.NewReader(text))
}

// keepQuoted stores the file behind a line, if it is about one.
func (b *Builder) keepQuoted(q Quoter, line Line, digest Digest) (cache.Blob, error) {
	_, read, ok := q.Quote(line.Name)
	if !ok || read == nil {
		return cache.Blob{}, nil
	}
	return b.keepText(digest, read)
}

// keepText stores the text of a digest unless it is there. What cannot be
// read any more, or is no short text, is not kept: the blob is zero.
func (b *Builder) keepText(digest Digest, read func() ([]byte, error)) (cache.Blob, error) {
	if blob, ok := b.Store.HasBlob(digest); ok {
		return blob, nil
	}
	content, err := read()
	if err != nil || len(content) > maxQuote || !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
		return cache.Blob{}, nil
	}
	if cache.DigestBytes(content) != digest {
		return cache.Blob{}, nil // changed meanwhile; the next build will notice
	}
	return b.Store.PutBytes(content)
}

// contentDigest returns the digest that a value of a description begins with.
func contentDigest(value string) (Digest, bool) {
	word, _, _ := strings.Cut(value, " ")
	digest, err := cache.ParseDigest(word)
	return digest, err == nil
}
