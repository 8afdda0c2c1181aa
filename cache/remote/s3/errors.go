package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/network"
	"github.com/minio/minio-go/v7"
)

// answer is an answer of the server that is not what was asked for.
type answer struct {
	response minio.ErrorResponse
	text     string
}

func (a *answer) Error() string { return a.text }

// Is finds the errors of package remote that an answer means.
func (a *answer) Is(target error) bool {
	return target == remote.ErrNotFound && absent(a.response)
}

// absent reports whether the answer was that there is no such key. Other things
// that are not there, as the bucket or the user, are mistakes in address or keys.
func absent(err error) bool {
	a := minio.ToErrorResponse(err)
	return err != nil && a.StatusCode == http.StatusNotFound && (a.Code == minio.NoSuchKey || a.Code == "NotFound" || a.Code == "")
}

// Code is the status of the answer.
func (a *answer) Code() int { return a.response.StatusCode }

// failed says what was asked for, where, and what to do.
func (b *Bucket) failed(ctx context.Context, asked string, err error) error {
	var response minio.ErrorResponse
	switch {
	case ctx.Err() == nil && errors.Is(err, errNoKeys):
		err = errNoKeys
	case ctx.Err() == nil && errors.As(err, &response):
		// The message of a server may repeat what was signed; its code does not.
		text := fmt.Sprintf("the server answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
		err = &answer{response, strings.TrimSpace(text) + fmt.Sprintf(" (%.100q)%s", response.Code, b.hint(response))}
	default:
		err = network.Explain(ctx, err)
	}
	return fmt.Errorf("%s %s: %w", asked, b.text, err)
}

func (b *Bucket) hint(response minio.ErrorResponse) string {
	switch {
	case response.Code == minio.NoSuchBucket:
		return fmt.Sprintf(": there is no bucket %q: make it, or check the address and the endpoint", b.bucket)
	case response.Code == "InvalidAccessKeyId", response.Code == "XAdminUserNotFound": // the latter by versitygw
		return ": the server does not know the access key: check AWS_ACCESS_KEY_ID, or the profile"
	case response.Code == "SignatureDoesNotMatch":
		return ": the secret key is not the one of the access key: check AWS_SECRET_ACCESS_KEY, or the profile"
	case response.Code == "RequestTimeTooSkewed":
		return ": set the clock of this machine"
	case response.StatusCode == http.StatusForbidden:
		return ": these keys may not do that: ask who keeps the bucket for the permission"
	case response.StatusCode == http.StatusMovedPermanently, response.Code == "AuthorizationHeaderMalformed":
		return ": the bucket is in another region: name it by the parameter region"
	}
	return ""
}
