//go:build unix

package capture

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"bluetap/internal/hint"
	"bluetap/internal/pgtest"
)

// TestRepeatedTransaction holds that a transaction at which the stream breaks every time is not asked for as fast as
// the server can send it. Here it is a character that UTF8 does not have.
func TestRepeatedTransaction(t *testing.T) {
	s := newSource(t, schema, pgtest.WithEncoding("EUC_JP"))
	s.Exec(t, "postgres", `INSERT INTO a VALUES (1, E'\xfc\xfc')`)
	began := time.Now()
	r := s.run(t)
	until(t, "five reconnects", func() bool { return r.Status().Reconnects >= 5 })
	if err := r.Status().LastError; sqlState(err) != "22P05" {
		t.Errorf("last error %v", err)
	}
	// 0.2, 0.4, 0.8, 1.6 and 3.2 s, or, where a keepalive came on the second connection, the first of them twice.
	if took := time.Since(began); took < 3*time.Second {
		t.Errorf("five reconnects within %s", took)
	}
	r.halt(t)
	// A walsender that has not gone yet may put another reason in between.
	for _, line := range []string{"replication interrupted", "streaming again"} {
		if n := strings.Count(s.log.String(), line); n == 0 || n > 4 {
			t.Errorf("%q logged %d times", line, n)
		}
	}
}

// TestCannotSpill holds that a spill file that cannot be made ends the stream with advice.
func TestCannotSpill(t *testing.T) {
	s := newSource(t, schema)
	s.cfg.MemoryBudget = 100_000
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	r.next(t)
	if err := os.Remove(s.cfg.SpillDir); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "postgres", "INSERT INTO a SELECT i, repeat('x', 1000) FROM generate_series(2, 500) i")
	err := r.failed(t)
	if !errors.Is(err, fs.ErrNotExist) || Retryable(err) || !strings.HasPrefix(hint.Of(err), "free space") {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
}

// TestFullDisk holds that a spill file that cannot be written is permanent as well.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	file := newSpillOn(full)
	defer file.close()
	large := file.write(make([]byte, 2*blockSize))
	for name, err := range map[string]error{"write": large, "flush": file.flush()} {
		if !permanent(err) || Retryable(err) || hint.Of(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, hint.Of(err))
		}
	}
}
