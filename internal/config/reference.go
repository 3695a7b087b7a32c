package config

import (
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// scalarTags are the YAML types whose source text is taken as it stands: an id may well look like a number.
var scalarTags = map[string]bool{"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!timestamp": true}

// scalar is the text of a scalar value.
type scalar struct {
	text     string
	resolved bool // by a reference: not of the file, so never repeated in a message
}

// scalar returns the text of v with its reference resolved, or false after a fault.
func (v value) scalar() (scalar, bool) {
	switch {
	case v.isNull():
		v.fault("has no value")
	case v.node.Kind == yaml.SequenceNode:
		v.fault("must be a single value, not a list")
	case v.node.Kind != yaml.ScalarNode:
		v.fault("must be a single value, not a mapping")
	case !scalarTags[v.node.ShortTag()]:
		v.fault("has a tag that is not supported")
	default:
		return v.resolve(v.node.Value)
	}
	return scalar{}, false
}

func (v value) resolve(text string) (scalar, bool) {
	if name, ok := strings.CutPrefix(text, "env:"); ok {
		return v.fromEnv(name)
	}
	if name, ok := strings.CutPrefix(text, "file:"); ok {
		return v.fromFile(name)
	}
	return scalar{text: text}, true
}

func (v value) fromEnv(name string) (scalar, bool) {
	if !validVariable(name) {
		v.fault("env: must be followed by a variable's name")
		return scalar{}, false
	}
	text, set := v.in.opts.Env(name)
	switch {
	case !set:
		v.fault("the environment variable %s is not set", name)
	case text == "":
		v.fault("the environment variable %s is empty", name)
	default:
		return scalar{text: text, resolved: true}, true
	}
	return scalar{}, false
}

func validVariable(name string) bool {
	odd := func(r rune) bool { return r == '-' || !isWordRune(r) }
	return name != "" && !strings.ContainsFunc(name, odd)
}

func (v value) fromFile(name string) (scalar, bool) {
	if name == "" {
		v.fault("file: must be followed by a path")
		return scalar{}, false
	}
	data, err := readFile(v.in.abs(name))
	if err != nil {
		v.fault("the file %q cannot be used: %s", name, reason(err))
		return scalar{}, false
	}
	text, ended := strings.CutSuffix(string(data), "\n")
	if ended {
		text = strings.TrimSuffix(text, "\r")
	}
	if text == "" {
		v.fault("the file %q is empty", name)
		return scalar{}, false
	}
	return scalar{text: text, resolved: true}, true
}

// abs returns path as seen from the config file's folder.
func (in *reading) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(in.folder, path)
}
