// Package control is the daemon's control socket: what the command line asks of a running daemon, as JSON over HTTP
// on a Unix socket in the state directory. Whoever may open the socket (mode 0600) may ask.
package control

import "time"

// Status is the daemon at one moment.
type Status struct {
	Version string `json:"version"`
	// Running is false when no daemon is running and the status was read from the state directory.
	Running   bool       `json:"running"`
	StartedAt *time.Time `json:"startedAt"` // null when not running
	Source    Source     `json:"source"`
	Position  Position   `json:"position"`
	State     State      `json:"state"`
	// Unrouted counts events since the start that no webhook wanted.
	Unrouted uint64 `json:"unrouted"`
	// Divergences counts, by table and since the start, changes that did not fit what the mirror knew.
	Divergences map[string]int `json:"divergences"`
	Webhooks    []Webhook      `json:"webhooks"`
}

// Source is the database that is read.
type Source struct {
	Connected   bool   `json:"connected"` // the replication stream stands
	Database    string `json:"database"`
	SystemID    string `json:"systemId"`
	Slot        string `json:"slot"`
	Publication string `json:"publication"`
	Snapshot    string `json:"snapshot"` // "creating" or "ready"; "" before the first start
	Epoch       string `json:"epoch"`
	LastError   string `json:"lastError"` // why the stream does not stand; "" when it does
	Paused      string `json:"paused"`    // why reading has stopped, as what is full; "" when it has not
}

// State is the state directory.
type State struct {
	Bytes    uint64 `json:"bytes"`    // all of it on disk
	MaxBytes uint64 `json:"maxBytes"` // state.maxSize
}

// Gap is what a webhook's queue did not take while it was full.
type Gap struct {
	From         time.Time         `json:"from"` // commit times of the first and the last event
	To           time.Time         `json:"to"`
	FromPosition string            `json:"fromPosition"` // and the ends of these commits
	ToPosition   string            `json:"toPosition"`
	Count        uint64            `json:"count"`
	Events       map[string]uint64 `json:"events"`  // the count by type
	EndedAt      *time.Time        `json:"endedAt"` // when there was room again; null while there is none
}

// Position holds the four marks, as Postgres prints an LSN: confirmed ≤ stored ≤ applied ≤ received.
type Position struct {
	Received  string `json:"received"`  // the newest end of a transaction or keepalive received
	Applied   string `json:"applied"`   // in the mirror, its events deliverable
	Stored    string `json:"stored"`    // applied and fsynced
	Confirmed string `json:"confirmed"` // told to Postgres, which may forget it
}

// Webhook is one webhook's queue and health.
type Webhook struct {
	ID        string `json:"id"`
	Health    string `json:"health"` // HEALTHY, UNHEALTHY, OVERFLOWED, GONE or DISABLED
	Pending   uint64 `json:"pending"`
	Dead      uint64 `json:"dead"`
	Delivered uint64 `json:"delivered"`
	Bytes     uint64 `json:"bytes"` // of pending and dead, which maxQueue bounds
	Gaps      []Gap  `json:"gaps"`  // the oldest first
	// OldestPending is when the oldest pending event was committed; null when none is pending.
	OldestPending *time.Time `json:"oldestPending"`
	LastError     string     `json:"lastError"` // the last failed attempt's reason; "" after a success
	// IfFailures counts events since the start that are delivered because the webhook's if could not be evaluated.
	IfFailures uint64 `json:"ifFailures"`
}
