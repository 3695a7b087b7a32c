package config

import (
	"errors"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// libpq lists the variables any of which can say where the database is (Postgres manual, "Environment Variables" of
// libpq); the others only refine that.
var libpq = []string{"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"}

func readDatabaseURL(d *Database, v value) {
	var text string
	if !v.optional(&text) {
		return
	}
	if what := connFault(text); what != "" {
		v.fault("%s", what)
	}
	// Kept even when faulty, so that it is not reported as missing too.
	d.URL = NewSecret(text)
}

// connFault says what is wrong with a connection string, or "". The parser's own error is never repeated: it quotes
// the input, and cannot know which part of a malformed one is the password.
func connFault(text string) string {
	_, err := pgx.ParseConfig(text)
	var path *fs.PathError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &path):
		return "a file that the connection string or the libpq environment names cannot be read: " + path.Err.Error()
	case text == "":
		return "the libpq environment (PGHOST, PGPORT, PGSSLMODE, …) cannot be used as it is"
	case !strings.Contains(text, "://"):
		return `cannot be parsed as postgres://user:password@host:5432/database or as "host=… user=… dbname=…"`
	}
	if u, err := url.Parse(text); err == nil && u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "must begin with postgres:// or postgresql://"
	}
	return "cannot be parsed as postgres://user:password@host:5432/database; " +
		"in user and password, characters other than letters and digits must be percent-encoded"
}

// checkEnvironment judges a connection string that is empty or not given: then the libpq environment has to say where
// the database is. The value url may be the zero one.
func checkEnvironment(url, database value) {
	if url.node == nil {
		url = database.absent("url")
	}
	if url.hasFault() {
		return
	}
	set := func(name string) bool { _, ok := url.in.opts.Env(name); return ok }
	if !slices.ContainsFunc(libpq, set) {
		url.fault("is required, as the libpq environment (PGHOST, PGSERVICE, …) is not set either")
	} else if what := connFault(""); what != "" {
		url.fault("%s", what)
	}
}
