//go:build unix

package soak

import "math/rand/v2"

// source is whose numbers a generator draws. Each has its own, so that none depends on how far another has come.
type source uint64

// The sources. 0 is of the faults, which count their rounds themselves.
const (
	ofClients source = 1 + iota
	ofSecondPhases
)

// newAuthor returns the author of one thing in a round: the n-th of the client's.
func newAuthor(seed uint64, of source, round, client, n int) author {
	return author{rand.New(rand.NewPCG(seed, uint64(of)<<60|uint64(round)<<36|uint64(client)<<28|uint64(n)))}
}
