//go:build unix

package capture

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// wire is a receiver whose server is the test: it says what a real one says only now and then.
type wire struct {
	*running
	server   net.Conn
	conn     *pgconn.PgConn
	log      *logBuffer
	statuses chan []byte // what the receiver sends, without the header of CopyData
}

const wireStart = LSN(1000) // what is stored when a wire begins

func newWire(t *testing.T) *wire {
	t.Helper()
	cfg, log := newConfig(t, "postgres://nobody")
	client, server := net.Pipe()
	w := &wire{server: server, log: log, statuses: make(chan []byte, 1000)}
	pc, err := pgconn.ParseConfig(cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.conn, err = pgconn.Construct(&pgconn.HijackedConn{Conn: client, Frontend: pgproto3.NewFrontend(client, client),
		Config: pc})
	if err != nil {
		t.Fatal(err)
	}
	w.running = &running{Stream: NewStream(cfg, Start{Position: wireStart})}
	w.types.entries = map[uint32]typeEntry{25: {delimiter: ','}}
	listened := make(chan struct{})
	go func() {
		defer close(listened)
		backend := pgproto3.NewBackend(server, nil)
		for {
			msg, err := backend.Receive()
			if err != nil {
				return
			}
			if data, ok := msg.(*pgproto3.CopyData); ok {
				w.statuses <- append([]byte{}, data.Data...)
			}
		}
	}()
	t.Cleanup(func() {
		_, _ = client.Close(), server.Close()
		<-listened
	})
	return w
}

// receive runs the receiver until the test ends.
func (w *wire) receive(t *testing.T) {
	t.Helper()
	w.receiveWithin(t, time.Minute)
}

// receiveWithin is receive with a wal_sender_timeout.
func (w *wire) receiveWithin(t *testing.T, timeout time.Duration) {
	t.Helper()
	ctx, stop := context.WithCancelCause(context.Background())
	w.stop, w.done = stop, make(chan error, 1)
	w.attach(w.conn)
	wake := context.AfterFunc(ctx, w.interrupt)
	go func() { w.done <- newReceiver(w.Stream, w.conn, timeout).run(ctx) }()
	t.Cleanup(func() {
		w.halt(t)
		wake()
	})
	if got := w.status(t); got != statusOf(wireStart) {
		t.Fatalf("first status %q", got)
	}
}

// say sends any message of the server's.
func (w *wire) say(t *testing.T, msg pgproto3.BackendMessage) {
	t.Helper()
	b, err := msg.Encode(nil)
	if err == nil {
		err = w.server.SetWriteDeadline(time.Now().Add(patience)) // for a receiver that has ended
	}
	if err == nil {
		_, err = w.server.Write(b)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// data sends one pgoutput message that says to be at a position of the log.
func (w *wire) data(t *testing.T, at LSN, parts ...any) {
	t.Helper()
	w.say(t, &pgproto3.CopyData{Data: append(message('w', at, at, LSN(0)), message(parts...)...)})
}

func (w *wire) keepalive(t *testing.T, end LSN, reply byte) {
	t.Helper()
	w.say(t, &pgproto3.CopyData{Data: message('k', end, LSN(0), reply)})
}

func (w *wire) relation(t *testing.T) {
	t.Helper()
	w.data(t, 0, 'R', uint32(9), "public\x00w\x00", 'd', uint16(1), byte(1), "v\x00", uint32(25), uint32(0))
}

func (w *wire) begin(t *testing.T, commit LSN) {
	t.Helper()
	w.data(t, commit, 'B', commit, LSN(0), uint32(77))
}

func (w *wire) insert(t *testing.T, at LSN, v string) {
	t.Helper()
	w.data(t, at, 'I', uint32(9), 'N', uint16(1), 't', uint32(len(v)), v)
}

// commit sends a COMMIT whose record stands at one position and ends at another.
func (w *wire) commit(t *testing.T, at, end LSN) {
	t.Helper()
	w.data(t, at, 'C', byte(0), at, end, LSN(0))
}

// wants takes the next transaction, which must be idle or have exactly these rows.
func (w *wire) wants(t *testing.T, end LSN, rows ...string) {
	t.Helper()
	tx := w.any(t)
	t.Cleanup(func() { _ = tx.Close() })
	var want []string
	for _, v := range rows {
		want = append(want, "insert w - -> ('"+v+"')")
	}
	if got := changes(t, tx); tx.Idle != (rows == nil) || tx.End != end || got != strings.Join(want, "\n") {
		t.Fatalf("transaction that ends at %d, idle %t:\n%s\nwant one that ends at %d with rows %v", uint64(tx.End), tx.Idle,
			got, uint64(end), rows)
	}
}

// status returns the next status as statusOf writes it, without its time.
func (w *wire) status(t *testing.T) string {
	t.Helper()
	select {
	case b := <-w.statuses:
		if len(b) != 34 || b[0] != 'r' {
			t.Fatalf("status of %d bytes: %q", len(b), b)
		}
		n := binary.BigEndian.Uint64
		return fmt.Sprint(n(b[1:]), n(b[9:]), n(b[17:]))
	case <-time.After(patience):
		t.Fatal("no status")
		return ""
	}
}

// statusOf has written, flushed and applied.
func statusOf(lsn LSN) string {
	return fmt.Sprint(uint64(lsn), uint64(lsn), uint64(lsn))
}

// TestPositions holds that positions decide about whole transactions by the end of their commit, and by nothing else:
// the changes of one lie before the position that is stored, or share theirs with one another and with commits.
func TestPositions(t *testing.T) {
	w := newWire(t)
	w.receive(t)
	w.relation(t)
	w.begin(t, 1100)
	w.insert(t, 500, "early") // of a long transaction, when others had not committed yet
	w.insert(t, 1000, "at the position")
	w.insert(t, 1050, "one of several rows")
	w.insert(t, 1050, "of one record")
	w.commit(t, 1100, 1108)
	w.wants(t, 1108, "early", "at the position", "one of several rows", "of one record")
	w.begin(t, 1200)
	w.insert(t, 1108, "where the last ended")
	w.commit(t, 1200, 1208)
	w.wants(t, 1208, "where the last ended")
	w.begin(t, 1200)
	w.insert(t, 1150, "sent again")
	w.commit(t, 1200, 1208)
	w.begin(t, 1208)
	w.insert(t, 1108, "interleaved")
	w.commit(t, 1208, 1216)
	w.wants(t, 1216, "interleaved")
	w.keepalive(t, 1333, 1)
	w.wants(t, 1333)
}

// TestKeepalives holds that what is confirmed is what was stored, whatever the server says of its log, and that the
// server is answered also inside a transaction and while nobody takes what came.
func TestKeepalives(t *testing.T) {
	w := newWire(t)
	w.receive(t)
	w.keepalive(t, 900, 1) // behind what is stored
	if got := w.status(t); got != statusOf(wireStart) {
		t.Errorf("status %q after a keepalive behind what is stored", got)
	}
	w.relation(t)
	w.begin(t, 1100)
	w.insert(t, 1050, "open")
	w.keepalive(t, 5000, 1)
	if got := w.status(t); got != statusOf(wireStart) {
		t.Errorf("status %q inside a transaction", got)
	}
	w.commit(t, 1100, 1108)
	w.keepalive(t, 1150, 1)
	if got := w.status(t); got != statusOf(wireStart) {
		t.Errorf("status %q while nothing is stored", got)
	}
	w.wants(t, 1108, "open")
	w.wants(t, 1150)
	w.Confirm(1108)
	if got := w.status(t); got != statusOf(1108) {
		t.Errorf("status %q after 1108 was stored", got)
	}
}

// TestUnknownMessages holds that what this version does not know is skipped, counted, and logged once a kind: the
// abort of a streamed transaction, which newer servers send unasked, and others.
func TestUnknownMessages(t *testing.T) {
	w := newWire(t)
	w.receive(t)
	w.relation(t)
	w.data(t, 1010, 'A', uint32(1), uint32(2))
	w.begin(t, 1100)
	w.insert(t, 1050, "before")
	for range 2 {
		w.data(t, 1060, 'A', uint32(77), uint32(78), LSN(1060), LSN(0))
	}
	w.data(t, 0, 'Y', uint32(1), "s\x00t\x00")            // a type
	w.data(t, 0, 'O', LSN(1), "elsewhere\x00")            // an origin
	w.data(t, 2000, 'M', byte(0), LSN(2000), "p\x00", "") // a logical message that belongs to no transaction
	w.say(t, &pgproto3.CopyData{Data: []byte("zNEW")})
	w.say(t, &pgproto3.ParameterStatus{Name: "TimeZone", Value: "UTC"})
	w.insert(t, 1070, "after")
	w.commit(t, 1100, 1108)
	w.wants(t, 1108, "before", "after")
	if n := w.Status().Unknown; n != 4 {
		t.Errorf("%d unknown messages counted, want 4", n)
	}
	if n := strings.Count(w.log.String(), "unknown kind"); n != 2 {
		t.Errorf("%d lines in the log, want 2", n)
	}
}

// TestOwnTimer holds that a status goes out every ten seconds at least, also if the server never asks for one, and in
// a third of its patience if that is shorter.
func TestOwnTimer(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		0: 10 * time.Second, time.Minute: 10 * time.Second, 3 * time.Second: time.Second,
	} {
		w := newWire(t)
		h := newHeartbeat(w.Stream, w.conn, timeout)
		now := time.Now()
		for _, step := range []struct {
			after time.Duration
			sent  bool
		}{{0, true}, {want - time.Millisecond, false}, {want, true}, {2*want - time.Millisecond, false}, {2 * want, true}} {
			at := now.Add(step.after)
			if err := h.tick(at, false); err != nil {
				t.Fatal(err)
			}
			if sent := h.sentAt.Equal(at); sent != step.sent {
				t.Errorf("wal_sender_timeout %s, after %s: sent %t", timeout, step.after, sent)
			}
		}
		if got := h.patience(); got > want {
			t.Errorf("wal_sender_timeout %s: looks around every %s", timeout, got)
		}
	}
}

// TestSilentServer holds that the timer runs while there is nothing to read, and that a status that goes out in between
// does not move the time at which reading ends.
func TestSilentServer(t *testing.T) {
	w := newWire(t)
	w.receiveWithin(t, 3*time.Second) // a status every second
	<-time.After(2 * replyPace)
	w.keepalive(t, 900, 1)
	began := time.Now()
	for range 3 {
		w.status(t)
	}
	if took := time.Since(began); took > writePatience/2 {
		t.Errorf("an answer and two statuses that are due every second took %s", took)
	}
}
