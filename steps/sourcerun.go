package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/fetch"
	"github.com/dibgraph/dibgraph/internal/interrupt"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Run implements [graph.Action].
func (s *Source) Run(ctx context.Context, w *graph.Work) error {
	_, local := localPath(s.Address)
	if s.Offline && (!local || s.listed()) {
		return s.failure(fmt.Errorf("%s is not in the local store, and the network is not to be used: build once without --offline (or DIB_OFFLINE)", s.Address))
	}
	if err := s.fetch(ctx, w); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return s.failure(err)
	}
	if s.fixed() {
		return nil
	}
	w.Observed = append(w.Observed, observedValidator)
	if !s.asks() {
		return nil
	}
	return s.Known.SetValidator(s.validatorName(), s.found)
}

// failure says where the source is declared.
func (s *Source) failure(err error) error { return fmt.Errorf("%s: %w", s.Place, err) }

// fetch leaves the checked file in the outputs.
func (s *Source) fetch(ctx context.Context, w *graph.Work) (err error) {
	var sum fetch.Checksum
	switch {
	case s.Checksum != "":
		sum, err = fetch.ParseChecksum(s.Checksum)
	case s.listed():
		sum, err = s.fromList(ctx)
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(w.Out, SourceOutput), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fmt.Fprintf(w.Log, "get %s\n", s.Address)
	if s.found, err = s.write(ctx, f); err != nil {
		return err
	}
	if sum != (fetch.Checksum{}) {
		s.found = sum.String()
		if err := s.check(ctx, f, sum); err != nil {
			return err
		}
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Log, "%d bytes, %s\n", size, s.found)
	return keepText(f, size, filepath.Join(w.Out, sourceText))
}

// write writes the file to f and returns its validator.
func (s *Source) write(ctx context.Context, f *os.File) (string, error) {
	if image, ok := s.image(); ok {
		digest, err := s.Images.Pull(ctx, image, s.Platform, filepath.Dir(f.Name()), f)
		return imageValidator(digest), err
	}
	name, local := localPath(s.Address)
	if !local {
		version, err := s.Client.Get(ctx, s.Address, f)
		return validatorOf(version), err
	}
	from, err := os.Open(s.Files.path(name))
	if err != nil {
		return "", err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", name)
	}
	if _, err := io.Copy(f, interrupt.Reader(ctx, from)); err != nil {
		return "", err
	}
	// Of the copy: the file may have been written meanwhile.
	digest, err := graph.DigestFile(f.Name())
	return digest.String(), err
}

// check compares the checksum.
func (s *Source) check(ctx context.Context, f *os.File, sum fetch.Checksum) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := sum.Check(interrupt.Reader(ctx, f)); err != nil {
		return fmt.Errorf("%s: %w", s.Address, err)
	}
	return nil
}

// maxSourceText is the size up to which a source can be such a text; what is
// larger is data.
const maxSourceText = 1 << 20

// keepText writes the text that a source is, if it is one. An archive or another
// binary file mentions nothing: like a package of a distribution, it does not
// know the variables of elements.
func keepText(f *os.File, size int64, to string) error {
	if size > maxSourceText {
		return nil
	}
	content := make([]byte, size)
	if _, err := f.ReadAt(content, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !mention.IsText(content) {
		return nil
	}
	return os.WriteFile(to, content, 0o600)
}
