package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"bluetap/capture"
	"bluetap/internal/daemon"
	"bluetap/internal/hint"
)

func teardownCommand() *cobra.Command {
	var file string
	var yes bool
	cmd := &cobra.Command{
		Use: "teardown --config FILE", Short: "Drop the slot and the publication, if bluetap is given up",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := load(file, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			t, err := daemon.OpenTeardown(cmd.Context(), daemon.Options{Config: c, Version: version,
				Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, t.Close()) }()
			return tearDown(cmd, t, yes)
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func tearDown(cmd *cobra.Command, t *daemon.Teardown, yes bool) error {
	out, db := cmd.OutOrStdout(), t.Config.Database
	if !t.Found.Slot && !t.Found.Publication {
		_, err := fmt.Fprintf(out, "database %s has neither slot %s nor publication %s: nothing to drop\n",
			t.Found.Source.Database, db.Slot, db.Publication)
		return err
	}
	if err := showLeftovers(out, t); err != nil {
		return err
	}
	if !yes {
		if err := confirm(cmd.Context(), cmd.InOrStdin(), out); err != nil {
			return err
		}
	}
	if err := t.Watch(cmd.Context()); err != nil {
		return err
	}
	err := t.Run(cmd.Context(), func(what string) error {
		_, err := fmt.Fprintln(out, "dropped", what)
		if err == nil && t.Known() && what == "slot "+db.Slot {
			_, err = fmt.Fprintf(out, "the state directory %s is of no use any more, and holds rows of the database: "+
				"remove it\n", t.Config.State.Dir)
		}
		return err
	})
	return err
}

func showLeftovers(w io.Writer, t *daemon.Teardown) error {
	found, db := t.Found, t.Config.Database
	text := fmt.Sprintf("in database %s of system %s:\n", found.Source.Database, found.Source.SystemID)
	if found.Slot {
		text += fmt.Sprintf("  slot %s, which keeps %s of log; what it has not told is never told then\n", db.Slot,
			capture.Size(found.Keeps))
	}
	switch {
	case !found.Publication:
	case len(found.Others) > 0:
		text += fmt.Sprintf("  (not publication %s, with which slot %s may be read)\n", db.Publication,
			strings.Join(found.Others, ", "))
	case !found.MayDrop:
		text += fmt.Sprintf("  (not publication %s, which belongs to %s)\n", db.Publication, found.Owner)
	default:
		text += fmt.Sprintf("  publication %s\n", db.Publication)
	}
	if found.Slot && !t.Known() {
		text += fmt.Sprintf("%s holds no state of this slot: it may be another bluetap's, and is watched for %s before "+
			"it is dropped\n", t.Config.State.Dir, capture.ReturnTime)
	}
	_, err := io.WriteString(w, text)
	return err
}

// errNotConfirmed says that the answer was not yes.
var errNotConfirmed = errors.New("nothing was dropped")

// confirm asks. A read from a terminal cannot be cut short: when ctx ends it is left behind, and ends with the process.
func confirm(ctx context.Context, in io.Reader, out io.Writer) error {
	if _, err := io.WriteString(out, "drop it? Type yes: "); err != nil {
		return err
	}
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil {
			line = ""
		}
		answer <- line
	}()
	select {
	case <-ctx.Done():
		return errNotConfirmed
	case line := <-answer:
		if strings.TrimSpace(line) != "yes" {
			return hint.New(errNotConfirmed, "answer yes, or add --yes")
		}
		return nil
	}
}
