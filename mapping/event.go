package mapping

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
)

// Event is one of Blue's events, found but not yet composed. It reads the views that it was found in, so it is good
// until they change.
type Event struct {
	Type   string // TODO_CREATED
	Entity Entity // whose value is sent
	Key    string // that row's mirror key
	Pair   string // for a relation, the other side's id; "" otherwise
	On     Entity // whose changed row fired it

	previous, current *Row // nil: no such side
	before, after     state
}

// ID is the event's webhook-id: the same whenever the same transaction is mapped again, whatever else is switched on.
// epoch is the slot's 8 hex digits, end the end LSN of the commit.
func (e *Event) ID(epoch string, end uint64) string {
	return eventID(epoch, end, e.Type, e.Entity.String(), e.Key, e.Pair)
}

func eventID(epoch string, end uint64, parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return fmt.Sprintf("evt_%s_%016x_%s", epoch, end, hex.EncodeToString(h.Sum(nil)[:6]))
}

// Record is the record that an event belongs to: a todo with all that hangs on it, a list, a tag, a custom field.
type Record struct {
	Entity Entity
	ID     string
}

// Lane is the record as a 64-bit hash. Two records that share one only wait for each other.
func (r Record) Lane() uint64 {
	h := fnv.New64a()
	h.Write([]byte{byte(r.Entity)})
	h.Write([]byte(r.ID))
	return h.Sum64()
}

// Records returns the records in whose order the event stands: that of the current value first; a second one when the
// change took the row from one record to another.
func (e *Event) Records() ([]Record, error) {
	var records []Record
	for _, side := range e.sides() {
		record, err := side.state.record(side.row)
		if err != nil {
			return nil, fmt.Errorf("find record of %s: %w", e.Type, err)
		}
		if len(records) == 0 || records[0] != record {
			records = append(records, record)
		}
	}
	return records, nil
}

// Scope returns the ids of the projects and companies that the event belongs to: those of the previous and of the
// current value. An event without a project, such as a comment on a discussion, has none.
func (e *Event) Scope() (projects, companies []string, err error) {
	scopes, err := e.scopes()
	if err != nil {
		return nil, nil, fmt.Errorf("find project of %s: %w", e.Type, err)
	}
	for _, s := range scopes {
		projects = appendNew(projects, s.project)
		companies = appendNew(companies, s.company)
	}
	return projects, companies, nil
}

func appendNew(list []string, s string) []string {
	if s == "" || len(list) > 0 && list[0] == s {
		return list
	}
	return append(list, s)
}

// AppendValues appends the body's last part, without braces: "previousValue":…,"currentValue":…. A creation has no
// previousValue, a deletion a currentValue of null. For one of RecordTypes it is all that follows the event:
// "record":…,"company":…,"project":…,"user":….
func (e *Event) AppendValues(dst []byte) ([]byte, error) {
	if e.short() {
		return e.appendShort(dst)
	}
	var err error
	if e.previous != nil {
		dst = append(dst, `"previousValue":`...)
		if dst, err = e.before.appendValue(dst, e.previous, place{}); err != nil {
			return nil, fmt.Errorf("compose previous value of %s: %w", e.Type, err)
		}
		dst = append(dst, ',')
	}
	dst = append(dst, `"currentValue":`...)
	if dst, err = e.after.appendValue(dst, e.current, place{}); err != nil {
		return nil, fmt.Errorf("compose current value of %s: %w", e.Type, err)
	}
	return dst, nil
}

// side is the event's row before or after, with the state to read its relations in.
type side struct {
	row   *Row
	state state
}

func (e *Event) sides() []side {
	sides := make([]side, 0, 2)
	if e.current != nil {
		sides = append(sides, side{e.current, e.after})
	}
	if e.previous != nil {
		sides = append(sides, side{e.previous, e.before})
	}
	return sides
}
