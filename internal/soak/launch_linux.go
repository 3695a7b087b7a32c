package soak

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// The daemon is one static binary: nothing can be slipped under it. But the kernel can ask another process what becomes
// of a system call (seccomp_unotify(2)). So the daemon is started by a process that asks for that and then becomes the
// daemon, and the test answers: fsync is let through, or fails.

// launchProgram holds the path of the program that a launching process becomes.
const launchProgram = "BLUETAP_SOAK_LAUNCH"

// Launch must be called first by a program that calls Run. In a process that is to become the daemon it does not
// return.
func Launch() {
	program := os.Getenv(launchProgram)
	if program == "" {
		return
	}
	_ = os.Unsetenv(launchProgram)
	fmt.Fprintln(os.Stderr, "bluetap: launch:", become(program))
	os.Exit(1)
}

// socket is where a launching process finds its end of the socket to the test.
const socket = 3

func become(program string) error {
	runtime.LockOSThread() // the filter is the thread's, and goes with it through exec
	listener, err := askAbout(syscall.SYS_FSYNC, syscall.SYS_FDATASYNC, syscall.SYS_SCHED_GETAFFINITY)
	if err == nil {
		if err := syscall.Sendmsg(socket, []byte{0}, syscall.UnixRights(listener), nil, 0); err != nil {
			return fmt.Errorf("pass listener: %w", err)
		}
	} // else a kernel, or a container, that does not have it: the test does without
	syscall.CloseOnExec(socket)
	return syscall.Exec(program, append([]string{program}, os.Args[1:]...), os.Environ())
}

// What package syscall lacks, by linux/seccomp.h, linux/audit.h and linux/prctl.h.
const (
	setNoNewPrivileges = 38
	setModeFilter      = 1
	newListener        = 1 << 3
	returnAllow        = 0x7fff0000
	returnNotify       = 0x7fc00000
	notifyReceive      = 0xc0502100
	notifySend         = 0xc0182101
	respondContinue    = 1
)

// machine is what differs between processors.
type machine struct {
	seccomp uintptr // the system call
	audit   uint32
}

var machines = map[string]machine{"amd64": {317, 0xc000003e}, "arm64": {277, 0xc00000b7}}

// askAbout makes the kernel ask the listener that it returns about some system calls of this thread.
func askAbout(calls ...uint32) (listener int, err error) {
	m, ok := machines[runtime.GOARCH]
	if !ok {
		return 0, errors.New("not on " + runtime.GOARCH)
	}
	const load, jumpIfEqual, ret = syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS,
		syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, syscall.BPF_RET | syscall.BPF_K
	filter := []syscall.SockFilter{{Code: load, K: 4}, {Code: jumpIfEqual, Jf: uint8(len(calls)) + 1, K: m.audit},
		{Code: load, K: 0}}
	for i, call := range calls {
		filter = append(filter, syscall.SockFilter{Code: jumpIfEqual, Jt: uint8(len(calls) - i), K: call})
	}
	filter = append(filter, syscall.SockFilter{Code: ret, K: returnAllow}, syscall.SockFilter{Code: ret, K: returnNotify})
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivileges, 1, 0, 0, 0, 0); errno != 0 {
		return 0, fmt.Errorf("prctl: %w", errno)
	}
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	fd, _, errno := syscall.RawSyscall(m.seccomp, setModeFilter, newListener, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return int(fd), nil
}

// supervisor answers what the kernel asks about one process.
type supervisor struct {
	own     *os.File     // end of the socket
	failing atomic.Int64 // how many more fsyncs fail
	failed  atomic.Int64 // how many did
	vital   atomic.Int64 // of these, those of files that nothing can be done without
	begun   atomic.Bool  // the process has become the daemon
	clock   atomic.Pointer[clock]
	ended   chan struct{} // closed when nothing is asked any more
}

// supervise changes a command so that it is asked about. The supervisor must be run once it has been started.
func supervise(cmd *exec.Cmd) (*supervisor, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket: %w", err)
	}
	cmd.Env = append(cmd.Env, launchProgram+"="+cmd.Path)
	cmd.Path = self
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(ends[1]), "launch")}
	return &supervisor{own: os.NewFile(uintptr(ends[0]), "launch"), ended: make(chan struct{})}, nil
}

// abandon is called instead of run when the command could not be started.
func (s *supervisor) abandon(cmd *exec.Cmd) {
	_ = cmd.ExtraFiles[0].Close()
	_ = s.own.Close()
}

// run answers until the process ends.
func (s *supervisor) run(cmd *exec.Cmd) {
	defer close(s.ended)
	_ = cmd.ExtraFiles[0].Close() // the child has it
	listener, err := s.listener()
	_ = s.own.Close()
	if err != nil {
		return // it ended before
	}
	defer syscall.Close(listener)
	for s.answer(listener) {
	}
}

