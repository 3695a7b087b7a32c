package mapping

// memo remembers, while one set of changes is mapped, what was found out about an owner: a thousand options of one
// field, or assignees of one todo, ask the same question. Forgetting costs time and changes nothing, so that what it
// holds is bounded. What it has of an owner is small, whatever the owner has, so that forgetting costs no more than
// that to learn again.
type memo struct {
	pairs   map[memoKey]*pairs
	values  map[string]*values // by todo
	size    int                // bytes that pairs and values take, roughly
	answers map[memoKey]answer
}

// memoSize is how many bytes of owners' rows, and of answers, a memo takes before it forgets them all, and memoEntry
// what a small entry takes.
const (
	memoSize  = 8 << 20
	memoEntry = 256
)

type memoKey struct {
	entity        Entity // of the rows asked about
	subject, pair string
}

// pairs are the pairs of one owner in the two states, each with the smallest key of its rows.
type pairs struct {
	owned         bool // the owner is there in both
	many          bool // the owner has too many pairs to be held
	before, after map[string]string
}

// values are the value rows of one todo in the two states, by custom field.
type values struct {
	owned         bool // the todo is there in both
	many          bool // the todo has too many values to be held
	before, after map[string][]*Row
}

// answer says whether a question about a pair or an owner is answered by an event, and which changed row says so.
type answer struct {
	fires   bool
	speaker Entity
	key     string
}

func newMemo() *memo {
	return &memo{pairs: map[memoKey]*pairs{}, values: map[string]*values{}, answers: map[memoKey]answer{}}
}

// take makes room for n more bytes of owners' rows.
func (m *memo) take(n int) {
	if m.size += n; m.size > memoSize {
		clear(m.pairs)
		clear(m.values)
		m.size = n
	}
}

// answer keeps an answer.
func (m *memo) answer(key memoKey, a answer) {
	if len(m.answers) >= memoSize/memoEntry {
		clear(m.answers)
	}
	m.answers[key] = a
}
