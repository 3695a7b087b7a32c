//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"bluetap/internal/demo"
)

// demoPace is the pause after each step on a terminal: a day of some thirty steps then takes ten seconds.
const demoPace = 300 * time.Millisecond

func demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Show everything at once, on a throw-away Postgres", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find own program: %w", err)
			}
			// Whoever closes the terminal, or the pipe, ends the demo; nobody is left to end it otherwise.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
			defer stop()
			pipe := make(chan os.Signal, 1)
			signal.Notify(pipe, syscall.SIGPIPE) // so that writing fails and we can clean up, instead of being killed
			defer signal.Stop(pipe)
			out := cmd.OutOrStdout()
			o := demo.Options{Program: program, Called: os.Args[0], Version: version, Out: out, Color: knowsColor(out),
				Keep: keep}
			if isTerminal(out) {
				o.Pace = demoPace
			}
			return demo.Run(ctx, o)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave it running until interrupted, for SQL of your own")
	return cmd
}

// knowsColor heeds https://no-color.org.
func knowsColor(out io.Writer) bool {
	term := os.Getenv("TERM")
	return isTerminal(out) && os.Getenv("NO_COLOR") == "" && term != "" && term != "dumb"
}
