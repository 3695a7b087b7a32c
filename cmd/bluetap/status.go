package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bluetap/capture"
	"bluetap/internal/config"
	"bluetap/internal/control"
	"bluetap/internal/daemon"
)

// watchEvery is how often status --watch asks.
const watchEvery = time.Second

func statusCommand() *cobra.Command {
	var file string
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use: "status --config FILE", Short: "Show positions, queues and health", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(file, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			show := showText
			if asJSON {
				show = showJSON
			}
			for {
				status, err := currentStatus(cmd.Context(), c)
				if err != nil {
					return err
				}
				if err := show(cmd.OutOrStdout(), status); err != nil || !watch {
					return err
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(watchEvery):
				}
			}
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().BoolVar(&watch, "watch", false, "again every second, until interrupted")
	return cmd
}

// currentStatus asks the running daemon, or reads the state if none is running.
func currentStatus(ctx context.Context, c *config.Config) (control.Status, error) {
	status, err := control.AskStatus(ctx, c.State.Dir)
	if errors.Is(err, control.ErrNotRunning) {
		return daemon.StateStatus(ctx, c, version)
	}
	return status, err
}

func showJSON(w io.Writer, s control.Status) error { return json.NewEncoder(w).Encode(s) }

func showText(w io.Writer, s control.Status) error {
	running := "not running"
	switch {
	case s.Running && s.Source.Connected:
		running = "streaming"
	case s.Running:
		running = "not connected"
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "daemon\t%s\n", running)
	if s.Source.LastError != "" {
		fmt.Fprintf(t, "last error\t%s\n", s.Source.LastError)
	}
	fmt.Fprintf(t, "source\tdatabase %s, slot %s, publication %s, snapshot %s\n",
		orNone(s.Source.Database), orNone(s.Source.Slot), orNone(s.Source.Publication), orNone(s.Source.Snapshot))
	fmt.Fprintf(t, "position\treceived %s, applied %s, stored %s, confirmed %s\n", orNone(s.Position.Received),
		s.Position.Applied, s.Position.Stored, orNone(s.Position.Confirmed))
	fmt.Fprintf(t, "state\t%s of %s\n", capture.Size(int64(s.State.Bytes)), capture.Size(int64(s.State.MaxBytes)))
	if s.Source.Paused != "" {
		fmt.Fprintf(t, "paused\treading has stopped: %s\n", s.Source.Paused)
	}
	for table, count := range s.Divergences {
		fmt.Fprintf(t, "diverged\t%s, %d times\n", table, count)
	}
	for _, h := range s.Webhooks {
		if h.IfFailures > 0 {
			fmt.Fprintf(t, "if failed\t%s, %d times; the events are delivered\n", h.ID, h.IfFailures)
		}
	}
	for _, h := range s.Webhooks {
		for _, g := range h.Gaps {
			fmt.Fprintf(t, "gap\t%s, %s\n", h.ID, gapText(g))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return showWebhooks(w, s.Webhooks)
}

// gapText tells what a queue did not take while it was full.
func gapText(g control.Gap) string {
	var counts []string
	for _, event := range slices.Sorted(maps.Keys(g.Events)) {
		counts = append(counts, fmt.Sprintf("%s %d", event, g.Events[event]))
	}
	ended := "until there is room"
	if g.EndedAt != nil {
		ended = "room again at " + g.EndedAt.Format(time.RFC3339)
	}
	return fmt.Sprintf("%d events from %s to %s not kept (%s), %s", g.Count, g.From.Format(time.RFC3339),
		g.To.Format(time.RFC3339), strings.Join(counts, ", "), ended)
}

func showWebhooks(w io.Writer, webhooks []control.Webhook) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\nWEBHOOK\tHEALTH\tPENDING\tDEAD\tDELIVERED\tOLDEST PENDING\tLAST ERROR\n")
	for _, h := range webhooks {
		oldest := "-"
		if h.OldestPending != nil {
			oldest = h.OldestPending.Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n", h.ID, h.Health, h.Pending, h.Dead, h.Delivered, oldest,
			orNone(h.LastError))
	}
	return t.Flush()
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
