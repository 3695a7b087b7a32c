//go:build unix

package soak

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stages are the moments of a large transaction from which on the daemon is killed: what it says as it enters them, and
// about how long it stays there. Resumed is a transaction whose first process was killed once it was staged.
var stages = []struct {
	message string
	resumed bool
	lasts   time.Duration
}{
	{"receiving large transaction", false, time.Second}, {"large transaction staged", false, 300 * time.Millisecond},
	{"large transaction mapped", false, 100 * time.Millisecond},
	{"resuming staged transaction", true, 300 * time.Millisecond},
}

// stagePatience is how long a large transaction may take to reach a stage.
const stagePatience = time.Minute

// killStaged commits transactions of which not all fits into memory, and kills the daemon while it works through them.
// They change users who stand in no value: large transactions of few events.
func (f *faults) killStaged(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	result := errMissed
	for n, sql := range []string{
		fmt.Sprintf(`INSERT INTO users (id, email, first_name) SELECT 'giant%d-' || i, '', repeat(md5(i::text), 250)
			FROM generate_series(1, 5500) i;
			UPDATE todos SET title = title || '!' WHERE id IN (SELECT id FROM todos WHERE id < '8' FOR UPDATE SKIP LOCKED)`,
			f.random.Uint32()),
		`DELETE FROM users WHERE id LIKE 'giant%';
			UPDATE todos SET done = NOT done WHERE id IN (SELECT id FROM todos WHERE id > '8' FOR UPDATE SKIP LOCKED)`} {
		from := f.daemon.log.mark()
		if _, err := f.execute(whole, sql); errors.Is(err, errMissed) {
			return result
		} else if err != nil {
			return err
		}
		// Of deleted rows little is received: it is staged for what it deletes.
		switch err := f.killInStage(whole, from, n+f.random.IntN(len(stages)-n)); {
		case err == nil:
			result = nil
		case errors.Is(err, errMissed):
			return result // it may still be under way, and what is said next of either; its users stay until the next time
		default:
			return err
		}
	}
	return result
}

// killInStage kills the daemon in a stage of the large transaction that is on its way, of which it has said nothing
// before the mark, and waits for the end of it: what the daemon says of the next one is of no other.
func (f *faults) killInStage(ctx context.Context, from, stage int) error {
	at := stages[stage]
	if at.resumed {
		if err := f.reach(ctx, "large transaction staged", from); err != nil {
			return err
		}
		if err := f.restartKilled(); err != nil {
			return err
		}
		from = 0
	}
	if err := f.reach(ctx, at.message, from); err != nil {
		return err
	}
	f.some(ctx, at.lasts)
	before := f.daemon.log
	if err := f.restartKilled(); err != nil {
		return err
	}
	if applied, _ := before.saidSince("large transaction applied", from); applied {
		return errMissed
	}
	f.tell("killed after " + at.message)
	// It says nothing if the last mark was on disk already: then there is nothing to wait for.
	patient, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	f.daemon.waitLog(patient, "large transaction applied")
	return nil
}

func (f *faults) restartKilled() error {
	if err := f.kill(); err != nil {
		return err
	}
	return f.start()
}

// reach waits until the daemon has said something since a mark. It may never do so: what was on disk before a kill is
// not resumed. One that is stuck does not come to rest either, which is a violation.
func (f *faults) reach(ctx context.Context, message string, from int) error {
	patient, cancel := context.WithTimeout(ctx, stagePatience)
	defer cancel()
	if f.daemon.waitLogSince(patient, message, from) {
		return nil
	}
	if f.daemon.ended() {
		if err := f.revive(); err != nil {
			return err
		}
	}
	return errMissed
}
