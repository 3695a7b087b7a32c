package store

// share is what some changes take in a scratch range.
type share struct {
	bytes int64 // before compression
	rows  int   // that differ from what they were
}

// add counts what has come to lie there in place of was.
func (s *share) add(now, was share) {
	s.bytes += now.bytes - was.bytes
	s.rows += now.rows - was.rows
}

// share is that of one change: both states, and a copy of the second for each reference that it has.
func (c Change) share() share {
	s := share{bytes: int64(len(c.Key))}
	if !same(c.Before, c.After) {
		s.rows = 1
	}
	for _, r := range []*Row{c.Before, c.After} {
		if r == nil {
			continue
		}
		s.bytes += int64(len(r.Value))
		for _, ref := range r.Refs {
			s.bytes += int64(len(ref.Parent))
		}
	}
	if c.After == nil {
		return s
	}
	for _, ref := range c.After.Refs {
		s.bytes += int64(len(ref.Parent) + len(c.Key) + len(c.After.Value))
	}
	return s
}

func (c *change) of(id rowID) Change {
	return Change{Table: id.table, Key: id.key, Before: c.before, After: c.after}
}

// pending returns how much Bytes will grow by what is still in memory.
func (o *Overlay) pending() int64 {
	var n int64
	for id, c := range o.changes {
		n += c.of(id).share().bytes - c.lying.bytes
	}
	return n
}

// Bytes returns how many bytes of changes lie on disk, before compression.
func (o *Overlay) Bytes() int64 {
	var n int64
	for _, s := range o.lying {
		n += s.bytes
	}
	return n
}

// Differing returns, by table, how many rows Changes will yield. It takes a look at every change that is in memory.
func (o *Overlay) Differing() (rows [256]int) {
	for table, s := range o.lying {
		rows[table] = s.rows
	}
	for id, c := range o.changes {
		rows[id.table] += c.of(id).share().rows - c.lying.rows
	}
	return rows
}

// Kept is what the events of a transaction take so far.
type Kept struct {
	Bytes int64 // of the events, before compression
	Disk  int64 // with their entries in the queues, about as they are on disk
}

// Kept returns what the events added so far take; after Resume, if it is asked before the first Add, with those of
// before.
func (t *Tx) Kept() Kept {
	if t.added == 0 && t.kept.Bytes == 0 {
		t.kept = t.keptBefore()
	}
	k := t.kept
	k.Disk += compressed(t.batch.Len()) + t.events.kept + int64(t.events.gather)
	if t.events.w != nil {
		k.Disk += int64(t.events.w.Raw().EstimatedSize())
	}
	return k
}

// compressed is about what so many bytes of a batch come to once they are in tables.
func compressed(bytes int) int64 {
	const percent = 60
	return int64(bytes) * percent / 100
}

// keptBefore is what is there of events after Resume. One that several webhooks have is stored once.
func (t *Tx) keptBefore() (k Kept) {
	for _, c := range t.queued {
		k.Bytes = max(k.Bytes, int64(c.bytes))
	}
	if k.Bytes > 0 {
		k.Disk = t.store.diskUsage(eventKey(t.store.visible.Load()), after([]byte{spaceEvent}))
	}
	return k
}

// Overflowed returns the webhooks whose queues this transaction has filled: they do not get the rest of its events.
func (t *Tx) Overflowed() []uint32 {
	var webhooks []uint32
	for w := range t.gaps {
		if !t.store.Overflowed(w) {
			webhooks = append(webhooks, w)
		}
	}
	return webhooks
}

// diskUsage returns about how much a range of keys takes on disk, but for what has come lately.
func (s *Store) diskUsage(from, to []byte) int64 {
	n, err := s.db.EstimateDiskUsage(from, to)
	if err != nil {
		return 0 // it is for an estimate alone
	}
	return int64(n)
}
