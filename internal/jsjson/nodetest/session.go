package nodetest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os/exec"
	"sync"
	"testing"
)

// frames is what every session begins with: it takes the messages off stdin, each behind its length, and hands them to
// handle one by one, as Buffers; at the end of stdin it prints what finish returns.
const frames = `
let rest = Buffer.alloc(0);
process.stdin.on('data', data => {
  rest = rest.length ? Buffer.concat([rest, data]) : data;
  let at = 0;
  while (rest.length - at >= 4) {
    const end = at + 4 + rest.readUInt32BE(at);
    if (end > rest.length) break;
    handle(rest.subarray(at + 4, end));
    at = end;
  }
  rest = rest.subarray(at);
});
process.stdin.on('end', () => require('fs').writeFileSync(1, String(finish())));
`

// Session is a Node process that is sent messages one after the other, for what would be too much to hold at once. It
// may be used by several goroutines.
type Session struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer

	mu    sync.Mutex
	stdin io.WriteCloser
	buf   *bufio.Writer
}

// Open starts a Node process that runs program, to which text(b) is what it is to Map. It must define handle, a
// function of one message, and finish, whose result Close returns. The process ends with the test. Without node on the
// PATH it does as Map does.
func Open(t testing.TB, program string) *Session {
	t.Helper()
	s := &Session{cmd: exec.CommandContext(t.Context(), find(t), "-e", decoder+program+frames)}
	s.cmd.Stdout, s.cmd.Stderr = &s.stdout, &s.stderr
	var err error
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	s.buf = bufio.NewWriterSize(s.stdin, 1<<16)
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start node: %v", err)
	}
	return s
}

// Send sends a message, made of parts. It blocks while Node is busy with earlier ones. The error is that of a process
// that has ended, of which Close tells more.
func (s *Session) Send(parts ...[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	_, err := s.buf.Write(binary.BigEndian.AppendUint32(nil, uint32(size)))
	for _, part := range parts {
		if err == nil {
			_, err = s.buf.Write(part)
		}
	}
	return err
}

// Close says that there are no more messages and returns what the program made of them. A program that threw fails the
// test.
func (s *Session) Close(t testing.TB) []byte {
	t.Helper()
	s.mu.Lock()
	_ = s.buf.Flush() // a process that has ended says below why
	_ = s.stdin.Close()
	s.mu.Unlock()
	if err := s.cmd.Wait(); err != nil {
		t.Fatalf("node: %v\n%s", err, s.stderr.Bytes())
	}
	return s.stdout.Bytes()
}
