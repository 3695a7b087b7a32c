//go:build unix && !linux

package soak

import (
	"errors"
	"os/exec"
	"sync/atomic"
)

// Launch does nothing: only Linux lets one process answer another's system calls.
func Launch() {}

type supervisor struct {
	failing, failed, vital atomic.Int64
	begun                  atomic.Bool
	clock                  atomic.Pointer[clock]
	ended                  chan struct{}
}

type clock struct{}

func (*clock) set(int64) error { return errors.ErrUnsupported }

func supervise(*exec.Cmd) (*supervisor, error) { return nil, errors.ErrUnsupported }

func (s *supervisor) run(*exec.Cmd) { close(s.ended) }

func (s *supervisor) abandon(*exec.Cmd) {}
