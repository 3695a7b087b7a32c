package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile bounds the file itself and what a file: reference or caFile names.
const maxFile = 4 << 20

// Options is what Load has to know of the world around the file.
type Options struct {
	// Env looks a variable up for env: references. Nil: os.LookupEnv.
	Env func(name string) (string, bool)
	// Events are the event types that a webhook may name, Blue's 37 first. Both Events and Extensions nil: any name.
	Events []string
	// Extensions are further event types that a webhook may name. Nil: none beside Events.
	Extensions []string
	// Records are the event types that a webhook of FormatRecord may name. Nil: any name.
	Records []string
	// FilterEvents are, by key of a webhook's filter, the event types that it can be asked of. Nil, or a key that is not
	// in it: any.
	FilterEvents map[string][]string
	// CheckExpression returns, in one line, what is wrong with the text of an if. Nil: nothing is.
	CheckExpression func(text string) error
	// CheckStateDir returns, in one line, why a folder cannot be state.dir. Nil: any can.
	CheckStateDir func(dir string) error
	// Entities are the names that database.tables may have. Nil: any name.
	Entities []string
}

// Load reads the file at path. The Config is valid and complete, or nil with an error that is a *Faults: everything
// that is wrong with the file at once, an unreadable file included. The warnings stand beside either. Paths in the
// file are relative to its folder.
func Load(path string, opts Options) (*Config, []Warning, error) {
	if opts.Env == nil {
		opts.Env = os.LookupEnv
	}
	data, err := readFile(path)
	if err != nil {
		return nil, nil, wholeFile(path, "cannot be read: "+reason(err))
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, nil, wholeFile(path, "cannot be read: "+reason(err))
	}
	return parse(data, &reading{file: path, folder: folder, opts: opts})
}

func wholeFile(path, what string) *Faults {
	return &Faults{List: []Fault{{File: path, Line: 1, What: what}}}
}

// parse does all of Load but for reading the file itself.
func parse(data []byte, in *reading) (*Config, []Warning, error) {
	config := Defaults()
	if root := in.document(data); root != nil {
		readConfig(config, in.root(root))
	}
	sortFaults(in.warnings)
	if len(in.faults) > 0 {
		sortFaults(in.faults)
		return nil, in.warnings, &Faults{List: in.faults}
	}
	return config, in.warnings, nil
}

var (
	errFolder   = errors.New("is a folder")
	errNotPlain = errors.New("is not an ordinary file")
	errTooLarge = fmt.Errorf("is larger than %d MiB", maxFile>>20)
)

// readFile reads a whole ordinary file of bounded size: a pipe or device could hang, or never end.
func readFile(path string) (data []byte, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errFolder
	case !info.Mode().IsRegular():
		return nil, errNotPlain
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	data, err = io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errTooLarge
	}
	return data, err
}

// reason returns what stopped a read, without the path: callers name the file in their own way.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
