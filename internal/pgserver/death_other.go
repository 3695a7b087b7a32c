//go:build unix && !linux

package pgserver

import "syscall"

// dieWithParent does nothing: only Linux offers it, so elsewhere a killed test leaves its server behind.
func dieWithParent(*syscall.SysProcAttr) {}
