//go:build unix

// Package child starts processes that end with the one that started them.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts cmd in a process group of its own: a Ctrl-C in the terminal is for this process, which then stops the
// child in an orderly way. When this process dies, however it dies, the child gets the signal atDeath; only Linux does
// that. The channel is closed when the child has ended, and cmd.ProcessState tells how. The caller must not call
// cmd.Wait; what it has set in cmd.SysProcAttr is kept.
func Start(cmd *exec.Cmd, atDeath syscall.Signal) (exited <-chan struct{}, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr, atDeath)
	started, done := make(chan error), make(chan struct{})
	go func() {
		// One OS thread is kept for as long as the child runs: Pdeathsig fires when the thread that forked ends, not
		// only when the process does (prctl(2), PR_SET_PDEATHSIG).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in cmd.ProcessState
		}
	}()
	if err := <-started; err != nil {
		<-done
		return nil, err
	}
	return done, nil
}
