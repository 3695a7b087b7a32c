package store

// QueueLimit bounds the queue of one webhook. What counts is Stats.Bytes and Stats.DeadBytes: the events that are
// pending for it and its dead letters, each in full, although an event that several webhooks have is stored once. So a
// webhook's limit means the same whatever the others do. The zero QueueLimit is none.
type QueueLimit struct {
	Bytes uint64 // at which the queue is full; it takes the event that reaches it; 0: never
	// Keep says that a full queue goes on to take events: it is for the caller to stop, who asks QueueFull. False
	// means that they become a Gap.
	Keep bool
}

// roomPercent is how much of its limit a queue that was full may hold when it has room again.
const roomPercent = 80

// LimitQueue sets the limit of a webhook's queue. It must be called before the first Begin.
func (s *Store) LimitQueue(w uint32, limit QueueLimit) {
	q := s.queue(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit = limit
}

// QueueFull tells whether a webhook's queue has reached its limit.
func (s *Store) QueueFull(w uint32) bool {
	q := s.queue(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full(0)
}

// QueueRoom tells whether a webhook's queue that was full has room again: it holds less than 80 % of its limit.
func (s *Store) QueueRoom(w uint32) bool {
	q := s.queue(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.room()
}

// QueueBytes returns what counts towards a webhook's limit: Stats.Bytes and Stats.DeadBytes.
func (s *Store) QueueBytes(w uint32) (pending, dead uint64) {
	q := s.queue(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.counts.Bytes, q.counts.DeadBytes
}

// full tells whether the queue, with more bytes beside those that it is known to hold, has reached its limit. The
// caller holds mu, here and below.
func (q *queue) full(more uint64) bool {
	return q.limit.Bytes > 0 && q.counts.Bytes+q.counts.DeadBytes+more >= q.limit.Bytes
}

func (q *queue) room() bool {
	return q.limit.Bytes == 0 || q.counts.Bytes+q.counts.DeadBytes < q.limit.Bytes/100*roomPercent
}

// How full the disk may become before reading is to stop, and how empty again before it goes on, in percent of
// Options.MaxBytes.
const (
	fullPercent  = 90
	emptyPercent = 80
)

// Full tells whether the store, with further bytes that the caller has on the same disk, takes 90 % of
// Options.MaxBytes or more.
func (s *Store) Full(beside uint64) (bool, error) {
	size, err := s.willTake()
	return size+beside >= s.opts.MaxBytes/100*fullPercent, err
}

// Room tells whether the store takes less than 80 % of Options.MaxBytes, in the same terms as Full.
func (s *Store) Room(beside uint64) (bool, error) {
	size, err := s.willTake()
	return size+beside < s.opts.MaxBytes/100*emptyPercent, err
}

// willTake returns what the store takes on disk together with what is in memory: that comes to the disk when nothing
// new is written, too, and Pebble keeps the files of the log to use them again.
func (s *Store) willTake() (uint64, error) {
	if err := s.fault.get(); err != nil {
		return 0, err
	}
	m := s.db.Metrics()
	return m.DiskSpaceUsage() + m.MemTable.Size, nil
}

// Written returns the bytes of all writes since Open, whichever way they took.
func (s *Store) Written() uint64 { return s.written.Load() }
