package config

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// redacted stands for a secret wherever one would be printed.
const redacted = "<secret>"

// Secret is a string that does not print: fmt with any verb, encoding/json, yaml and slog show <secret>, for an empty
// one too. The zero value is the empty secret. Two Secrets are compared by what they Reveal, or by reflect.DeepEqual;
// == compares identities.
type Secret struct {
	// A pointer, as fmt prints an unexported field of another struct without asking its methods.
	text *string
}

// NewSecret hides s.
func NewSecret(s string) Secret { return Secret{text: &s} }

// Reveal returns the secret itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String implements fmt.Stringer with <secret>.
func (s Secret) String() string { return redacted }

// Format implements fmt.Formatter with <secret> for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON implements json.Marshaler with "<secret>".
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalYAML implements yaml.Marshaler with <secret>.
func (s Secret) MarshalYAML() (any, error) { return redacted, nil }

// LogValue implements slog.LogValuer with <secret>.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
