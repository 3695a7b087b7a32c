package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// ErrNotRunning says that no daemon answers on the control socket.
var ErrNotRunning = errors.New("no daemon is running")

// maxReason bounds what is shown of an answer that is an error.
const maxReason = 1 << 10

// answerTimeout bounds one question to the daemon.
const answerTimeout = 10 * time.Second

// AskStatus asks the daemon of a state directory. The error wraps ErrNotRunning when there is none.
func AskStatus(ctx context.Context, stateDir string) (Status, error) {
	var status Status
	return status, ask(ctx, stateDir, http.MethodGet, "/status", &status)
}

// AskState has the daemon of a state directory fill in state with what its state says of itself. The error wraps
// ErrNotRunning when there is no daemon.
func AskState(ctx context.Context, stateDir string, state any) error {
	return ask(ctx, stateDir, http.MethodGet, "/state", state)
}

// Revived is the daemon's answer to AskRevive.
type Revived struct {
	// WasGone is false when the webhook had not been GONE, so that there was nothing to do.
	WasGone bool `json:"wasGone"`
}

// AskRevive has the daemon of a state directory take up a webhook again whose receiver answered 410. The error wraps
// ErrNotRunning when there is no daemon.
func AskRevive(ctx context.Context, stateDir, webhook string) (Revived, error) {
	var revived Revived
	return revived, ask(ctx, stateDir, http.MethodPost, "/revive?"+url.Values{"id": {webhook}}.Encode(), &revived)
}

// ask makes one request and decodes the answer.
func ask(ctx context.Context, stateDir, method, path string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", SocketPath(stateDir))
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, "http://bluetap"+path, nil)
	if err != nil {
		return fmt.Errorf("ask daemon: %w", err)
	}
	response, err := transport.RoundTrip(request)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: %w", ErrNotRunning, err)
	case err != nil:
		return fmt.Errorf("ask daemon: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(response.Body, maxReason))
		return fmt.Errorf("ask daemon: %s", bytes.TrimSpace(reason))
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("read daemon's answer: %w", err)
	}
	return nil
}
