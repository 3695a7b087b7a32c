//go:build unix

package capture

import (
	"context"
	"testing"
	"time"
)

// frames puts messages behind one another, each after a byte that says how long it is.
func frames(messages ...[]byte) []byte {
	var b []byte
	for _, m := range messages {
		b = append(append(b, byte(len(m))), m...)
	}
	return b
}

// FuzzReceive has a server say anything, message by message: nothing panics; what is handed out ends above the stored
// position and above what was handed out before it, and can be read, or says why not; and nothing is confirmed.
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
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a type that is not known would be asked for
	f.Fuzz(func(t *testing.T, in []byte) {
		cfg := Config{Slot: "tap", Publication: "p", Schema: "s", SpillDir: t.TempDir(), MemoryBudget: 500}
		s := NewStream(cfg, Start{Position: wireStart})
		s.types.entries = map[uint32]typeEntry{25: {delimiter: ','}}
		r := newReceiver(s, nil, time.Minute)
		defer r.discard()
		for len(in) > 0 {
			n := min(int(in[0]), len(in)-1)
			if err := r.copyData(ctx, in[1:1+n]); err != nil {
				break
			}
			in = in[1+n:]
			r.handIdle(time.Now())
		}
		checkHandedOut(t, s)
	})
}

func checkHandedOut(t *testing.T, s *Stream) {
	t.Helper()
	for last := wireStart; ; {
		tx, err := s.queue.pop()
		if err != nil {
			t.Fatal(err)
		}
		if tx == nil {
			break
		}
		if tx.End <= last {
			t.Errorf("a transaction ends at %d, after one at %d", uint64(tx.End), uint64(last))
		}
		last = tx.End
		for c, err := range tx.Changes() {
			if err == nil && c.Op != Truncate && c.New == nil && c.Old == nil {
				t.Errorf("a change without values: %+v", c)
			}
		}
		if err := tx.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := s.confirmed.Load(); got != uint64(wireStart) {
		t.Errorf("%d is confirmed", got)
	}
}
