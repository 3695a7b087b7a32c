//go:build unix

package capture

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"bluetap/internal/finding"
	"bluetap/internal/pgtest"
)

func wantFinding(t *testing.T, found []finding.Finding, severity finding.Severity, code finding.Code, text, next string,
) {
	t.Helper()
	for _, f := range found {
		if f.Severity == severity && f.Code == code && strings.Contains(f.Text, text) && strings.Contains(f.Next, next) {
			return
		}
	}
	t.Errorf("no %s %s %q with %q among %+v", severity, code, text, next, found)
}

// TestInspectTransactions has transactions that are old by the measure of the test.
func TestInspectTransactions(t *testing.T) {
	s := pgtest.Start(t, pgtest.WithParam("max_prepared_transactions", "2"))
	s.Exec(t, "postgres", "CREATE TABLE a (a int PRIMARY KEY); CREATE ROLE tap LOGIN PASSWORD 'right'")
	cfg, _ := newConfig(t, s.URL("postgres"))
	look := func(old time.Duration) []finding.Finding { return Inspect(t.Context(), cfg, Inspection{Old: old}) }
	writer, reader := s.Conn(t, "postgres"), s.Conn(t, "postgres")
	if _, err := writer.Exec(t.Context(), "BEGIN; INSERT INTO a VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Exec(t.Context(), "BEGIN; SELECT * FROM a"); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "postgres", "BEGIN; INSERT INTO a VALUES (2); PREPARE TRANSACTION 'two''s'")
	found := look(time.Microsecond)
	wantFinding(t, found, finding.Warning, finding.LongTransact,
		`a transaction of role postgres in database postgres ("") has been open for `,
		"SELECT pg_terminate_backend(")
	wantFinding(t, found, finding.Warning, finding.PreparedXact, "it has been prepared for ",
		"in database postgres: ROLLBACK PREPARED 'two''s'")
	if n := finding.Count(found, finding.Warning); n != 4 { // and superuser, log without bound
		t.Errorf("%d warnings: %+v", n, found)
	}
	found = look(0)
	wantFinding(t, found, finding.OK, finding.LongTransact, "no transaction that has written is older than 5m0s", "")
	wantFinding(t, found, finding.OK, finding.PreparedXact, "no prepared transaction is older than 5m0s", "")
	cfg.URL = s.URLFor("tap", "right", "postgres")
	wantFinding(t, look(time.Microsecond), finding.OK, finding.LongTransact, "sees its own transactions only",
		`GRANT pg_read_all_stats TO "tap"`)
}

// TestJudgeMinor has versions that cannot all be had here.
func TestJudgeMinor(t *testing.T) {
	for number, want := range map[int]finding.Severity{
		140018: finding.Warning, 140019: finding.OK, 150013: finding.Warning, 150014: finding.OK, 160009: finding.Warning,
		160010: finding.OK, 170005: finding.Warning, 170006: finding.OK, 180000: finding.OK, 190000: finding.OK} {
		if got := judgeMinor(number); got.Severity != want || got.Code != finding.ServerMinor {
			t.Errorf("minor of %d: %+v", number, got)
		}
	}
}

// addressed is a connection with an address that a test cannot have.
type addressed struct {
	net.Conn
	address net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.address }

func TestJudgeConn(t *testing.T) {
	far := addressed{address: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}}
	for name, c := range map[string]struct {
		conn net.Conn
		want finding.Severity
	}{
		"plain and far": {far, finding.Warning},
		"encrypted":     {tls.Client(far, &tls.Config{ServerName: "db"}), finding.OK},
		"near":          {addressed{address: &net.TCPAddr{IP: net.IPv6loopback}}, finding.OK},
		"Unix socket":   {addressed{address: &net.UnixAddr{Name: "/run/postgresql"}}, finding.OK},
	} {
		if got := judgeConn(c.conn); got.Severity != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB",
		20 << 30: "20.0 GiB",
		3 << 50:  "3072.0 TiB"} {
		if got := Size(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}

// TestSyncStandby has the forms of synchronous_standby_names (Postgres manual).
func TestSyncStandby(t *testing.T) {
	for names, counts := range map[string]bool{
		"": false, "*": true, "bluetap": true, "BlueTap": true, `"bluetap"`: true, "bluetap2, x": false, "x, bluetap": true,
		"FIRST 1 (x, bluetap)": true, "ANY 2 (x,y)": false, "2 (x, *)": true, "first": false, "any 1 (first, bluetap)": true,
	} {
		if got := countsFor(names, "bluetap"); got != counts {
			t.Errorf("%q: %t", names, got)
		}
	}
}

// TestSlotTimeout has a setting that came with version 18.
func TestSlotTimeout(t *testing.T) {
	for value, want := range map[string]finding.Severity{"": finding.OK, "0": finding.OK, "1d": finding.Warning} {
		i := &inspector{settings: map[string]string{"idle_replication_slot_timeout": value}}
		if err := i.slotTimeout(t.Context()); err != nil || len(i.found) != 1 || i.found[0].Severity != want {
			t.Errorf("%q: %+v, %v", value, i.found, err)
		}
	}
}

func TestJudgeLog(t *testing.T) {
	for _, c := range []struct {
		status string
		bytes  int64
		want   finding.Severity
	}{
		{"reserved", 1 << 20, finding.OK}, {"extended", 2 << 30, finding.Warning},
		{"unreserved", 1 << 20, finding.Warning},
	} {
		if got := judgeLog("tap", c.status, c.bytes, StateBegun); got.Severity != c.want || got.Code != finding.Slot {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}
