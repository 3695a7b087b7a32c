// Package hint lets an error carry the next thing for a person to do, apart from what went wrong.
package hint

import "errors"

type hinted struct {
	error
	next string
}

func (h *hinted) Unwrap() error { return h.error }

// New returns err with the advice next: one line, a command to type where there is one. The advice is not part of
// Error(), so that it is printed once, at the end, and not in the middle of wrapped messages. A nil err stays nil.
func New(err error, next string) error {
	if err == nil {
		return nil
	}
	return &hinted{error: err, next: next}
}

// Or returns err with the advice next, unless it carries one.
func Or(err error, next string) error {
	if Of(err) != "" {
		return err
	}
	return New(err, next)
}

// Of returns the outermost advice that err carries, or "".
func Of(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.next
	}
	return ""
}
