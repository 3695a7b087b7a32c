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
	"bluetap/internal/config"
	"bluetap/internal/daemon"
	"bluetap/internal/hint"
)

func teardownCommand() *cobra.Command {
	var file string
	var yes bool
	cmd := &cobra.Command{
		Use: "teardown --config FILE", Short: "Drop the slot and the publication, if bluetap is given up",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(file, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			options := daemon.Options{Config: c, Version: version, Log: slog.New(slog.DiscardHandler)}
			found, err := daemon.Leftovers(cmd.Context(), options)
			if err != nil {
				return err
			}
			if !found.Slot && !found.Publication {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "database %s has neither slot %s nor publication %s: nothing to drop\n",
					found.Source.Database, c.Database.Slot, c.Database.Publication)
				return err
			}
			if err := showLeftovers(cmd.OutOrStdout(), c, found); err != nil {
				return err
			}
			if !yes {
				if err := confirm(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout()); err != nil {
					return err
				}
			}
			return tearDown(cmd, options, found)
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func showLeftovers(w io.Writer, c *config.Config, found capture.Leftovers) error {
	text := fmt.Sprintf("in database %s of system %s:\n", found.Source.Database, found.Source.SystemID)
	if found.Slot {
		text += fmt.Sprintf("  slot %s, which keeps %s of log; what it has not told is never told then\n", c.Database.Slot,
			capture.Size(found.Keeps))
	}
	if found.Publication {
		text += fmt.Sprintf("  publication %s\n", c.Database.Publication)
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

func tearDown(cmd *cobra.Command, o daemon.Options, found capture.Leftovers) error {
	out := cmd.OutOrStdout()
	err := daemon.Teardown(cmd.Context(), o, found, func(what string) error {
		_, err := fmt.Fprintln(out, "dropped", what)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "the state directory %s is of no use any more, and holds rows of the database: remove it\n",
		o.Config.State.Dir)
	return err
}
