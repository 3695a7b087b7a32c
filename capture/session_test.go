//go:build unix

package capture

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"bluetap/internal/pgtest"
)

// TestConnectErrorIsOneLine holds that an error of several addresses fits a log's line and tells no password.
func TestConnectErrorIsOneLine(t *testing.T) {
	cfg, _ := newConfig(t, "postgres://u:hush@127.0.0.1:1,127.0.0.1:2/db?sslmode=prefer")
	_, err := Tables(t.Context(), cfg)
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) || !Retryable(err) {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(connect.Error(), "\n") {
		t.Fatalf("an error of one line proves nothing: %v", connect)
	}
	text := err.Error()
	if strings.ContainsAny(text, "\n\t") || strings.Contains(text, "hush") || strings.Contains(text, ":;") ||
		strings.Count(text, "127.0.0.1:1 ") != 1 || strings.Count(text, "127.0.0.1:2 ") != 1 {
		t.Errorf("error %q", text)
	}
}

// TestConnectCancelled holds that who gives up connecting gets to hear why.
func TestConnectCancelled(t *testing.T) {
	s := pgtest.Start(t)
	proxy := pgtest.NewProxy(t, s.Addr())
	proxy.Stall()
	cfg, _ := newConfig(t, s.URLAt(proxy.Addr(), "postgres"))
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errTestOver)
	defer cancel()
	if _, err := Tables(ctx, cfg); !errors.Is(err, errTestOver) || Retryable(err) {
		t.Errorf("error %v", err)
	}
}

// TestUnreadableURL holds that a file that the URL names and is not there is not waited for.
func TestUnreadableURL(t *testing.T) {
	cfg, _ := newConfig(t, "postgres://u:hush@127.0.0.1/db?sslmode=verify-full&sslrootcert=/no/such/file")
	if _, err := Tables(t.Context(), cfg); err == nil || Retryable(err) || strings.Contains(err.Error(), "hush") {
		t.Errorf("error %v", err)
	}
}
