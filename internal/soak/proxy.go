//go:build unix

package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// proxy is the line between the daemon and Postgres, to be broken in several ways.
type proxy struct {
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	moved   *sync.Cond
	stalled bool
	slow    bool
	closed  bool
	conns   map[net.Conn]bool // true: it leads to Postgres
}

func newProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for proxy: %w", err)
	}
	p := &proxy{target: target, listener: listener, conns: map[net.Conn]bool{}}
	p.moved = sync.NewCond(&p.mu)
	p.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.serve(client) })
		}
	})
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.cut()
	p.running.Wait()
}

// cut resets all connections on both sides.
func (p *proxy) cut() {
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

// halfClose ends one direction of all connections, and leaves the other open: towards Postgres or towards the daemon.
func (p *proxy) halfClose(towardsPostgres bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn, upstream := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok && upstream == towardsPostgres {
			_ = tcp.CloseWrite()
		}
	}
}

// set stalls or slows what goes through, or lets it go again.
func (p *proxy) set(stalled, slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled, p.slow = stalled, slow
	p.moved.Broadcast()
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	var d net.Dialer
	server, err := d.DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.conns[client], p.conns[server] = false, true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, client)
		delete(p.conns, server)
	}()
	var back sync.WaitGroup
	back.Go(func() { p.forward(client, server) })
	p.forward(server, client)
	back.Wait()
}

// slowChunk a slowPause is what passes of a slowed line: 40 kB a second.
const (
	slowChunk = 400
	slowPause = 10 * time.Millisecond
)

func (p *proxy) forward(dst, src net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if !p.pass(src, dst, buf[:n]) {
			_ = dst.Close()
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

// pass writes what was read, at the pace of the line, and reports whether the connection still stands.
func (p *proxy) pass(src, dst net.Conn, data []byte) bool {
	for {
		p.mu.Lock()
		for p.stalled && !p.closed && p.stands(src) {
			p.moved.Wait()
		}
		slow, stands := p.slow, p.stands(src)
		p.mu.Unlock()
		if !stands {
			return false
		}
		if !slow || len(data) <= slowChunk {
			_, err := dst.Write(data)
			return err == nil
		}
		if _, err := dst.Write(data[:slowChunk]); err != nil {
			return false
		}
		data = data[slowChunk:]
		<-time.After(slowPause)
	}
}

func (p *proxy) stands(conn net.Conn) bool {
	_, ok := p.conns[conn]
	return ok
}
