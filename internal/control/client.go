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
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", SocketPath(stateDir))
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://bluetap/status", nil)
	if err != nil {
		return Status{}, fmt.Errorf("ask daemon: %w", err)
	}
	response, err := transport.RoundTrip(request)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return Status{}, fmt.Errorf("%w: %w", ErrNotRunning, err)
	case err != nil:
		return Status{}, fmt.Errorf("ask daemon: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(response.Body, maxReason))
		return Status{}, fmt.Errorf("ask daemon: %s", bytes.TrimSpace(reason))
	}
	var status Status
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		return Status{}, fmt.Errorf("read daemon's answer: %w", err)
	}
	return status, nil
}
