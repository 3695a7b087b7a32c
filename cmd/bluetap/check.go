package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"bluetap/internal/config"
	"bluetap/internal/daemon"
	"bluetap/internal/finding"
)

func checkCommand() *cobra.Command {
	var file string
	var offline, asJSON bool
	cmd := &cobra.Command{
		Use: "check --config FILE", Short: "Look at file, state and database, and say what a run would meet",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			show := showFindings
			if asJSON {
				show = showFindingsJSON
			}
			c, warnings, err := loadFile(file)
			found := configFindings(file, warnings, err)
			if err == nil && !offline {
				var all []finding.Finding
				all, err = daemon.Check(cmd.Context(), daemon.Options{Config: c, Version: version,
					Log: slog.New(slog.DiscardHandler)})
				found = append(found, all...)
			}
			for i := range found {
				found[i].Next = named(found[i].Next, cmd)
			}
			if err == nil || asJSON && file != "" { // the faults of a file go to stderr
				err = errors.Join(err, show(cmd.OutOrStdout(), found))
			}
			if n := finding.Count(found, finding.Error); err == nil && n > 0 {
				err = fmt.Errorf("check found %s", counted(n, "error"))
			}
			return err
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&offline, "offline", false, "look at the file only, and what it refers to")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// configFindings are those of the file itself.
func configFindings(file string, warnings []config.Warning, err error) []finding.Finding {
	var found []finding.Finding
	var faults *config.Faults
	if errors.As(err, &faults) {
		for _, f := range faults.List {
			found = append(found, finding.Fail(finding.Config, f.What, "").About(place(f)))
		}
	}
	for _, w := range warnings {
		found = append(found, finding.Warn(finding.Config, w.What, "").About(place(w)))
	}
	if len(found) == 0 {
		found = append(found, finding.Passed(finding.Config, file+" is valid"))
	}
	return found
}

// place is where a fault is.
func place(f config.Fault) string {
	if f.Path == "" {
		return fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Path)
}

// report is what check --json prints.
type report struct {
	Errors   int               `json:"errors"`
	Warnings int               `json:"warnings"`
	Findings []finding.Finding `json:"findings"`
}

func showFindingsJSON(w io.Writer, found []finding.Finding) error {
	return json.NewEncoder(w).Encode(report{Errors: finding.Count(found, finding.Error),
		Warnings: finding.Count(found, finding.Warning), Findings: found})
}

// showFindings prints a line a finding, and below it what mends it.
func showFindings(w io.Writer, found []finding.Finding) error {
	for _, f := range found {
		text := f.Text
		if f.Subject != "" {
			text = f.Subject + ": " + text
		}
		if _, err := fmt.Fprintf(w, "%-8s%-21s%s\n", f.Severity, f.Code, text); err != nil {
			return err
		}
		if f.Next == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%29snext: %s\n", "", f.Next); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s, %s\n", counted(finding.Count(found, finding.Error), "error"),
		counted(finding.Count(found, finding.Warning), "warning"))
	return err
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
