package deliver

import "sync"

// slots shares Options.MaxInFlight among the webhooks so that none starves. Nobody holds more than it asks for one
// by one; a slot beyond a webhook's first is given only while enough stay free for those that hold none (up to half
// of all, so that a thousand idle webhooks do not slow down a busy one). Who has to wait is served in turn.
type slots struct {
	mu      sync.Mutex
	max     int
	free    int
	without int // members that hold none
	waiting []*member
}

// member is one webhook's part in slots. Its fields are guarded by slots.mu.
type member struct {
	held    int
	granted int // held, but not picked up yet
	queued  bool
	wake    func() // must not block
}

func newSlots(n int) *slots { return &slots{max: n, free: n} }

func (s *slots) join(wake func()) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.without++
	return &member{wake: wake}
}

// acquire takes a slot, or registers m to be granted one and woken.
func (s *slots) acquire(m *member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.granted > 0 {
		m.granted--
		return true
	}
	if !m.queued && s.may(m) {
		s.take(m)
		return true
	}
	if !m.queued {
		m.queued = true
		s.waiting = append(s.waiting, m)
	}
	return false
}

// release gives back a slot.
func (s *slots) release(m *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.give(m)
	s.grant()
}

// leave gives back what was granted and not used, and ends the waiting.
func (s *slots) leave(m *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; m.granted > 0; m.granted-- {
		s.give(m)
	}
	if m.queued {
		m.queued = false
		for i, w := range s.waiting {
			if w == m {
				s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
				break
			}
		}
	}
	s.grant()
}

func (s *slots) grant() {
	for i := 0; i < len(s.waiting) && s.free > 0; {
		m := s.waiting[i]
		if !s.may(m) {
			i++
			continue
		}
		s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
		m.queued = false
		m.granted++
		s.take(m)
		m.wake()
	}
}

func (s *slots) may(m *member) bool {
	if m.held == 0 {
		return s.free > 0
	}
	return s.free > min(s.without, s.max/2)
}

func (s *slots) take(m *member) {
	if m.held == 0 {
		s.without--
	}
	m.held++
	s.free--
}

func (s *slots) give(m *member) {
	m.held--
	s.free++
	if m.held == 0 {
		s.without++
	}
}
