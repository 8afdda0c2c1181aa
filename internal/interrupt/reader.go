// Package interrupt makes long transfers end with their context.
package interrupt

import (
	"context"
	"io"
)

// Reader returns a reader of what r gives, until ctx ends: then it fails with the
// cause.
func Reader(ctx context.Context, r io.Reader) io.Reader { return &reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
