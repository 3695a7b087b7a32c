package daemon

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"bluetap/deliver"
	"bluetap/internal/config"
	"bluetap/internal/control"
	"bluetap/internal/hint"
	"bluetap/internal/store"
)

// Ping sends a health check to one of the config's webhooks, exactly as events are sent to it. It needs neither the
// database nor a running daemon.
func Ping(ctx context.Context, o Options, w config.Webhook) deliver.Ping {
	return deliver.SendPing(ctx, receiver(0, w), deliver.Options{Version: o.Version,
		AllowedNetworks: o.Config.Delivery.AllowedNetworks})
}

// Revive makes a webhook go on whose receiver once answered 410, and reports whether it was GONE: through the daemon
// that runs, else in the state directory. For one that is disabled it is deliver.ErrDisabled.
func Revive(ctx context.Context, o Options, w config.Webhook) (wasGone bool, err error) {
	if !w.Enabled {
		return false, hint.New(deliver.ErrDisabled, "set enabled: true in the file and restart the daemon")
	}
	revived, err := control.AskRevive(ctx, o.Config.State.Dir, w.ID)
	if !errors.Is(err, control.ErrNotRunning) {
		return revived.WasGone, err
	}
	if _, err := os.Stat(o.Config.State.Dir); errors.Is(err, fs.ErrNotExist) {
		return false, nil // there never was a daemon
	}
	st, err := unlocked(ctx, func() (*store.Store, error) {
		return store.Open(o.Config.State.Dir, store.Options{})
	})
	if err != nil {
		return false, err
	}
	wasGone, err = deliver.New(st, knownReceivers(st, o.Config), deliver.Options{Log: o.Log}).ReviveStopped(w.ID)
	if errors.Is(err, deliver.ErrUnknownWebhook) {
		err = nil // the daemon has not run with it yet
	}
	return wasGone, errors.Join(err, st.Close())
}

func (d *daemon) revive(ctx context.Context, id string) (control.Revived, error) {
	p := d.parts.Load()
	if p == nil {
		return control.Revived{}, errors.New("bluetap is still starting: try again when it streams")
	}
	wasGone, err := p.deliverer.Revive(ctx, id)
	return control.Revived{WasGone: wasGone}, err
}
