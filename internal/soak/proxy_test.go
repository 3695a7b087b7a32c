//go:build unix

package soak

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestProxy breaks a line that leads to an echo: what struck nothing must say so, as it would count as a fault.
func TestProxy(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	line, err := newProxy(echo.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer line.close()
	if line.connected(t.Context(), time.Millisecond) || line.cut() != 0 || line.halfClose(true) != 0 {
		t.Error("a line that nobody uses was struck")
	}
	conn, err := net.Dial("tcp", line.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, to := range []pace{lineFree, lineSlow} {
		line.set(to)
		began := time.Now()
		if _, err := conn.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); to == lineSlow && took < 2*slowPause {
			t.Errorf("four bytes went both ways of a slow line in %s", took)
		}
		if held := line.set(lineFree); (held > 0) != (to == lineSlow) {
			t.Errorf("pace %d held up %d pieces", to, held)
		}
	}
	if !line.connected(t.Context(), time.Minute) || line.halfClose(true) != 1 {
		t.Error("the connection was not half closed")
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("something came from an echo that was told of the end")
	}
}
