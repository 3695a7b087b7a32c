// Command bluetap turns committed changes of Blue's Postgres database into signed webhooks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"bluetap/internal/config"
	"bluetap/internal/daemon"
	"bluetap/internal/hint"
)

// version is set by the build (-ldflags "-X main.version=…").
var version = "dev"

// The exit codes.
const (
	exitOK     = 0 // also after a stop by signal with requests still hanging: they are sent after the next start
	exitFailed = 1
	exitUsage  = 2 // wrong arguments, or a config that is invalid or unreadable
	exitForced = 3 // stopped by a second signal
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // which would end the process
	go func() {
		for range hangups {
			fmt.Fprintln(os.Stderr, "bluetap: this version does not reload its config: restart it")
		}
	}()
	go func() {
		<-signals
		cancel(daemon.ErrStop)
		<-signals
		fmt.Fprintln(os.Stderr, "bluetap: forced to stop")
		os.Exit(exitForced)
	}()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs the command line and returns the exit code. What went wrong goes to stderr as one line a fault, and
// where there is one, a last line with the next thing to do.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var faults *config.Faults
	var usage *usageError
	switch {
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, faults.Error())
	default:
		fmt.Fprintln(stderr, "bluetap: "+oneLine(err.Error()))
	}
	isUsage := errors.As(err, &usage)
	if isUsage {
		err = hint.Or(err, cmd.CommandPath()+" --help")
	}
	if next := hint.Of(err); next != "" {
		fmt.Fprintln(stderr, "next: "+named(next, cmd))
	}
	if faults != nil || isUsage {
		return exitUsage
	}
	return exitFailed
}

// named puts the config file of the command line into a command that is to be typed next.
func named(next string, cmd *cobra.Command) string {
	if f := cmd.Flags().Lookup("config"); f != nil && f.Value.String() != "" {
		return strings.ReplaceAll(next, "--config FILE", "--config "+f.Value.String())
	}
	return next
}

// oneLine joins what joined errors put on several lines.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// asUsage makes err a usage error. What it hints at unless it has a hint is the help of the command.
func asUsage(err error) error { return &usageError{err} }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "bluetap",
		Short:         "Turns committed changes of Blue's Postgres database into signed webhooks",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.Help(); err != nil {
				return err
			}
			return asUsage(errors.New("name a command"))
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return asUsage(err) })
	root.AddCommand(runCommand(), checkCommand(), setupCommand(), teardownCommand(), statusCommand(), pingCommand(),
		eventsCommand(), demoCommand(), versionCommand())
	return root
}

// usageArgs makes what an argument check finds a usage error. Of a command without further ones it tells the usage:
// cobra would call an argument too many an unknown command.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			if !cmd.HasSubCommands() {
				err = fmt.Errorf("wrong arguments: the usage is bluetap %s", cmd.Use)
			}
			return asUsage(err)
		}
		return nil
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "bluetap", version)
			return err
		},
	}
}
