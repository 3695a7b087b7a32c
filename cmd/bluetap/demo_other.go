//go:build !unix

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Show everything at once (on Unix only)", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return errors.New("the demo runs on Unix only") },
	}
}
