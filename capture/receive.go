package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	boundaryPatience = 2 * time.Second        // how long reading may pause before the connection is given up
	tickInterval     = time.Second            // how often a session looks around at least
	minSilence       = time.Minute            // how long a server may say nothing, at least
	silenceFactor    = 2                      // the same in units of wal_sender_timeout
	askAfter         = 20 * time.Second       // silence after which the server is asked to say something
	resumeCheck      = 100 * time.Millisecond // how often statuses are looked after while reading pauses
)

// receiver is one streaming connection. Everything in it belongs to the goroutine in run.
type receiver struct {
	s       *Stream
	conn    *pgconn.PgConn
	beat    *heartbeat
	silence time.Duration

	relations map[uint32]*Relation // those that this connection has described
	stripped  []byte               // a message without unwanted values, until the next
	open      *Transaction         // between BEGIN and COMMIT, else nil
	asked     int64                // bytes of it when room was last asked for
	reported  time.Time            // when a large one was last reported
	idle      LSN                  // what a keepalive said, not yet handed over; 0 if nothing
	idleSent  time.Time
	heard     time.Time // when the server last said something
	armed     time.Time // the read deadline that is set
}

func newReceiver(s *Stream, conn *pgconn.PgConn, walSenderTimeout time.Duration) *receiver {
	return &receiver{s: s, conn: conn, beat: newHeartbeat(s, conn, walSenderTimeout),
		silence: max(minSilence, silenceFactor*walSenderTimeout), relations: make(map[uint32]*Relation)}
}

// run receives until the connection breaks, ctx ends, the queue stays full or reading is held.
func (r *receiver) run(ctx context.Context) error {
	defer r.discard()
	r.heard = time.Now()
	if err := r.beat.send(r.heard, false); err != nil {
		return err
	}
	r.s.streaming()
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if r.open == nil && r.s.queue.isHeld() {
			if err := r.awaitRoom(ctx); err != nil {
				return err
			}
		}
		now := time.Now()
		if err := r.tick(now); err != nil {
			return err
		}
		msg, err := r.read(now)
		if err != nil {
			return err
		}
		if msg == nil {
			continue
		}
		r.heard = now
		if err := r.handle(ctx, msg); err != nil {
			return err
		}
	}
}

// tick does what is due by the clock.
func (r *receiver) tick(now time.Time) error {
	if r.idle != 0 && (now.Sub(r.idleSent) >= tickInterval || r.beat.asked) {
		r.handIdle(now)
	}
	if quiet := now.Sub(r.heard); quiet > r.silence {
		return fmt.Errorf("server said nothing for %s", quiet.Round(time.Second))
	}
	return r.beat.tick(now, now.Sub(r.heard) > askAfter)
}

// read returns the next message, or nil when it is time to look around. The deadline is moved only when it has to
// be: that is a system's timer each time.
func (r *receiver) read(now time.Time) (pgproto3.BackendMessage, error) {
	until := now.Add(r.beat.patience())
	if r.armed.Before(now) || r.armed.After(until) {
		r.armed = until
		if err := r.conn.Conn().SetReadDeadline(until); err != nil {
			return nil, fmt.Errorf("set read deadline: %w", err)
		}
		if r.woken() {
			r.armed = time.Time{}
			return nil, nil
		}
	}
	msg, err := r.conn.Frontend().Receive()
	if err == nil {
		return msg, nil
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		r.woken()
		r.armed = time.Time{}
		return nil, nil
	}
	return nil, fmt.Errorf("receive: %w", err)
}

// woken takes back a wake-up. Asked after the deadline was set: one that came earlier is seen here, a later one has
// moved the deadline.
func (r *receiver) woken() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	wake := r.s.wake
	r.s.wake = false
	return wake
}

func (r *receiver) handle(ctx context.Context, msg pgproto3.BackendMessage) error {
	switch msg := msg.(type) {
	case *pgproto3.CopyData:
		return r.copyData(ctx, msg.Data)
	case *pgproto3.ErrorResponse:
		return pgconn.ErrorResponseToPgError(msg)
	case *pgproto3.CopyDone:
		return errors.New("server ended the stream")
	}
	return nil
}

// The two kinds of CopyData (Postgres manual, "Streaming Replication Protocol") and what precedes the payload.
const (
	kindData        = 'w'
	kindKeepalive   = 'k'
	dataHeader      = 25
	keepaliveLength = 18
)

func (r *receiver) copyData(ctx context.Context, data []byte) error {
	switch {
	case len(data) > dataHeader && data[0] == kindData:
		return r.message(ctx, data[dataHeader:])
	case len(data) >= keepaliveLength && data[0] == kindKeepalive:
		r.keepalive(LSN(binary.BigEndian.Uint64(data[1:])), data[17] != 0)
		return nil
	case len(data) == 0 || data[0] == kindData || data[0] == kindKeepalive:
		return errShortMessage
	}
	r.unknown(data[0])
	return nil
}

// keepalive takes the server's position. It stands for everything before it only while no transaction is open.
func (r *receiver) keepalive(end LSN, replyWanted bool) {
	if r.open == nil && end > r.received() {
		r.idle = end
	}
	if replyWanted {
		r.beat.ask(max(r.idle, r.received()))
	}
}

func (r *receiver) received() LSN { return LSN(r.s.state.received.Load()) }

// handIdle hands over the news that nothing came for us up to a keepalive's position.
func (r *receiver) handIdle(now time.Time) {
	if r.open == nil && r.idle > r.received() {
		r.s.state.received.Store(uint64(r.idle))
		r.s.queue.put(&Transaction{Idle: true, End: r.idle})
		r.idleSent = now
	}
	r.idle = 0
}

// discard drops a transaction that was cut off: the server sends it again.
func (r *receiver) discard() {
	if r.open == nil {
		return
	}
	if err := r.open.Close(); err != nil {
		r.s.cfg.Log.Warn("cannot close spill file", "err", err)
	}
	r.open = nil
}

// unknown counts a kind of message that this version does not know, and logs it once.
func (r *receiver) unknown(kind byte) {
	r.s.state.unknown.Add(1)
	if !r.s.odd[kind] {
		r.s.odd[kind] = true
		r.s.cfg.Log.Warn("message of an unknown kind skipped", "kind", string(rune(kind)))
	}
}
