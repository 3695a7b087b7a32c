package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// format is the version of the layout on disk that this program writes, and the newest that it reads.
const format = 1

// Names of the meta records.
const (
	metaFormat   = "format"
	metaState    = "state"
	metaPosition = "position"
	metaStaged   = "staged"
)

// Source identifies the database that the mirror is a copy of.
type Source struct {
	SystemID    string `json:"systemId"` // Postgres' system identifier; "" while none has been seen
	DatabaseOID uint32 `json:"databaseOid"`
	Database    string `json:"database"`
	Timeline    uint32 `json:"timeline"`
	SlotName    string `json:"slotName"`
	Publication string `json:"publication"`
}

// Values of State.Snapshot.
const (
	SnapshotNone     = ""         // never begun
	SnapshotCreating = "creating" // begun; slot and half copy are to be dropped and begun anew
	SnapshotReady    = "ready"    // the mirror is complete
)

// State is the small record of what the store holds. The zero State is that of a new store.
type State struct {
	Source     Source `json:"source"`
	Epoch      string `json:"epoch"`      // 8 hex digits, part of every event's id
	Generation uint32 `json:"generation"` // the mirror's current generation
	Snapshot   string `json:"snapshot"`   // one of the Snapshot constants
	// Keys names the columns of each table's mirror key, by the caller's name of the table.
	Keys map[string][]string `json:"keys"`
	// SlotAfter and SlotPoint say of a slot that is being made that it begins after the one and, once it is known, at
	// the other: by that it is recognised when a crash left it behind. 0 is unknown.
	SlotAfter uint64 `json:"slotAfter"`
	SlotPoint uint64 `json:"slotPoint"`
	// Membership tells, by table OID, as what the table was added to the publication; another number means that it
	// was taken out and put back.
	Membership map[uint32]uint32 `json:"membership"`
}

// State returns the record as of the last SaveState.
func (s *Store) State() State {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	return s.state
}

// SaveState replaces the record. It, and all that was applied before, is on disk when it returns.
func (s *Store) SaveState(st State) error {
	b, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	if err := s.putSync(metaKey(metaState), b); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	s.state = st
	return nil
}

// SaveShape stores the opaque description b of shape n. It is on disk when SaveShape returns.
func (s *Store) SaveShape(n uint32, b []byte) error {
	if err := s.putSync(key32(spaceShape, n), b); err != nil {
		return fmt.Errorf("save shape: %w", err)
	}
	return nil
}

// Shapes returns all shapes by number.
func (s *Store) Shapes() (map[uint32][]byte, error) {
	shapes := map[uint32][]byte{}
	for r, err := range s.scan([]byte{spaceShape}, after([]byte{spaceShape})) {
		if err != nil {
			return nil, fmt.Errorf("read shapes: %w", err)
		}
		shapes[binary.BigEndian.Uint32(r.key[1:])] = append([]byte{}, r.value...)
	}
	return shapes, nil
}

// Advance records that everything up to end has been applied where nothing had to be: an idle source, the start of a
// first snapshot. It does not wait for the disk. A position at or below Applied changes nothing.
func (s *Store) Advance(end uint64) error {
	if end <= s.applied.Load() {
		return s.fault.get()
	}
	err := s.update(func(b *batch) error {
		b.set(metaKey(metaPosition), position(end, s.visible.Load()))
		return nil
	}, func() { s.applied.Store(end) })
	if err != nil {
		return fmt.Errorf("advance position: %w", err)
	}
	return nil
}

// position encodes the end of the last applied transaction and the visible bound, which always change together.
func position(end, visible uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, end), visible)
}

func (s *Store) loadPosition() error {
	b, err := s.get(metaKey(metaPosition))
	if err != nil {
		return err
	}
	s.visible.Store(1)
	if b == nil {
		return nil
	}
	if len(b) != 16 {
		return damaged(errShort)
	}
	end := binary.BigEndian.Uint64(b)
	s.applied.Store(end)
	s.visible.Store(binary.BigEndian.Uint64(b[8:]))
	// What Pebble found in its log it has written to tables and synced before Open returned.
	s.sync.reached(mark{lsn: end})
	return nil
}

func (s *Store) loadState() error {
	b, err := s.get(metaKey(metaState))
	if err != nil || b == nil {
		return err
	}
	if err := json.Unmarshal(b, &s.state); err != nil {
		return damaged(fmt.Errorf("decode state: %w", err))
	}
	return nil
}

// loadFormat checks the version of the layout, and writes it into a store that is new.
func (s *Store) loadFormat() error {
	b, err := s.get(metaKey(metaFormat))
	if err != nil {
		return err
	}
	if b == nil {
		if key, err := s.first([]byte{0}, []byte{0xff}); err != nil || key != nil {
			return damaged(fmt.Errorf("no format record: %w", errShort))
		}
		if s.readOnly {
			return nil
		}
		return s.putSync(metaKey(metaFormat), []byte{format})
	}
	if len(b) != 1 {
		return damaged(fmt.Errorf("format record: %w", errShort))
	}
	if b[0] > format {
		return newer(uint64(b[0]), format)
	}
	return nil
}
