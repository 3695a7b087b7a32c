//go:build unix

package pgserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// hba lets the superuser in without a password, so that callers need none, and asks every other role for one, so
// that a wrong password can be tried out.
const hba = `# TYPE DATABASE    USER     ADDRESS      METHOD
host   all         postgres 127.0.0.1/32 trust
host   replication postgres 127.0.0.1/32 trust
host   all         all      127.0.0.1/32 scram-sha-256
host   replication all      127.0.0.1/32 scram-sha-256
`

// createCluster makes the data directory, from the cache if it holds one that was made in the same way.
func (s *Server) createCluster(ctx context.Context) error {
	args := []string{
		"--no-sync", "--auth=trust", "--username=postgres",
		"--encoding=" + s.opts.Encoding, "--locale=" + s.opts.Locale,
	}
	template, err := s.templateDir(args)
	if err != nil {
		return err
	}
	if template == "" {
		return s.initdb(ctx, args)
	}
	if err := copyDir(s.dataDir(), template); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.initdb(ctx, args); err != nil {
		return err
	}
	return fillCache(template, s.dataDir())
}

func (s *Server) templateDir(args []string) (string, error) {
	if s.opts.CacheDir == "" {
		return "", nil
	}
	version, err := serverVersion(s.bin)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(version + "\n" + strings.Join(args, "\n")))
	return filepath.Join(s.opts.CacheDir, fmt.Sprintf("cluster-%x", sum[:8])), nil
}

func (s *Server) initdb(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), append(args, "-D", s.dataDir())...)
	cmd.Dir = s.dir
	cmd.Env = cleanEnv()
	cmd.SysProcAttr = s.account.attr()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// fillCache is atomic, as several test binaries may do it at once: the loser's copy is thrown away.
func fillCache(template, data string) error {
	if err := os.MkdirAll(filepath.Dir(template), 0o700); err != nil {
		return fmt.Errorf("make cluster cache: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(template), "new-")
	if err != nil {
		return fmt.Errorf("make cluster cache: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := copyDir(filepath.Join(tmp, "data"), data); err != nil {
		return err
	}
	err = os.Rename(filepath.Join(tmp, "data"), template)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("fill cluster cache: %w", err)
	}
	return nil
}

func copyDir(dst, src string) error {
	if _, err := os.Stat(src); err != nil {
		return fmt.Errorf("copy cluster: %w", err)
	}
	if err := os.CopyFS(dst, os.DirFS(src)); err != nil {
		return fmt.Errorf("copy cluster: %w", err)
	}
	return nil
}

// configure appends to the files that initdb wrote: the last setting of a name wins.
func (s *Server) configure() error {
	params := map[string]string{
		"listen_addresses":          "127.0.0.1",
		"port":                      fmt.Sprint(s.port),
		"unix_socket_directories":   "",
		"wal_level":                 "logical",
		"max_prepared_transactions": "20",
		"max_replication_slots":     "10",
		"max_wal_senders":           "10",
		"shared_buffers":            "32MB",
		"fsync":                     onOff(s.opts.Fsync),
		"full_page_writes":          onOff(s.opts.Fsync),
		"password_encryption":       "scram-sha-256",
		"log_line_prefix":           "%m [%p] %q%u@%d %a ",
		"log_timezone":              "UTC",
	}
	maps.Copy(params, s.opts.Params)
	var conf strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(&conf, "%s = '%s'\n", name, strings.ReplaceAll(params[name], "'", "''"))
	}
	f, err := os.OpenFile(filepath.Join(s.dataDir(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("configure cluster: %w", err)
	}
	_, err = f.WriteString(conf.String())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("configure cluster: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.dataDir(), "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		return fmt.Errorf("configure cluster: %w", err)
	}
	return s.account.own(s.dataDir())
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// cleanEnv is the environment without libpq's variables, which would point psql and initdb elsewhere.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "PG_")
	})
}
