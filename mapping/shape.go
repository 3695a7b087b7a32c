package mapping

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"bluetap/internal/jsjson"
)

// shape is the fields of a mirrored row in their order. Every encoded row names its shape by number, so rows written
// before and after an ALTER TABLE stand side by side, each read by what it was.
type shape struct {
	number uint32
	entity Entity
	fields []field
	names  [][]byte       // by field: `"name":` as in JSON
	sent   []bool         // by field; follows the config's omit, which may have changed since the row was written
	index  map[string]int // field name → position
}

// shapeRecord is a shape as it is kept.
type shapeRecord struct {
	Entity Entity  `json:"entity"`
	Fields []field `json:"fields"`
}

// fieldRecord is a field as it is kept.
type fieldRecord struct {
	plainField
	SourceBytes []byte `json:"sourceBytes,omitempty"` // instead of Source, if that is not UTF-8, which JSON must be
}

type plainField field

// MarshalJSON keeps the name of the column as it is, in whatever encoding.
func (f field) MarshalJSON() ([]byte, error) {
	r := fieldRecord{plainField: plainField(f)}
	if !utf8.ValidString(f.Source) {
		r.SourceBytes = []byte(f.Source)
	}
	return json.Marshal(r)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *field) UnmarshalJSON(b []byte) error {
	var r fieldRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	*f = field(r.plainField)
	if r.SourceBytes != nil {
		f.Source = string(r.SourceBytes)
	}
	return nil
}

// Shapes holds every shape that a mirrored row may have. It is safe for concurrent use.
type Shapes struct {
	save  func(number uint32, record []byte) error
	model *Model

	mu        sync.RWMutex
	byNumber  map[uint32]*shape
	byContent map[string]*shape
}

// LoadShapes takes the records kept so far, by number, and save, which keeps another one durably before it returns.
func LoadShapes(model *Model, records map[uint32][]byte,
	save func(number uint32, record []byte) error,
) (*Shapes, error) {
	s := &Shapes{save: save, model: model, byNumber: map[uint32]*shape{}, byContent: map[string]*shape{}}
	for number, record := range records {
		var r shapeRecord
		if err := json.Unmarshal(record, &r); err != nil {
			return nil, fmt.Errorf("read shape %d: %w", number, err)
		}
		s.put(number, r, string(record))
	}
	return s, nil
}

func (s *Shapes) put(number uint32, r shapeRecord, content string) *shape {
	sh := &shape{number: number, entity: r.Entity, fields: r.Fields, index: make(map[string]int, len(r.Fields))}
	t := s.model.tables[r.Entity]
	for i, f := range r.Fields {
		sh.index[f.Name] = i
		sh.names = append(sh.names, append(jsjson.AppendString(nil, f.Name), ':'))
		sh.sent = append(sh.sent, f.Sent && (t == nil || !t.omits(f.Name)))
	}
	s.byNumber[number] = sh
	s.byContent[content] = sh
	return sh
}

// of returns the shape of a layout, kept durably if it is new.
func (s *Shapes) of(e Entity, l *layout) (*shape, error) {
	record := shapeRecord{Entity: e, Fields: l.fields}
	content, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode shape of %s: %w", e, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh, ok := s.byContent[string(content)]; ok {
		return sh, nil
	}
	number := uint32(len(s.byNumber))
	if err := s.save(number, content); err != nil {
		return nil, fmt.Errorf("keep shape of %s: %w", e, err)
	}
	record.Fields = slices.Clone(record.Fields)
	return s.put(number, record, string(content)), nil
}

func (s *Shapes) get(number uint32) (*shape, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh, ok := s.byNumber[number]
	return sh, ok
}

// sameColumn tells whether a column of one shape stands among the columns that both have as its namesake of the other
// does: Postgres never moves a column, so that one that has moved took another's name.
func (s *shape) sameColumn(own, f field, in *shape) bool {
	if s == in {
		return true
	}
	for _, a := range s.fields {
		for _, b := range in.fields {
			if a.Source == b.Source && (a.Place < own.Place) != (b.Place < f.Place) {
				return false
			}
		}
	}
	return true
}
