//go:build unix

package pgserver

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Psql runs a script through the real psql as superuser and returns what it printed: rows only, unaligned, columns
// separated by |, without the last line break. The first failing statement ends it with an error that holds psql's
// message. Statements commit one by one unless the script says BEGIN; COPY … FROM STDIN and \commands work.
func (s *Server) Psql(ctx context.Context, db, script string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "psql"),
		"--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--dbname="+s.URL(db))
	cmd.Dir, cmd.Env = s.dir, cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C in the terminal is for the parent
	cmd.Stdin = strings.NewReader(script)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("run psql: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSuffix(stdout.String(), "\n"), nil
}
