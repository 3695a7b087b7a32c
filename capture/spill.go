package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"bluetap/internal/hint"
)

const spillPattern = "bluetap-spill-*"

// spillFile is a file without a name: it vanishes with the process, however that ends.
type spillFile struct {
	f    *os.File
	w    *bufio.Writer
	size int64
}

// spillError says that a transaction could not be put on disk. The server would decode it again and again: it is
// permanent.
type spillError struct {
	doing string
	err   error
}

func (e *spillError) Error() string { return e.doing + " spill file: " + e.err.Error() }
func (e *spillError) Unwrap() error { return e.err }

func cannotSpill(doing string, err error) error {
	return hint.New(&spillError{doing: doing, err: err}, "free space under state.dir, then start again")
}

func newSpillFile(dir string) (*spillFile, error) {
	f, err := os.CreateTemp(dir, spillPattern)
	if err != nil {
		return nil, cannotSpill("create", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, cannotSpill("unlink", errors.Join(err, f.Close()))
	}
	return newSpillOn(f), nil
}

func newSpillOn(f *os.File) *spillFile { return &spillFile{f: f, w: bufio.NewWriterSize(f, blockSize)} }

// removeSpills removes what a crash between creating and unlinking left behind.
func removeSpills(dir string) error {
	if dir == "" {
		return nil
	}
	left, err := filepath.Glob(filepath.Join(dir, spillPattern))
	if err != nil {
		return fmt.Errorf("look for old spill files: %w", err)
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove old spill file: %w", err)
		}
	}
	return nil
}

func (s *spillFile) write(parts ...[]byte) error {
	for _, p := range parts {
		n, err := s.w.Write(p)
		s.size += int64(n)
		if err != nil {
			return cannotSpill("write", err)
		}
	}
	return nil
}

func (s *spillFile) flush() error {
	if err := s.w.Flush(); err != nil {
		return cannotSpill("write", err)
	}
	s.w = nil
	return nil
}

// blocks yields runs of whole records. Each is memory of its own, so what was decoded from it stays valid.
func (s *spillFile) blocks() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for at := int64(0); at < s.size; {
			block, err := s.blockAt(at)
			if err != nil {
				yield(nil, fmt.Errorf("read spill file: %w", err))
				return
			}
			if !yield(block, nil) {
				return
			}
			at += int64(len(block))
		}
	}
}

// blockAt reads the whole records that fit a block at offset at, or one that is larger.
func (s *spillFile) blockAt(at int64) ([]byte, error) {
	block, err := s.readAt(at, blockSize)
	if err != nil {
		return nil, err
	}
	whole := 0
	for len(block)-whole >= recordHeader {
		n := recordHeader + int(binary.BigEndian.Uint32(block[whole+4:]))
		if n > len(block)-whole {
			if whole == 0 {
				return s.readAt(at, n)
			}
			break
		}
		whole += n
	}
	if whole == 0 {
		return nil, errCutRecord
	}
	return block[:whole:whole], nil
}

// readAt reads n bytes, or what there is to the end.
func (s *spillFile) readAt(at int64, n int) ([]byte, error) {
	block := make([]byte, min(int64(n), s.size-at))
	if _, err := io.ReadFull(io.NewSectionReader(s.f, at, int64(len(block))), block); err != nil {
		return nil, err
	}
	return block, nil
}

func (s *spillFile) close() error {
	if err := s.f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close spill file: %w", err)
	}
	return nil
}
