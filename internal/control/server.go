package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"bluetap/internal/hint"
)

// socketName is the control socket's name in the state directory.
const socketName = "control.sock"

// maxSocketPath is what every Unix accepts as a socket's path (sun_path has 104 bytes on BSD, 108 on Linux).
const maxSocketPath = 103

// SocketPath returns the control socket of a state directory.
func SocketPath(stateDir string) string { return filepath.Join(stateDir, socketName) }

// CheckPath tells whether a state directory's path leaves room for the control socket.
func CheckPath(stateDir string) error {
	if path := SocketPath(stateDir); len(path) > maxSocketPath {
		return fmt.Errorf("the path of the control socket in it has %d bytes, more than %d: choose a shorter state.dir",
			len(path), maxSocketPath)
	}
	return nil
}

// Server answers the command line. Its fields are set before Run.
type Server struct {
	Dir    string                 // the state directory, which the caller holds locked
	Status func() (Status, error) // asked once a request
	// State returns what the daemon's state says of itself, as JSON can hold it, for commands of the same version.
	State func() any
	// Revive takes a webhook up again whose receiver answered 410.
	Revive func(ctx context.Context, webhook string) (Revived, error)
}

// Run listens until ctx ends and then returns nil. A socket that an earlier daemon left is replaced: the caller holds
// the state directory's lock, so no other daemon can be behind it.
func (s *Server) Run(ctx context.Context) error {
	if err := CheckPath(s.Dir); err != nil {
		return err
	}
	path := SocketPath(s.Dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return hint.New(fmt.Errorf("replace control socket: %w", err), "remove what is there: it is none of bluetap's")
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("open control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("protect control socket: %w", err), listener.Close())
	}
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = server.Close() // its only error is the listener's, which goes away with the process
	})
	err = server.Serve(listener)
	if !stop() {
		<-closed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve control socket: %w", err)
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		status, err := s.Status()
		answer(w, status, err)
	})
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.State(), nil) })
	mux.HandleFunc("POST /revive", func(w http.ResponseWriter, r *http.Request) {
		revived, err := s.Revive(r.Context(), r.URL.Query().Get("id"))
		answer(w, revived, err)
	})
	return mux
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // fails only when the asker has gone
}
