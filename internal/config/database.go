package config

import (
	"errors"
	"io/fs"
	"net"
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
	if what := connFault(text, v.in.opts.Env); what != "" {
		v.fault("%s", what)
	}
	// Kept even when faulty, so that it is not reported as missing too.
	d.URL = NewSecret(text)
}

// connFault says what is wrong with a connection string, or "". The parser's own error is never repeated: it quotes
// the input, and cannot know which part of a malformed one is the password.
func connFault(text string, env func(name string) (string, bool)) string {
	_, err := pgx.ParseConfig(text)
	if err == nil {
		return ""
	}
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return "a file that the connection string or the libpq environment names cannot be read: " + path.Err.Error()
	case urlFault(text) != "":
		return urlFault(text)
	case environmentFault(env) != "":
		return environmentFault(env)
	case text == "":
		return "the libpq environment (PGHOST, PGPORT, PGSSLMODE, …) cannot be used as it is"
	case !strings.Contains(text, "://"):
		return `cannot be parsed as postgres://user:password@host:5432/database or as "host=… user=… dbname=…"`
	}
	return "cannot be parsed as postgres://user:password@host:5432/database; " +
		"in user and password, characters other than letters and digits must be percent-encoded"
}

// sslModes are the values of sslmode and PGSSLMODE.
var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// urlFault names the part of a connection URL that the parser did not take, or "" where text is none.
func urlFault(text string) string {
	u, err := url.Parse(text)
	if err != nil || !strings.Contains(text, "://") {
		return ""
	}
	query := u.Query()
	switch {
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		return "must begin with postgres:// or postgresql://"
	case query.Has("sslmode") && !slices.Contains(sslModes, query.Get("sslmode")):
		return "sslmode must be one of " + strings.Join(sslModes, ", ")
	}
	for host := range strings.SplitSeq(u.Host, ",") {
		if _, port, err := net.SplitHostPort(host); err == nil && !validPort(port) {
			return "the port must be a number from 1 to 65535"
		}
	}
	return ""
}

// environmentFault names the variable that the parser did not take, or "".
func environmentFault(env func(name string) (string, bool)) string {
	if mode, set := env("PGSSLMODE"); set && !slices.Contains(sslModes, mode) {
		return "the environment variable PGSSLMODE must be one of " + strings.Join(sslModes, ", ")
	}
	if ports, set := env("PGPORT"); set && slices.ContainsFunc(strings.Split(ports, ","),
		func(port string) bool { return !validPort(port) }) {
		return "the environment variable PGPORT must be a number from 1 to 65535"
	}
	if _, set := env("PGSERVICE"); set {
		return "the service that PGSERVICE names cannot be read from the service file (~/.pg_service.conf, or PGSERVICEFILE)"
	}
	return ""
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
	} else if what := connFault("", url.in.opts.Env); what != "" {
		url.fault("%s", what)
	}
}
