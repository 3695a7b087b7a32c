//go:build unix

package capture

import (
	"context"
	"encoding/binary"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// frames puts messages behind one another, each after a byte that says how long it is.
func frames(messages ...[]byte) []byte {
	var b []byte
	for _, m := range messages {
		b = append(append(b, byte(len(m))), m...)
	}
	return b
}

// FuzzReceive has a server say anything, message by message, in memory that it uses again: nothing panics; what is
// handed out, where it ends included, is what was sent, byte for byte, or can be read no more than the message can;
// nothing is left out; and what the server is told is what was confirmed, whatever it sends.
func FuzzReceive(f *testing.F) {
	data := func(parts ...any) []byte { return append(message('w', LSN(0), LSN(0), LSN(0)), message(parts...)...) }
	relation := data('R', uint32(9), "s\x00w\x00", 'd', uint16(1), byte(1), "v\x00", uint32(25), uint32(0))
	begin, insert := data('B', LSN(1100), LSN(0), uint32(7)), data('I', uint32(9), 'N', uint16(1), 't', uint32(1), "x")
	commit, alive := data('C', byte(0), LSN(1100), LSN(1108), LSN(0)), message('k', LSN(1200), LSN(0), byte(1))
	f.Add(frames(relation, begin, insert, commit, alive))
	truncate, abort := data('T', uint32(1), byte(0), uint32(9)), data('A', uint32(7), uint32(8))
	f.Add(frames(relation, begin, alive, abort, truncate, commit))
	f.Add(frames(begin, begin))
	f.Add(frames(commit, insert))
	config, err := pgconn.ParseConfig("postgres://nobody")
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a type that is not known would be asked for
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, in []byte) {
		h := newHearing(t, config, dir)
		defer h.r.discard()
		for len(in) > 0 {
			n := min(int(in[0]), len(in)-1)
			frame := in[1 : 1+n]
			heard := slices.Clone(frame)
			if err := h.r.copyData(ctx, heard); err != nil {
				break
			}
			for i := range heard {
				heard[i] = 0xFF // as the connection does with its memory
			}
			in = in[1+n:]
			h.r.handIdle(time.Now())
			h.take(frame)
			h.compare()
		}
	})
}

// hearing is a receiver, and what a reader of its own makes of what the server says.
type hearing struct {
	t    *testing.T
	r    *receiver
	told statusRecorder

	position LSN // up to which everything is over
	open     *saidTransaction
	due      []saidTransaction // that have to be handed out

	last, stored LSN // handed out, confirmed
	handed       int
}

// saidTransaction is what was said from BEGIN to COMMIT.
type saidTransaction struct {
	xid     uint32
	end     LSN
	at      int64
	changes []saidChange
}

type saidChange struct {
	rel *Relation
	msg []byte // of a TRUNCATE its kind alone
}

func newHearing(t *testing.T, config *pgconn.Config, dir string) *hearing {
	t.Helper()
	h := &hearing{t: t, position: wireStart, last: wireStart, stored: wireStart}
	conn, err := pgconn.Construct(&pgconn.HijackedConn{Conn: &h.told, Frontend: pgproto3.NewFrontend(&h.told, &h.told),
		Config: config})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Slot: "tap", Publication: "p", Schema: "s", SpillDir: dir, MemoryBudget: firstBlock}
	s := NewStream(cfg, Start{Position: wireStart})
	s.types.entries = map[uint32]typeEntry{25: {delimiter: ','}}
	h.r = newReceiver(s, conn, time.Minute)
	return h
}

