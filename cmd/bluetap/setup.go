package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"bluetap/internal/daemon"
)

func setupCommand() *cobra.Command {
	var file string
	var printSQL bool
	cmd := &cobra.Command{
		Use: "setup --config FILE", Short: "Make the publication, or print its SQL and the grants for a DBA",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(cmd.ErrOrStderr(), "warn")
			if err != nil {
				return err
			}
			c, err := load(file, log)
			if err != nil {
				return err
			}
			options := daemon.Options{Config: c, Version: version, Log: log}
			if !printSQL {
				return setUp(cmd, options)
			}
			statements, err := daemon.SetupSQL(cmd.Context(), options)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "BEGIN;\n"+strings.Join(statements, ";\n")+";\nCOMMIT;")
			return err
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&printSQL, "print", false, "change nothing; print the SQL for a superuser")
	return cmd
}

func setUp(cmd *cobra.Command, o daemon.Options) error {
	whole, err := daemon.Setup(cmd.Context(), o)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if len(whole) > 0 {
		_, err = fmt.Fprintf(out, "publication %s sends all columns of %s; what is not mirrored is dropped as it arrives "+
			"(made anew by setup, before a first run, it would stay on the server)\n", o.Config.Database.Publication,
			strings.Join(whole, ", "))
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "publication %s is ready, and the role may read it\n", o.Config.Database.Publication)
	}
	return err
}
