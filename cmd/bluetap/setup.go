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
				if err := daemon.Setup(cmd.Context(), options); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "publication %s is ready, and the role may read it\n",
					c.Database.Publication)
				return err
			}
			statements, err := daemon.SetupSQL(cmd.Context(), options)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.Join(statements, ";\n")+";")
			return err
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&printSQL, "print", false, "change nothing; print the SQL for a superuser or the tables' owner")
	return cmd
}
