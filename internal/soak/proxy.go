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

	mu     sync.Mutex
	moved  *sync.Cond
	pace   pace
	held   int // pieces that the pace has held up since it was set
	closed bool
	conns  map[net.Conn]bool // true: it leads to Postgres
}

// pace is how the line lets through what is sent.
type pace int

const (
	lineFree pace = iota
	lineStalled
	lineSlow
)

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

// connected waits until the daemon has a connection through the line, and reports whether it has.
func (p *proxy) connected(ctx context.Context, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	wake := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.moved.Broadcast()
	})
	defer wake()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.conns) == 0 && ctx.Err() == nil {
		p.moved.Wait()
	}
	return len(p.conns) > 0
}

// cut resets all connections on both sides, and returns how many it were.
func (p *proxy) cut() (struck int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn, upstream := range p.conns {
		if upstream {
			struck++
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
	clear(p.conns)
	p.moved.Broadcast()
	return struck
}

// halfClose ends one direction of all connections, and leaves the other open: towards Postgres or towards the daemon.
// It returns how many it were.
func (p *proxy) halfClose(towardsPostgres bool) (struck int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn, upstream := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok && upstream == towardsPostgres {
			if tcp.CloseWrite() == nil {
				struck++
			}
		}
	}
	return struck
}

// set stalls or slows what goes through, or lets it go again. It returns how many pieces the pace before held up.
func (p *proxy) set(to pace) (held int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held = p.held
	p.pace, p.held = to, 0
	p.moved.Broadcast()
	return held
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
	p.moved.Broadcast()
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

// slowChunk a slowPause is what passes of a slowed line: 40 kB a second, and nothing without a pause.
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
		slowed, stands := p.wait(src, len(data) > 0)
		if !stands {
			return false
		}
		chunk := data
		if slowed {
			chunk = data[:min(slowChunk, len(data))]
			<-time.After(slowPause)
		}
		if _, err := dst.Write(chunk); err != nil {
			return false
		}
		if data = data[len(chunk):]; len(data) == 0 {
			return true
		}
	}
}

// wait waits while the line is stalled. It reports whether what follows has to be slow, and whether the connection
// stands.
func (p *proxy) wait(src net.Conn, something bool) (slowed, stands bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if something && p.pace != lineFree {
		p.held++
	}
	for p.pace == lineStalled && !p.closed && p.stands(src) {
		p.moved.Wait()
	}
	return p.pace == lineSlow, p.stands(src)
}

func (p *proxy) stands(conn net.Conn) bool {
	_, ok := p.conns[conn]
	return ok
}
