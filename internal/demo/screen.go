//go:build unix

package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// screen writes lines for people, of up to 80 columns where it can choose.
type screen struct {
	out   io.Writer
	color bool
	err   error // the first write that failed; nothing is written after it
}

func (s *screen) line(format string, args ...any) {
	if s.err != nil {
		return
	}
	if _, err := fmt.Fprintf(s.out, format+"\n", args...); err != nil {
		s.err = fmt.Errorf("print: %w", err)
	}
}

func (s *screen) bold(text string) string  { return s.paint("1", text) }
func (s *screen) dim(text string) string   { return s.paint("2", text) }
func (s *screen) red(text string) string   { return s.paint("31", text) }
func (s *screen) green(text string) string { return s.paint("32", text) }
func (s *screen) cyan(text string) string  { return s.paint("36", text) }

func (s *screen) paint(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// stillEvery is how often a part that takes long says that it is still at work.
const stillEvery = 2 * time.Second

// part runs start and says what it has made and how long that took.
func (s *screen) part(name string, start func() (what string, err error)) error {
	type result struct {
		what string
		err  error
	}
	began, done := time.Now(), make(chan result, 1)
	go func() {
		what, err := start()
		done <- result{what, err}
	}()
	still := time.NewTicker(stillEvery)
	defer still.Stop()
	for {
		select {
		case r := <-done:
			if r.err == nil {
				s.line("  %s %s %s", padded(name, 13), r.what, s.dim(fmt.Sprintf("(%.1f s)", time.Since(began).Seconds())))
			}
			return r.err
		case <-still.C:
			s.line("  %s %s", padded(name, 13), s.dim(fmt.Sprintf("starting, %.0f s …", time.Since(began).Seconds())))
		}
	}
}

// step says what somebody in the team does.
func (s *screen) step(at, caption string) { s.line("%s", s.dim(at+" "+caption)) }

// delivery shows what arrived; wrong is what is wrong with it, or "".
func (s *screen) delivery(a arrival, wrong string) {
	mark := s.green("✓")
	if wrong != "" {
		mark = s.red("✗ " + wrong)
	}
	s.line("  %s %s %s %s %s", s.dim(a.at.Format("15:04:05")), s.cyan(padded(a.event, eventWidth)),
		padded(a.subject, 16), figure(millis(a.took)), mark)
}

// late shows what of a step did not arrive.
func (s *screen) late(events []string) {
	s.line("  %s", s.red(fmt.Sprintf("✗ not here after %s: %s", patience, strings.Join(events, ", "))))
}

// eventWidth is the length of the longest event's name.
const eventWidth = len("TODO_CHECKLIST_ITEM_DONE_STATUS_UPDATED")

// table shows what came of the day.
func (s *screen) table(t *tally) {
	s.line("")
	s.line("%s", s.bold(padded("EVENT", eventWidth)+" DELIVERED       P50       P99"))
	for _, event := range t.events() {
		took := slices.Sorted(slices.Values(t.took[event]))
		delivered := figure(fmt.Sprintf("%d/%d", len(took), t.want[event]))
		if len(took) < t.want[event] {
			delivered = s.red(delivered)
		}
		s.line("%s %s %s %s", padded(event, eventWidth), delivered, figure(millis(percentile(took, 50))),
			figure(millis(percentile(took, 99))))
	}
	whole, took := t.total()
	verdict := s.green("all verified")
	if t.err() != nil {
		verdict = s.red("not as it should be")
	}
	s.line("")
	s.line("%d of %d events, %d deliveries, %s, p50 %s, p99 %s", whole, len(t.want), len(took), verdict,
		millis(percentile(took, 50)), millis(percentile(took, 99)))
}

// goOn says what to do next.
func (s *screen) goOn(program string) {
	s.line("")
	s.line("Try SQL of your own      %s demo --keep", program)
	s.line("Use your own database    README.md, then %s run --config FILE", program)
	s.line("What each event sends    docs/events.md, or %s events", program)
}

// stays says what can be done while everything stays up.
func (s *screen) stays(psql, status string) {
	s.line("")
	s.line("%s Everything stays up until Ctrl-C. In another terminal:", s.bold("Your turn."))
	s.line("")
	s.line("  %s", psql)
	s.line("    UPDATE todos SET title = 'Landing page 2' WHERE id = 'landing';")
	s.line("  %s", status)
	s.line("")
	s.line("What you commit shows here:")
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// padded returns the text on one line in exactly so many columns, if each character takes one.
func padded(text string, width int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > width {
		text = string(runes[:width-1]) + "…"
	}
	return text + strings.Repeat(" ", width-utf8.RuneCountInString(text))
}

// figure right-aligns what stands in a column of figures.
func figure(text string) string { return fmt.Sprintf("%9s", text) }
