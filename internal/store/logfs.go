package store

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logFS keeps errors of the write-ahead log from Pebble. Pebble answers them with a panic while its locks are half
// released, which the Go runtime turns into the end of the process, recovered or not. So the error is recorded and the
// goroutine that met it never returns, as with Fatalf.
type logFS struct {
	vfs.FS
	fault *fault
}

// logFile is a file of the log, or the directory that it is in.
type logFile struct {
	vfs.File
	fault *fault
}

// Unwrap returns the file system underneath.
func (l logFS) Unwrap() vfs.FS { return l.FS }

// Create creates a file; an error creating a log does not return.
func (l logFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, category)
	return l.guard(name, f, err)
}

// ReuseForWrite renames a file to be written from the start; an error renaming a log does not return.
func (l logFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.ReuseForWrite(oldname, newname, category)
	return l.guard(newname, f, err)
}

// OpenDir opens a directory, whose Sync then does not return an error: it is part of creating a log.
func (l logFS) OpenDir(name string) (vfs.File, error) {
	f, err := l.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return logFile{f, l.fault}, nil
}

func (l logFS) guard(name string, f vfs.File, err error) (vfs.File, error) {
	if !strings.HasSuffix(name, ".log") {
		return f, err
	}
	l.fault.stop(err)
	return logFile{f, l.fault}, nil
}

// stop does not return if err is an error.
func (f *fault) stop(err error) {
	if err != nil {
		f.fail(err)
		select {}
	}
}

func (f logFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.fault.stop(err)
	return n, nil
}

func (f logFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	f.fault.stop(err)
	return n, nil
}

func (f logFile) Preallocate(offset, length int64) error {
	f.fault.stop(f.File.Preallocate(offset, length))
	return nil
}

func (f logFile) Sync() error {
	f.fault.stop(f.File.Sync())
	return nil
}

func (f logFile) SyncData() error {
	f.fault.stop(f.File.SyncData())
	return nil
}

func (f logFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	f.fault.stop(err)
	return full, nil
}

func (f logFile) Close() error {
	f.fault.stop(f.File.Close())
	return nil
}
