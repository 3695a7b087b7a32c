package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// The reasons why no response came that have no type of their own.
var (
	errTimeout    = errors.New("timeout")
	errBroken     = errors.New("connection broken before a response")
	errNotTLS     = errors.New("TLS: the receiver does not speak it")
	errNoResponse = errors.New("no HTTP response")
)

// classify turns a transport's error into one that may be kept and shown. Errors of net/http quote the URL, and
// parts of what the receiver sent, so only types that are known to say neither keep their text.
func classify(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errTimeout
	}
	for _, known := range faults() {
		if e := known(err); e != nil {
			return e
		}
	}
	return errNoResponse
}

// faults lists the known types, the most telling first.
func faults() []func(error) error {
	return []func(error) error{
		is(ErrAddress, ErrAddress),
		as("resolve host", func(e *net.DNSError) error { return errors.New(e.Err) }),
		as("verify certificate", func(e *tls.CertificateVerificationError) error { return e.Err }),
		as("TLS", func(tls.RecordHeaderError) error { return errors.New("no TLS record") }),
		is(http.ErrSchemeMismatch, errNotTLS),
		as("TLS", alertError),
		as("connect", connectError),
		as("connection", func(e syscall.Errno) error { return e }),
		is(io.EOF, errBroken),
		is(io.ErrUnexpectedEOF, errBroken),
	}
}

func is(target, fault error) func(error) error {
	return func(err error) error {
		if errors.Is(err, target) {
			return fault
		}
		return nil
	}
}

// as makes a check for one type of error; take may return nil for "not this one".
func as[E error](what string, take func(E) error) func(error) error {
	return func(err error) error {
		var e E
		if !errors.As(err, &e) {
			return nil
		}
		if inner := take(e); inner != nil {
			return fmt.Errorf("%s: %w", what, inner)
		}
		return nil
	}
}

func connectError(e *net.OpError) error {
	var no syscall.Errno
	if e.Op == "dial" && errors.As(e.Err, &no) {
		return no
	}
	return nil
}

// alertError recognises the receiver's refusal of a handshake, which crypto/tls marks by the operation alone.
func alertError(e *net.OpError) error {
	if e.Op == "remote error" {
		return errors.New("refused by the receiver")
	}
	return nil
}
