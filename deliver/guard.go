package deliver

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrAddress is wrapped by the failure of an attempt whose receiver resolved to an address that webhooks may not
// reach: one that is not public and not in Options.AllowedNetworks.
var ErrAddress = errors.New("address not allowed")

// reserved lists what is not the public Internet (IANA special-purpose address registries, RFC 6890). The IPv4 part
// holds as well for IPv4 addresses that stand inside IPv6 ones.
func reserved() []netip.Prefix {
	return prefixes(
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
		"::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001:2::/48", "2001:10::/28", "2001:20::/28",
		"2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	)
}

// embedding is an IPv6 prefix behind which an IPv4 address stands at a byte offset, inverted or not.
type embedding struct {
	prefix netip.Prefix
	offset int
	invert bool
}

// embeddings lists the forms by which a translator or tunnel reaches an IPv4 address: IPv4-compatible, NAT64
// (RFC 6052), IPv4-translated (RFC 2765), 6to4 (RFC 3056), Teredo's client (RFC 4380), which is inverted, and
// Teredo's server. The local-use NAT64 prefix (RFC 8215) keeps the address at a place of the operator's choice and
// is reserved as a whole.
func embeddings() []embedding {
	p := netip.MustParsePrefix
	return []embedding{
		{p("::/96"), 12, false},
		{p("64:ff9b::/96"), 12, false},
		{p("::ffff:0:0:0/96"), 12, false},
		{p("2002::/16"), 2, false},
		{p("2001::/32"), 12, true},
		{p("2001::/32"), 4, false},
	}
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// guard decides about addresses when they are dialled, after the name was resolved, so that a name that resolves
// differently the second time gains nothing.
type guard struct {
	allowed    []netip.Prefix
	reserved   []netip.Prefix
	embeddings []embedding
}

func newGuard(allowed []netip.Prefix) *guard {
	return &guard{allowed: allowed, reserved: reserved(), embeddings: embeddings()}
}

// control has the form of net.Dialer.Control.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: no IP address", ErrAddress)
	}
	return g.check(ap.Addr())
}

func (g *guard) check(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if in(g.allowed, ip) {
		return nil
	}
	if in(g.reserved, ip) {
		return fmt.Errorf("%w: %s is not public", ErrAddress, ip)
	}
	if ip.Is4() {
		return nil
	}
	for _, e := range g.embeddings {
		if !e.prefix.Contains(ip) {
			continue
		}
		if inner := e.inner(ip); in(g.reserved, inner) && !in(g.allowed, inner) {
			return fmt.Errorf("%w: %s stands for %s, which is not public", ErrAddress, ip, inner)
		}
	}
	return nil
}

func (e embedding) inner(ip netip.Addr) netip.Addr {
	b := ip.As16()
	v4 := [4]byte(b[e.offset : e.offset+4])
	if e.invert {
		for i := range v4 {
			v4[i] = ^v4[i]
		}
	}
	return netip.AddrFrom4(v4)
}

func in(list []netip.Prefix, ip netip.Addr) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
