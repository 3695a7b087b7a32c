package mapping

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// mapped folds a transaction, finds its events and composes them.
func (w *world) mapped(b *testing.B, texts iter.Seq[string], compose bool) {
	b.Helper()
	w.end++
	after := w.store.NewOverlay(256 << 20)
	if err := w.mapper.Net(after, w.changes(texts), func(int) error { return nil }); err != nil {
		b.Fatal(err)
	}
	var values []byte
	for e, err := range w.mapper.Map(after.Before(), after, after.Changes(), func(Entity) error { return nil }) {
		if err == nil && compose {
			values, err = e.AppendValues(values[:0])
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	batch, err := w.store.Begin(after, w.end, time.Unix(0, 0))
	if err == nil {
		err = batch.Commit()
	}
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSmall maps transactions of one row each, about a todo with a few of everything.
func BenchmarkSmall(b *testing.B) {
	w := newWorld(b)
	w.mapped(b, lines(someWork), false)
	w.mapped(b, many(5, "+todo_tags id=b%[1]d todo_id=t1 tag_id=b%[1]d"), false)
	w.mapped(b, many(5, "+todo_users id=b%[1]d todo_id=t1 user_id=b%[1]d"), false)
	w.mapped(b, many(5, "+todo_custom_fields id=b%[1]d number=1 todo_id=t1 custom_field_id=b%[1]d"), false)
	for n := range b.N {
		for _, text := range []string{
			"+todo_users id=bench todo_id=t1 user_id=bench", "-todo_users id=bench",
			fmt.Sprintf("~todo_custom_fields id=b1 number=%d todo_id=t1 custom_field_id=b1", n+2),
			fmt.Sprintf("~todos id=t1 title=T%d todo_list_id=backlog", n),
		} {
			w.mapped(b, slices.Values([]string{text}), true)
		}
	}
}

// BenchmarkImport maps a transaction that gives 1,000 todos 20 tags each, in no order.
func BenchmarkImport(b *testing.B) {
	var texts []string
	for todo := range 1000 {
		for tag := range 20 {
			texts = append(texts, fmt.Sprintf("+todo_tags id=%dx%d todo_id=k%d tag_id=g%d", todo, tag, todo, tag))
		}
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	for range b.N {
		w := newWorld(b)
		w.mapped(b, lines(someWork), false)
		w.mapped(b, many(1000, "+todos id=k%d title=T todo_list_id=backlog"), false)
		w.mapped(b, slices.Values(texts), false)
	}
}
