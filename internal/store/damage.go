package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	chunks "github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// checkManifest reads the manifest to its end, or to a last record that was being written when a crash came. Pebble
// takes a manifest that is broken in the middle for one that ends there: it would go on with less than there is, and
// remove the rest.
func (s *Store) checkManifest() error {
	manifest, err := atomicfs.ReadMarker(s.opts.FS, s.dir, "manifest")
	if err != nil {
		return fmt.Errorf("find manifest: %w", err)
	}
	if manifest == "" {
		return nil
	}
	f, err := s.opts.FS.Open(s.opts.FS.PathJoin(s.dir, manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return damaged(fmt.Errorf("open manifest: %w", err))
	}
	if err != nil {
		return fmt.Errorf("open manifest: %w", err)
	}
	defer f.Close()
	records := chunks.NewReader(f, 0)
	for {
		at := records.Offset()
		r, err := records.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case chunks.IsInvalidRecord(err):
			return checkTail(f, at)
		case err != nil:
			return fmt.Errorf("read manifest: %w", err)
		}
	}
}

// checkTail looks for a record behind the first one that is invalid: then that one was not the last.
func checkTail(f vfs.File, at int64) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	tail := make([]byte, info.Size()-at)
	if _, err := f.ReadAt(tail, at); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read manifest: %w", err)
	}
	for i := 1; i < len(tail); i++ {
		if isChunk(tail[i:], manifestBlock-int((at+int64(i))%manifestBlock)) {
			return damaged(fmt.Errorf("the manifest is invalid at byte %d", at))
		}
	}
	return nil
}

// A manifest is a log of chunks, none of which goes over the end of a block. A chunk is a checksum of 4 bytes, the
// length of its data in 2, one of 4 types, and the data; the checksum covers type and data (package record of Pebble).
const (
	manifestBlock = 32 << 10
	chunkHeader   = 7
	chunkTypes    = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// isChunk tells whether b, of which left bytes are in its block, begins with a chunk.
func isChunk(b []byte, left int) bool {
	if len(b) < chunkHeader {
		return false
	}
	size := int(binary.LittleEndian.Uint16(b[4:]))
	if size == 0 || b[6] == 0 || b[6] > chunkTypes || chunkHeader+size > min(left, len(b)) {
		return false
	}
	c := crc32.Checksum(b[6:chunkHeader+size], castagnoli)
	return binary.LittleEndian.Uint32(b) == (c>>15|c<<17)+0xa282ead8
}
