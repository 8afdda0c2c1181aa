package network

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"syscall"
)

// Explain gives the error of a request words that say what to do. They name no
// address but that of the other host, since the parameters of an address may be
// a permission. Errors in it are found as before, and so is the cause of ctx if
// that has ended.
func Explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	return &explained{words(err), err}
}

type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

func words(err error) string {
	var (
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		dns     *net.DNSError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("its certificate is valid from %s to %s only: renew it on the server, or set the clock of this machine",
			invalid.Cert.NotBefore.Format("2006-01-02"), invalid.Cert.NotAfter.Format("2006-01-02"))
	case errors.As(err, &unknown):
		return "its certificate is signed by nobody whom this machine trusts: name the file of its certificate authority"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("there is no host %q: check the address, and the name servers of this machine", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: check the address, and that the server runs"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it speaks plain http, not https: check the address, or allow plain http in it"
	}
	return Redact(innermost(err).Error())
}

// innermost leaves out the address that package net/http puts before its errors.
func innermost(err error) error {
	var request *url.Error
	for errors.As(err, &request) {
		err = request.Err
	}
	return err
}

var (
	parameters = regexp.MustCompile(`\?[^\s"]+`)
	login      = regexp.MustCompile(`://[^/@\s"]+@`)
)

// Redact takes parameters and passwords out of the addresses in a text.
func Redact(text string) string {
	return login.ReplaceAllString(parameters.ReplaceAllString(text, "?…"), "://…@")
}
