//go:build unix

package soak

import (
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// killed tells whether a process that is gone was killed, and did not end by itself.
func (p *process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// excuse allows the process to give up for a while, for that reason alone.
func (p *process) excuse(reason syscall.Errno) {
	p.excuses[reason.Error()] = time.Now().Add(excusedFor)
}

// gaveUp tells whether the process has ended in an orderly way, had a reason to, and said it.
func (p *process) gaveUp() bool {
	if p.cmd.ProcessState.ExitCode() != 1 {
		return false
	}
	said := p.log.end()
	for reason, until := range p.excuses {
		if p.endedAt.Before(until) && gives(said, reason) {
			return true
		}
	}
	return false
}

// gives tells whether the last words of a process give that reason. On a full disk a large transaction that is under
// way adds what it would have needed, or is refused before it fails, and then it must have needed more than was free.
func gives(said, reason string) bool {
	const needs = `a large transaction needs .*`
	if regexp.MustCompile(": " + regexp.QuoteMeta(reason) + "(: " + needs + ")?\nnext: ").MatchString(said) {
		return true
	}
	refused := regexp.MustCompile(`: a large transaction needs about (\d+) more bytes in .*, and (\d+) are free\nnext: `)
	figures := refused.FindStringSubmatch(said)
	if reason != syscall.ENOSPC.Error() || figures == nil {
		return false
	}
	need, err1 := strconv.ParseUint(figures[1], 10, 64)
	free, err2 := strconv.ParseUint(figures[2], 10, 64)
	return err1 == nil && err2 == nil && need > free
}
