//go:build unix && !linux

package child

import "syscall"

// dieWithParent does nothing: only Linux offers it, so elsewhere a process that is killed leaves its children behind.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
