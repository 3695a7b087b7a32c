package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// field is a key of a section. A nil read is a key of the design that this version does not honour yet.
type field[T any] struct {
	name string
	read func(into *T, v value)
}

// The tables below are the file's whole vocabulary. Their order is the order of reading, whatever the file's.
var (
	configFields = []field[Config]{
		{"database", readDatabase},
		{"state", func(c *Config, v value) { decode(v, stateFields, &c.State, "dir") }},
		{"resync", nil},
		{"delivery", func(c *Config, v value) { decode(v, deliveryFields, &c.Delivery) }},
		{"control", nil},
		{"webhooks", readWebhooks}, // after delivery, from which they inherit
	}
	databaseFields = []field[Database]{
		{"url", readDatabaseURL},
		{"schema", func(d *Database, v value) { v.identifier(&d.Schema) }},
		{"slot", readSlot},
		{"publication", func(d *Database, v value) { v.identifier(&d.Publication) }},
		{"tables", readTables},
	}
	tableFields = []field[Table]{
		{"table", func(t *Table, v value) { v.identifier(&t.Table) }},
		{"columns", readColumns},
		{"omit", func(t *Table, v value) { v.strs(&t.Omit) }},
		{"enabled", func(t *Table, v value) { v.boolean(&t.Enabled) }},
	}
	stateFields = []field[State]{
		{"dir", readStateDir},
		{"maxSize", func(s *State, v value) { v.bytes(&s.MaxSize, leastState) }},
		{"retention", func(s *State, v value) { v.lasting(&s.Retention) }},
	}
	deliveryFields = append([]field[Delivery]{
		{"maxInFlight", func(d *Delivery, v value) { v.integer(&d.MaxInFlight, 1, 1_000_000) }},
		{"allowedNetworks", readNetworks},
		{"whenFull", readWhenFull},
	}, lift(policyFields, func(d *Delivery) *Policy { return &d.Policy })...)
	policyFields = []field[Policy]{
		{"timeout", func(p *Policy, v value) { v.duration(&p.Timeout, 100*time.Millisecond, 5*time.Minute) }},
		{"concurrency", func(p *Policy, v value) { v.integer(&p.Concurrency, 1, 1024) }},
		{"rateLimit", nil},
		{"retry", func(p *Policy, v value) { decode(v, retryFields, &p.Retry) }},
		{"maxQueue", func(p *Policy, v value) { v.bytes(&p.MaxQueue, leastQueue) }},
		{"deadLetterRetention", func(p *Policy, v value) { v.lasting(&p.DeadLetterRetention) }},
	}
	retryFields = []field[Retry]{
		{"schedule", readSchedule},
		{"maxAge", func(r *Retry, v value) { v.lasting(&r.MaxAge) }},
	}
)

// lift makes the keys of a part keys of the whole.
func lift[W, P any](fields []field[P], part func(*W) *P) []field[W] {
	lifted := make([]field[W], len(fields))
	for i, f := range fields {
		lifted[i].name = f.name
		if f.read != nil {
			lifted[i].read = func(into *W, v value) { f.read(part(into), v) }
		}
	}
	return lifted
}

// decode reads the mapping v into *into, reports the required keys that it lacks, and returns the values that it
// holds by key; nil, after a fault, if it is no mapping.
func decode[T any](v value, fields []field[T], into *T, required ...string) map[string]value {
	entries, ok := v.mapping()
	if !ok {
		return nil
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	given := map[string]value{}
	for _, e := range entries {
		given[e.name] = e.val
		if !slices.Contains(names, e.name) {
			e.val.faultAtKey("unknown key%s", suggest(e.name, names))
		}
	}
	for _, f := range fields {
		if val, ok := given[f.name]; ok && f.read != nil {
			f.read(into, val)
		} else if ok {
			val.faultAtKey("is not supported by this version; take it out")
		}
	}
	for _, name := range required {
		if _, ok := given[name]; !ok {
			v.missing(name)
		}
	}
	return given
}

// readConfig reads the whole file. A section that is left out is read as an empty one, so that what is required of
// it is asked for.
func readConfig(c *Config, root value) {
	given := decode(root, configFields, c)
	if given == nil {
		return
	}
	for _, f := range configFields {
		if _, ok := given[f.name]; !ok && f.read != nil {
			f.read(c, root.absent(f.name))
		}
	}
}

func readDatabase(c *Config, v value) {
	given := decode(v, databaseFields, &c.Database)
	c.Database.place.put(v, given)
	if given != nil && c.Database.URL.Reveal() == "" {
		checkEnvironment(given["url"], v)
	}
}

func readSlot(d *Database, v value) {
	var name string
	if !v.str(&name) {
		return
	}
	odd := func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if len(name) > 63 || strings.ContainsFunc(name, odd) {
		v.fault("must be 1 to 63 of the characters a-z, 0-9 and _")
		return
	}
	d.Slot = name
}

func readTables(d *Database, v value) {
	d.Tables = map[string]Table{}
	entries, _ := v.mapping()
	for _, e := range entries {
		if known := v.in.opts.Entities; known != nil && !slices.Contains(known, e.name) {
			e.val.faultAtKey("unknown entity%s", suggest(e.name, known))
			continue
		}
		table := newTable()
		put(&d.place.keys, "tables."+e.name, e.val.key)
		for name, val := range decode(e.val, tableFields, &table) {
			put(&d.place.keys, "tables."+e.name+"."+name, val.key)
		}
		d.Tables[e.name] = table
	}
}

func readColumns(t *Table, v value) {
	t.Columns = map[string]string{}
	entries, _ := v.mapping()
	for _, e := range entries {
		var column string
		e.val.identifier(&column)
		t.Columns[e.name] = column
	}
}

func readStateDir(s *State, v value) {
	var dir string
	if !v.str(&dir) {
		return
	}
	s.Dir = v.in.abs(dir)
	if check := v.in.opts.CheckStateDir; check != nil {
		if err := check(s.Dir); err != nil {
			v.fault("%s", err)
		}
	}
}

func readNetworks(d *Delivery, v value) {
	entries, _ := v.list()
	d.AllowedNetworks = make([]netip.Prefix, 0, len(entries))
	for _, e := range entries {
		var text string
		if !e.str(&text) {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			e.fault("must be a network such as 10.0.0.0/8, 127.0.0.1/32 or fd00::/8")
			continue
		}
		d.AllowedNetworks = append(d.AllowedNetworks, prefix.Masked())
	}
}

func readWhenFull(d *Delivery, v value) {
	var name string
	if !v.str(&name) {
		return
	}
	if known := []string{WhenFullOverflow, WhenFullPause}; !slices.Contains(known, name) {
		v.fault("must be overflow or pause%s", suggest(name, known))
		return
	}
	d.WhenFull = name
}

func readSchedule(r *Retry, v value) {
	if v.isNull() {
		v.fault("has no value; [] is a single attempt")
		return
	}
	entries, _ := v.list()
	if len(entries) > 50 {
		v.fault("must have at most 50 entries")
		return
	}
	r.Schedule = make([]time.Duration, len(entries))
	for i, e := range entries {
		e.duration(&r.Schedule[i], 0, longest)
	}
}
