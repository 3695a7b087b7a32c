package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"bluetap/internal/config"
	"bluetap/internal/control"
	"bluetap/internal/daemon"
	"bluetap/mapping"
)

func runCommand() *cobra.Command {
	var file, level string
	cmd := &cobra.Command{
		Use: "run --config FILE", Short: "Stream, map and deliver until SIGTERM or SIGINT", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(cmd.ErrOrStderr(), level)
			if err != nil {
				return err
			}
			c, err := load(file, log)
			if err != nil {
				return err
			}
			limitMemory()
			return daemon.Run(cmd.Context(), daemon.Options{Config: c, Version: version, Log: log})
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return cmd
}

// memoryLimit is where the garbage collector begins to work harder: beside a database memory is worth more than the
// processor time that it takes.
const memoryLimit = 176 << 20

// limitMemory sets memoryLimit, unless the operator has set GOMEMLIMIT.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "the YAML file (required)")
}

// loadFile reads the config.
func loadFile(file string) (*config.Config, []config.Warning, error) {
	if file == "" {
		return nil, nil, asUsage(errors.New("--config FILE is required"))
	}
	return config.Load(file, config.Options{Env: os.LookupEnv, Events: mapping.EventTypes(),
		Extensions: mapping.ExtensionTypes(), Records: mapping.RecordTypes(), FilterEvents: mapping.FilterEvents(),
		CheckExpression: mapping.CheckExpression, CheckStateDir: control.CheckPath, Entities: mapping.Entities()})
}

// load reads the config and logs its warnings.
func load(file string, log *slog.Logger) (*config.Config, error) {
	c, warnings, err := loadFile(file)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		log.Warn("config", "warning", w.String())
	}
	return c, nil
}

// newLog logs text to a terminal and JSON to anything else.
func newLog(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, asUsage(fmt.Errorf("--log-level %q: must be debug, info, warn or error", level))
	}
	options := &slog.HandlerOptions{Level: l}
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)), nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
