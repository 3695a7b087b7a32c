package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bluetap/deliver"
	"bluetap/mapping"
)

// healthKind is the kind of the one event that is about a webhook and not about a change.
const healthKind mapping.EventKind = "health"

// healthCheck describes it beside those of the event table.
var healthCheck = mapping.EventDescription{Event: deliver.HealthCheck, Kind: healthKind,
	When: "bluetap ping asks for it, and before a disabled webhook that was enabled again gets its queue"}

func eventsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "events", Short: "List the events: what fires each, and what it sends", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			events := append(mapping.Events(), healthCheck)
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(events)
			}
			return showEvents(cmd.OutOrStdout(), events)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON array")
	return cmd
}

func showEvents(w io.Writer, events []mapping.EventDescription) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "EVENT\tKIND\tSENDS\tWHEN\n")
	for _, e := range events {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", e.Event, e.Kind, orNone(e.Entity), e.When)
	}
	return t.Flush()
}