// take reads a message that the receiver did not refuse.
func (h *hearing) take(frame []byte) {
	if frame[0] == kindKeepalive && h.open == nil {
		h.position = max(h.position, LSN(binary.BigEndian.Uint64(frame[1:])))
	}
	if frame[0] != kindData {
		return
	}
	msg := frame[dataHeader:]
	if want, ok := map[byte]int{msgBegin: 21, msgCommit: 26}[msg[0]]; ok && len(msg) != want {
		h.t.Fatalf("%q is taken", msg)
	}
	switch msg[0] {
	case msgBegin:
		h.open = &saidTransaction{xid: binary.BigEndian.Uint32(msg[17:])}
	case msgInsert, msgUpdate, msgDelete:
		h.change(msg[1:5], msg)
	case msgTruncate:
		for oids := msg[6:]; len(oids) > 0; oids = oids[4:] {
			h.change(oids, msg[:1])
		}
	case msgCommit:
		h.commit(msg)
	}
}

func (h *hearing) change(oid, msg []byte) {
	h.open.changes = append(h.open.changes, saidChange{h.r.relations[binary.BigEndian.Uint32(oid)], msg})
}

func (h *hearing) commit(msg []byte) {
	tx := h.open
	h.open = nil
	tx.end, tx.at = LSN(binary.BigEndian.Uint64(msg[10:])), int64(binary.BigEndian.Uint64(msg[18:]))
	if tx.end <= h.position {
		return // had before
	}
	h.position = tx.end
	if len(tx.changes) > 0 {
		h.due = append(h.due, *tx)
	}
}

// compare takes all that is handed out, and confirms every second of it.
func (h *hearing) compare() {
	for {
		tx, err := h.r.s.queue.pop()
		if err != nil {
			h.t.Fatal(err)
		}
		if tx == nil {
			break
		}
		if tx.End <= h.last {
			h.t.Fatalf("handed out up to %d, after %d", uint64(tx.End), uint64(h.last))
		}
		h.last = tx.End
		if !tx.Idle {
			h.transaction(tx)
		}
		if err := tx.Close(); err != nil {
			h.t.Fatal(err)
		}
		if h.handed++; h.handed%2 == 0 {
			h.r.s.Confirm(tx.End)
			h.stored = tx.End
		}
	}
	if len(h.due) > 0 || h.last != h.position {
		h.t.Fatalf("handed out up to %d, want %d; %d transactions are missing",
			uint64(h.last), uint64(h.position), len(h.due))
	}
	if err := h.r.beat.send(time.Now(), false); err != nil {
		h.t.Fatal(err)
	}
	if want := [3]LSN{h.stored, h.stored, h.stored}; h.told.positions != want {
		h.t.Fatalf("the server is told %d, want %d", h.told.positions, want)
	}
}

// transaction compares one with what was said.
func (h *hearing) transaction(tx *Transaction) {
	if len(h.due) == 0 {
		h.t.Fatalf("transaction %d was not sent, or already", tx.XID)
	}
	want := h.due[0]
	h.due = h.due[1:]
	if tx.XID != want.xid || tx.End != want.end || tx.Time.UnixMicro() != want.at+postgresEpoch {
		h.t.Fatalf("transaction %d at %d, %v; want %+v", tx.XID, uint64(tx.End), tx.Time, want)
	}
	rest := want.changes
	for c, err := range tx.Changes() {
		if len(rest) == 0 {
			h.t.Fatalf("more changes than were sent: %+v, %v", c, err)
		}
		if err != nil {
			if c, bad := decodeChange(rest[0].rel, rest[0].msg); bad == nil {
				h.t.Fatalf("%+v cannot be read: %v", c, err)
			}
			return
		}
		if c.Relation != rest[0].rel || !isWhatWasSent(c, rest[0].msg) {
			h.t.Fatalf("%q is read as %+v", rest[0].msg, c)
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		h.t.Fatalf("%d changes of %d are missing", len(rest), len(want.changes))
	}
}

// statusRecorder is a connection that keeps the positions of the last status.
type statusRecorder struct {
	net.Conn
	positions [3]LSN
}

func (c *statusRecorder) Write(b []byte) (int, error) {
	const header = 1 + 4 + 1 // CopyData, its length, the kind of message
	for i := range c.positions {
		c.positions[i] = LSN(binary.BigEndian.Uint64(b[header+8*i:]))
	}
	return len(b), nil
}

func (c *statusRecorder) SetWriteDeadline(time.Time) error { return nil }
