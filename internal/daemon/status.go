package daemon

import (
	"cmp"
	"context"

	"bluetap/capture"
	"bluetap/deliver"
	"bluetap/internal/config"
	"bluetap/internal/control"
	"bluetap/internal/store"
)

// status is what `bluetap status` shows of the running daemon.
func (d *daemon) status() (control.Status, error) {
	s, err := stateStatus(d.store, d.Config)
	if err != nil {
		return s, err
	}
	s.Version, s.Running, s.StartedAt = d.Version, true, &d.started
	p := d.parts.Load()
	if p == nil { // still starting: waiting for the database, or copying the first snapshot
		s.Webhooks, err = keptWebhooks(d.store, d.Config)
		return s, err
	}
	stream := p.stream.Status()
	s.Source.Connected = stream.Connected
	if stream.LastError != nil && !stream.Connected {
		s.Source.LastError = stream.LastError.Error()
	}
	s.Position.Received, s.Position.Confirmed = stream.Received.String(), stream.Confirmed.String()
	s.Source.Paused = cmp.Or(p.pipeline.busy(), p.limits.paused())
	s.Unrouted = p.pipeline.unrouted.Load()
	if divergences := p.pipeline.divergences.Load(); divergences != nil {
		s.Divergences = *divergences
	}
	s.Webhooks, err = webhookStatuses(p.deliverer)
	counts := p.pipeline.ifFailures.byID()
	for i := range s.Webhooks {
		s.Webhooks[i].IfFailures = counts[s.Webhooks[i].ID]
	}
	return s, err
}

// StateStatus reads what can be told while no daemon is running.
func StateStatus(ctx context.Context, c *config.Config, version string) (control.Status, error) {
	st, err := unlocked(ctx, func() (*store.Store, error) {
		return store.OpenReadOnly(c.State.Dir, store.Options{})
	})
	if err != nil {
		return control.Status{}, err
	}
	s, err := stateStatus(st, c)
	s.Version = version
	if err == nil {
		s.Webhooks, err = keptWebhooks(st, c)
	}
	if closeErr := st.Close(); err == nil {
		err = closeErr
	}
	return s, err
}

// stateStatus is the part of a status that the state holds.
func stateStatus(st *store.Store, c *config.Config) (control.Status, error) {
	state := st.State()
	size, err := st.Size()
	return control.Status{
		State: control.State{Bytes: size, MaxBytes: uint64(c.State.MaxSize)},
		Source: control.Source{Database: state.Source.Database, SystemID: state.Source.SystemID,
			Slot: state.Source.SlotName, Publication: state.Source.Publication,
			Snapshot: state.Snapshot, Epoch: state.Epoch},
		Position: control.Position{Applied: capture.LSN(st.Applied()).String(),
			Stored: capture.LSN(st.Synced()).String()},
		Divergences: map[string]int{},
	}, err
}

// keptWebhooks tells of webhooks while nothing is delivered to them.
func keptWebhooks(st *store.Store, c *config.Config) ([]control.Webhook, error) {
	d := deliver.New(st, knownReceivers(st, c), deliver.Options{})
	if err := d.Peek(); err != nil {
		return nil, err
	}
	return webhookStatuses(d)
}

func webhookStatuses(d *deliver.Deliverer) ([]control.Webhook, error) {
	statuses, err := d.Status()
	if err != nil {
		return nil, err
	}
	webhooks := make([]control.Webhook, len(statuses))
	for i, w := range statuses {
		webhooks[i] = control.Webhook{ID: w.ID, Health: string(w.Health), Pending: w.Pending, Dead: w.Dead,
			Delivered: w.Delivered, Bytes: w.Bytes, Gaps: gaps(w.Gaps), LastError: w.LastError}
		if !w.OldestPending.IsZero() {
			webhooks[i].OldestPending = &w.OldestPending
		}
	}
	return webhooks, nil
}

func gaps(missed []store.Gap) []control.Gap {
	out := make([]control.Gap, len(missed))
	for i, g := range missed {
		out[i] = control.Gap{From: g.Since, To: g.Until, FromPosition: capture.LSN(g.From).String(),
			ToPosition: capture.LSN(g.To).String(), Count: g.Count, Events: g.Events}
		if !g.Ended.IsZero() {
			out[i].EndedAt = &g.Ended
		}
	}
	return out
}