func (s *supervisor) listener() (int, error) {
	control := make([]byte, syscall.CmsgSpace(4))
	_, n, _, _, err := syscall.Recvmsg(int(s.own.Fd()), make([]byte, 1), control, syscall.MSG_CMSG_CLOEXEC)
	if err != nil {
		return 0, err
	}
	messages, err := syscall.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 {
		return 0, errors.Join(errors.New("no listener came"), err)
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	return fds[0], nil
}

type notification struct {
	id         uint64
	pid, flags uint32
	call       int32
	arch       uint32
	pointer    uint64
	args       [6]uint64
}

type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// answer answers one question. It reports false when no more can come.
func (s *supervisor) answer(listener int) bool {
	const readable, gone = 0x1, 0x10 | 0x8
	poll := struct {
		fd             int32
		events, revent int16
	}{fd: int32(listener), events: readable}
	_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, 0, 0, 0, 0)
	if errno == syscall.EINTR {
		return true
	}
	if errno != 0 || poll.revent&gone != 0 {
		return false
	}
	var n notification
	_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, uintptr(listener), notifyReceive, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return true // who asked was killed
	}
	r, vital := response{id: n.id, flags: respondContinue}, false
	switch {
	case n.call == syscall.SYS_SCHED_GETAFFINITY:
		// The first thing that a Go program asks, while it has one thread and has not looked at the clock.
		if !s.begun.Load() {
			s.clock.Store(takeClock(int(n.pid)))
			s.begun.Store(true)
		}
	case s.failing.Load() > 0:
		r.flags, r.errno = 0, -int32(syscall.EIO)
		vital = isVital(n.pid, n.args[0])
		s.count(1, vital) // before the answer, which the process may act on at once
	}
	_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, uintptr(listener), notifySend, uintptr(unsafe.Pointer(&r)))
	if errno != 0 && r.errno != 0 { // a signal came in between, and the call is made again
		s.count(-1, vital)
	}
	return true
}

// count counts fsyncs that failed, by one more or one less.
func (s *supervisor) count(by int64, vital bool) {
	s.failing.Add(-by)
	if vital {
		s.vital.Add(by)
	}
	s.failed.Add(by)
}

// isVital tells whether a file of a process is a log or manifest of Pebble's: the state is what is in them, and nobody
// can write them anew.
func isVital(pid uint32, descriptor uint64) bool {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, descriptor))
	name := filepath.Base(path)
	return err == nil && (filepath.Ext(name) == ".log" || strings.HasPrefix(name, "MANIFEST-"))
}

// clock is a process' own clock of the day: its vDSO is overwritten with code that adds an offset.
type clock struct {
	pid    int
	offset int64 // where in its memory the offset stands
}

// shifted is clock_gettime for amd64 as machine code: the system call, and to CLOCK_REALTIME what follows it is added.
var shifted = []byte{
	0xb8, 0xe4, 0x00, 0x00, 0x00, // mov eax, clock_gettime
	0x0f, 0x05, // syscall
	0x85, 0xff, // test edi, edi
	0x75, 0x0a, // jne to ret
	0x48, 0x8b, 0x0d, 0x04, 0x00, 0x00, 0x00, // mov rcx, [rip+4]
	0x48, 0x01, 0x0e, // add [rsi], rcx
	0xc3, // ret
	0, 0, 0, 0, 0, 0, 0, 0,
}

// takeClock takes over the clock of a process that does not use it at the moment. It returns nil where that cannot be.
func takeClock(pid int) *clock {
	if runtime.GOARCH != "amd64" {
		return nil
	}
	at, err := vdsoFunction(pid, "__vdso_clock_gettime")
	if err != nil {
		return nil
	}
	c := &clock{pid: pid, offset: at + int64(len(shifted)-8)}
	if c.write(at, shifted) != nil {
		return nil
	}
	return c
}

// set makes the clock go wrong by some seconds, also backwards.
func (c *clock) set(seconds int64) error {
	return c.write(c.offset, binary.LittleEndian.AppendUint64(nil, uint64(seconds)))
}

func (c *clock) write(at int64, b []byte) error {
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", c.pid), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	_, err = memory.WriteAt(b, at)
	return err
}

// vdsoRange returns where the kernel has put the vDSO of a process.
func vdsoRange(pid int) (from, to int64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		if strings.HasSuffix(line, "[vdso]\n") {
			_, err := fmt.Sscanf(line, "%x-%x", &from, &to)
			return from, to, err
		}
	}
	return 0, 0, errors.New("no vDSO")
}
