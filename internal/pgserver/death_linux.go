package pgserver

import "syscall"

// dieWithParent makes the kernel stop the server at once when the process that started it dies, however it dies.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }
