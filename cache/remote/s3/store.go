package s3

import (
	"context"
	"io"
	"time"
)

// A store is what is asked of a bucket: all that a library has to do.
type store interface {
	// get gives the bytes from an offset up to another, or to the end for whole.
	get(ctx context.Context, key string, from, to int64) (io.ReadCloser, error)
	size(ctx context.Context, key string) (int64, error)
	// put stores an object whole; sum is its SHA-256, for the server to compare. If
	// once, what is there already stays.
	put(ctx context.Context, key string, body []byte, sum string, once bool) error
	// resume gives the upload in parts that was begun last, or begins one, and the
	// parts that are there.
	resume(ctx context.Context, key string) (upload string, parts []part, err error)
	part(ctx context.Context, key, upload string, number int, body []byte) (part, error)
	complete(ctx context.Context, key, upload string, parts []part) error
	list(ctx context.Context, prefix string, yield func(key string, size int64, modified time.Time) bool) error
	remove(ctx context.Context, key string) error
}

// whole is the end of an object, whatever its size.
const whole = 0

// part is one of an upload, numbered from 1.
type part struct {
	number int
	size   int64
	// tag is what the server calls it, mostly the MD5 of its bytes.
	tag string
}
