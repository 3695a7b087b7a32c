package capture

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// The defaults of Config's sizes.
const (
	DefaultMemoryBudget = 16 << 20 // bytes of one open transaction kept in memory
	DefaultQueueBytes   = 32 << 20 // bytes of transactions received and not yet taken
)

// Config says which database to read and how. It is used by value and never changed.
type Config struct {
	// URL is a postgres:// URL or a libpq keyword string. libpq's environment variables and sslmode count.
	URL string
	// Schema holds the tables, e.g. "public".
	Schema string
	// Slot is the replication slot's name: 1 to 63 of a–z, 0–9 and _.
	Slot string
	// Publication is the publication's name.
	Publication string
	// SpillDir is the folder for transactions that outgrow MemoryBudget; it must exist. "" means os.TempDir().
	SpillDir string
	// MemoryBudget is how many bytes of one open transaction are kept in memory before the transaction goes to a
	// file in SpillDir. 0 means DefaultMemoryBudget.
	MemoryBudget int64
	// Room is asked before a transaction goes to a file, and now and then while that grows, with the bytes that have
	// come. An error ends Run. It is asked in Run's goroutine. nil means that there is room.
	Room func(bytes int64) error
	// QueueBytes bounds the transactions that were received and not yet taken by Next. A transaction that went to a
	// file counts with MemoryBudget. Reading pauses at a transaction boundary when it is reached. 0 means
	// DefaultQueueBytes.
	QueueBytes int64
	// Brief makes every statement give up after half a second of waiting for a lock, and after ten seconds: for looks that
	// nobody depends on. Half a second is shorter than deadlock_timeout, after which an autovacuum yields to who waits.
	Brief bool
	// Log gets what an operator should know; nil means nowhere.
	Log *slog.Logger
}

var slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

// withDefaults returns cfg with zero values replaced, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if !slotName.MatchString(c.Slot) {
		return c, fmt.Errorf("slot name %q: must be 1 to 63 of a-z, 0-9 and _", c.Slot)
	}
	for name, value := range map[string]string{"publication": c.Publication, "schema": c.Schema} {
		if value == "" || strings.ContainsRune(value, 0) {
			return c, errors.New(name + ": must be a name")
		}
	}
	if c.MemoryBudget <= 0 {
		c.MemoryBudget = DefaultMemoryBudget
	}
	if c.QueueBytes <= 0 {
		c.QueueBytes = DefaultQueueBytes
	}
	if c.Room == nil {
		c.Room = func(int64) error { return nil }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// quoteIdent returns name as an SQL identifier.
func quoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quoteLiteral returns s as an SQL string literal; sessions have standard_conforming_strings on.
func quoteLiteral(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }
