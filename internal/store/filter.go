package store

import "hash/maphash"

// filterBytes is the size of a filter: one of a million rows is wrong once in thousands of times, one of ten million
// every fourth time.
const filterBytes = 4 << 20

// filter is a Bloom filter: what it does not have was never added. Asking it costs a hundredth of asking the disk.
type filter struct{ words []uint64 }

// filterSeed is that of all filters of this process; none outlives it.
var filterSeed = maphash.MakeSeed()

func newFilter() *filter { return &filter{words: make([]uint64, filterBytes/8)} }

func (f *filter) add(hash uint64) {
	for range filterProbes {
		f.words[hash>>6&(filterBytes/8-1)] |= 1 << (hash & 63)
		hash = next(hash)
	}
}

func (f *filter) has(hash uint64) bool {
	for range filterProbes {
		if f.words[hash>>6&(filterBytes/8-1)]&(1<<(hash&63)) == 0 {
			return false
		}
		hash = next(hash)
	}
	return true
}

const filterProbes = 3

// next makes of a hash the one for the next probe (splitmix64).
func next(hash uint64) uint64 {
	hash += 0x9e3779b97f4a7c15
	hash = (hash ^ hash>>30) * 0xbf58476d1ce4e5b9
	hash = (hash ^ hash>>27) * 0x94d049bb133111eb
	return hash ^ hash>>31
}

func (id rowID) hash() uint64 { return maphash.Comparable(filterSeed, id) }

func (r Ref) hash() uint64 { return maphash.Comparable(filterSeed, r) }
