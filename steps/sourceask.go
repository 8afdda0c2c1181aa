package steps

import (
	"context"
	"fmt"
	"time"

	"github.com/dibgraph/dibgraph/internal/fetch"
)

// Ask asks the server whether there is another file than the last one, so that
// the key of the source is that of now. It does nothing for a source that has
// never been there, which is going to be fetched anyway, and for one that
// cannot change or is not to be asked for yet. The notice, if any, says why
// the last file is taken without knowing that it still is the right one. An
// error means that the server knows of no such file.
func (s *Source) Ask(ctx context.Context) (notice string, err error) {
	if !s.asks() {
		return "", nil
	}
	value, checked, err := s.Known.Validator(s.validatorName())
	if err != nil || value == "" || s.MaxAge == AskNever {
		return "", err
	}
	last := fmt.Sprintf("what it was on %s is used", checked.Local().Format(time.DateTime))
	switch {
	case s.Offline:
		return fmt.Sprintf("source %q: offline, so %s is not asked: %s", s.Name, s.asked(), last), nil
	case s.MaxAge > 0 && time.Since(checked) < s.MaxAge:
		return "", nil
	}
	value, err = s.ask(ctx)
	switch {
	case fetch.Passing(err):
		return fmt.Sprintf("source %q: %v: %s", s.Name, err, last), nil
	case err != nil:
		return "", s.failure(err)
	}
	return "", s.Known.SetValidator(s.validatorName(), value)
}

// ask returns the present validator.
func (s *Source) ask(ctx context.Context) (string, error) {
	if s.listed() {
		sum, err := s.fromList(ctx)
		return sum.String(), err
	}
	if image, ok := s.image(); ok {
		digest, err := s.Images.Resolve(ctx, image)
		return imageValidator(digest), err
	}
	version, err := s.Client.Ask(ctx, s.Address)
	return validatorOf(version), err
}

// validatorOf returns the validator of a version. Of a file whose server says
// nothing, nobody can know whether it is still the same: each time counts as
// another one.
func validatorOf(v fetch.Version) string {
	if v == "" {
		return "none, fetched at " + time.Now().UTC().Format(time.RFC3339Nano)
	}
	return string(v)
}

// maxList is more than any list of checksums has.
const maxList = 16 << 20

// fromList returns the checksum that the list has for the file.
func (s *Source) fromList(ctx context.Context) (fetch.Checksum, error) {
	content, err := s.Client.Read(ctx, s.List, maxList)
	if err != nil {
		return fetch.Checksum{}, err
	}
	sum, err := fetch.FindChecksum(content, fileName(s.Address))
	if err != nil {
		return sum, fmt.Errorf("%s: %w", s.List, err)
	}
	return sum, nil
}
