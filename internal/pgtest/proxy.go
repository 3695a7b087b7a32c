//go:build unix

package pgtest

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy is a TCP proxy that can break or freeze the connections that go through it.
type Proxy struct {
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	moved   *sync.Cond // the fields below have changed
	stalled bool
	closed  bool
	conns   map[net.Conn]struct{}
}

// NewProxy listens on a free port of 127.0.0.1 and forwards each connection to target, a host:port. It is closed
// when the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen for proxy: %v", err)
	}
	p := &Proxy{target: target, listener: listener, conns: map[net.Conn]struct{}{}}
	p.moved = sync.NewCond(&p.mu)
	p.running.Go(p.accept)
	t.Cleanup(p.Close)
	return p
}

// Addr returns the proxy's host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut resets all connections on both sides, as a router does that has lost its state: no FIN, nothing flushed. New
// connections are accepted.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
	clear(p.conns)
	p.moved.Broadcast()
}

// Stall stops forwarding, both ways, without closing anything, as a network does that swallows packets. New
// connections are accepted and stay silent. At most one chunk a direction that was on its way still passes.
func (p *Proxy) Stall() { p.setStalled(true) }

// Resume forwards again, starting with what was held back.
func (p *Proxy) Resume() { p.setStalled(false) }

func (p *Proxy) setStalled(stalled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = stalled
	p.moved.Broadcast()
}

// Close resets all connections, refuses new ones, and waits until nothing runs any more.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	if !p.enter(client) {
		return
	}
	defer p.leave(client)
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.enter(server) {
		return
	}
	defer p.leave(server)
	var back sync.WaitGroup
	back.Go(func() { p.forward(client, server) })
	p.forward(server, client)
	back.Wait()
}

// enter makes a connection known to Cut. It reports false when the proxy is closed.
func (p *Proxy) enter(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.conns[conn] = struct{}{}
	}
	return !p.closed
}

func (p *Proxy) leave(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// forward copies one direction. A clean end of src is passed on as one, anything else tears both sides down.
func (p *Proxy) forward(dst, src net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if !p.pass(src) {
			_ = dst.Close() // Cut may have come before dst was known to it
			return
		}
		if _, werr := dst.Write(buf[:n]); werr != nil {
			_ = src.Close()
			return
		}
		if errors.Is(err, io.EOF) {
			if tcp, ok := dst.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			return
		}
		if err != nil {
			_ = dst.Close()
			return
		}
	}
}

// pass waits while the proxy is stalled and reports whether the connection still stands.
func (p *Proxy) pass(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if _, ok := p.conns[conn]; !ok {
			return false
		}
		if !p.stalled {
			return true
		}
		p.moved.Wait()
	}
}
