// Package config reads bluetap's YAML file: defaults first, then a strict decode over them, with env: and file:
// references resolved and every fault reported at once with its line. It knows nothing of Postgres beyond whether a
// connection string parses, and nothing of Blue beyond the names that Options lists.
//
// Nothing in here prints a secret: not a fault, not Redacted, not a Config handed to fmt, slog or encoding/json.
package config

import (
	"crypto/x509"
	"log/slog"
	"net/netip"
	"net/url"
	"time"
)

// Config is one valid file with everything resolved: references read, paths absolute, what a webhook inherits from
// delivery filled in.
type Config struct {
	Database Database  `yaml:"database"`
	State    State     `yaml:"state"`
	Delivery Delivery  `yaml:"delivery"`
	Webhooks []Webhook `yaml:"webhooks"` // in the file's order; none is allowed, with a warning
}

// Database says what is read.
type Database struct {
	// URL is the connection string, a URL or key=value pairs. It is a Secret as it holds a password. Empty: the libpq
	// environment (PGHOST, PGSERVICE, …) says it all. Default: empty.
	URL Secret `yaml:"-" json:"-"`
	// Schema is the one schema whose tables are looked at. Never empty. Default: public.
	Schema string `yaml:"schema"`
	// Slot names the replication slot, 1–63 of a–z, 0–9 and _ (Postgres manual, "Replication Slots").
	// Default: bluetap.
	Slot string `yaml:"slot"`
	// Publication names the publication, 1–63 bytes. Default: bluetap.
	Publication string `yaml:"publication"`
	// Tables overrides, by entity, how a table is found and what of it is used. Default: none.
	Tables map[string]Table `yaml:"tables"`

	place place
}

// Table is the override of one entity's table.
type Table struct {
	// Table is the table's name, case kept. Empty: it is found by the known names. Default: empty.
	Table string `yaml:"table"`
	// Columns maps a field of Blue (projectId) to the column that holds it (project). Default: none.
	Columns map[string]string `yaml:"columns"`
	// Omit lists fields that stay out of payload and mirror. Default: none.
	Omit []string `yaml:"omit"`
	// Enabled false switches the entity off: not published, no events. Default: true.
	Enabled bool `yaml:"enabled"`
}

// State says what is kept on disk.
type State struct {
	// Dir is the folder of the store, absolute here; it must survive restarts. Required.
	Dir string `yaml:"dir"`
	// MaxSize bounds all of it on disk: at 90 % reading stops, at 80 % it goes on; at least 256MiB. Default: 10GiB.
	MaxSize Bytes `yaml:"maxSize"`
	// Retention is how long delivered events are kept for replay; more than 0. Default: 72h.
	Retention time.Duration `yaml:"retention"`
}

// Delivery says how requests are sent. Its Policy is what a webhook has that sets none of its own.
type Delivery struct {
	// MaxInFlight bounds the requests under way over all webhooks, at least 1. Default: 1024.
	MaxInFlight int `yaml:"maxInFlight"`
	// AllowedNetworks are the private networks that webhooks may reach, host bits zero; any other private address is
	// refused when dialling. Default: none.
	AllowedNetworks []netip.Prefix `yaml:"allowedNetworks"`
	// WhenFull says what becomes of events for a queue over MaxQueue: WhenFullOverflow or WhenFullPause.
	// Default: overflow.
	WhenFull string `yaml:"whenFull"`
	Policy   `yaml:",inline"`
}

// The values of Delivery.WhenFull.
const (
	WhenFullOverflow = "overflow" // they are not queued for that webhook, but counted
	WhenFullPause    = "pause"    // reading stops, for all webhooks, until there is room
)

// The least that the sizes may be. A state takes up to 80 MiB for its log alone, whatever is in it.
const (
	leastState Bytes = 256 << 20
	leastQueue Bytes = 1 << 20
)

// Policy is how one webhook is sent to.
type Policy struct {
	// Timeout bounds a whole attempt, the response's body included: 100ms…5m. Default: 7s.
	Timeout time.Duration `yaml:"timeout"`
	// Concurrency bounds a webhook's requests under way, 1…1024. 1 keeps all its events in order. Default: 16.
	Concurrency int `yaml:"concurrency"`
	// Retry says when an event is tried again.
	Retry Retry `yaml:"retry"`
	// MaxQueue bounds the pending and dead events of a webhook, at least 1MiB; over it Delivery.WhenFull says what
	// happens. Default: 2GiB.
	MaxQueue Bytes `yaml:"maxQueue"`
	// DeadLetterRetention is how long dead letters, and the queue of a removed webhook, are kept; more than 0.
	// Default: 720h.
	DeadLetterRetention time.Duration `yaml:"deadLetterRetention"`
}

// Retry says when a failed event is tried again, and when no more.
type Retry struct {
	// Schedule holds the pause after the 1st, 2nd, … failed attempt, 0…50 entries of 0 or more; one attempt more than
	// entries is made. Empty: a single attempt. Default: 1s, 5s, 30s, 2m, 10m, 30m, 1h, 3h, 6h, 12h, 24h, 24h.
	Schedule []time.Duration `yaml:"schedule"`
	// MaxAge is the age since commit at which an event is dead-lettered, attempts left or not; more than 0.
	// Default: 72h.
	MaxAge time.Duration `yaml:"maxAge"`
}

// The values of Webhook.Format.
const (
	FormatBlue   = "blue"   // {"event","webhook","previousValue","currentValue"}
	FormatRecord = "record" // Blue's short form, {"event","record","company","project","user"}
)

// Webhook is one receiver.
type Webhook struct {
	// ID is its identity across reloads: unique, 1–200 characters without spaces and control characters. Required.
	ID string `yaml:"id"`
	// UID is sent in the payload's webhook object. Empty: sent as null. Default: empty.
	UID string `yaml:"uid"`
	// Name is sent in the payload's webhook object. Empty: sent as null. Default: empty.
	Name string `yaml:"name"`
	// URL is the absolute http or https address, without userinfo and fragment. Its query may hold a token: never
	// log it. Required.
	URL *url.URL `yaml:"-" json:"-"`
	// Secrets sign each request; the first alone makes X-Signature. Each is not empty, and what follows whsec_ is
	// valid base64. None: requests are not signed. Default: none.
	Secrets []Secret `yaml:"secrets"`
	// Enabled false parks what is pending and queues nothing new. Default: true.
	Enabled bool `yaml:"enabled"`
	// Format is how a body is written: FormatBlue or FormatRecord. Default: blue.
	Format string `yaml:"format"`
	// Events are the types wanted. Empty: all of Blue's 37, no extension; with FormatRecord all of its three.
	// Default: empty.
	Events []string `yaml:"events"`
	// CompanyIDs are the companies wanted. Empty: all. Default: empty.
	CompanyIDs []string `yaml:"companyIds"`
	// ProjectIDs are the projects wanted. Empty: all. Default: empty.
	ProjectIDs []string `yaml:"projectIds"`
	// RequireMembership true wants only events of projects of which CreatedByID is a member. Default: false.
	RequireMembership bool `yaml:"requireMembership"`
	// Filter is asked of the event's record. Default: zero, every record.
	Filter Filter `yaml:"filter"`
	// Changed are fields of which one must differ; creations and deletions pass. Empty: none need. Default: empty.
	Changed []string `yaml:"changed"`
	// If is an expression that must hold, as Options.CheckExpression takes it. Empty: none. Default: empty.
	If string `yaml:"if"`
	// Headers are sent with each request, names as written in the file; none that bluetap or HTTP sets itself.
	// Default: none.
	Headers map[string]Secret `yaml:"headers"`
	// CAFile is the absolute path that RootCAs was read from. Empty: the system's roots. Default: empty.
	CAFile string `yaml:"caFile"`
	// RootCAs are the only roots that the receiver's certificate may chain to. Nil: the system's roots.
	RootCAs *x509.CertPool `yaml:"-" json:"-"`
	// CreatedByID is sent in the payload's webhook object. Empty: sent as null. Default: empty.
	CreatedByID string `yaml:"createdById"`
	// CreatedAt is sent in the payload's webhook object, UTC. Nil: sent as null. Default: nil.
	CreatedAt *time.Time `yaml:"createdAt"`
	// UpdatedAt is sent in the payload's webhook object, UTC. Nil: sent as null. Default: nil.
	UpdatedAt *time.Time `yaml:"updatedAt"`
	// Policy is this webhook's own where it sets one, else delivery's.
	Policy `yaml:",inline"`

	place place
}

// Defaults returns the Config that a file is decoded over. What has no default is empty: state.dir and the webhooks.
func Defaults() *Config {
	return &Config{
		Database: Database{Schema: "public", Slot: "bluetap", Publication: "bluetap"},
		State:    State{MaxSize: 10 << 30, Retention: 72 * time.Hour},
		Delivery: Delivery{
			MaxInFlight: 1024,
			WhenFull:    WhenFullOverflow,
			Policy: Policy{
				Timeout:     7 * time.Second,
				Concurrency: 16,
				Retry: Retry{
					Schedule: []time.Duration{
						time.Second, 5 * time.Second, 30 * time.Second,
						2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
						time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 24 * time.Hour,
					},
					MaxAge: 72 * time.Hour,
				},
				MaxQueue:            2 << 30,
				DeadLetterRetention: 720 * time.Hour,
			},
		},
	}
}

// newTable is what a table's override is decoded over.
func newTable() Table { return Table{Enabled: true} }

// newWebhook is what a webhook is decoded over: it inherits from d, which is complete by then.
func newWebhook(d Delivery) Webhook {
	return Webhook{Enabled: true, Format: FormatBlue, Policy: d.Policy}
}

// String returns Redacted, so that a Config that is printed by mistake tells no secret.
func (c *Config) String() string { return c.Redacted() }

// LogValue implements slog.LogValuer with Redacted.
func (c *Config) LogValue() slog.Value { return slog.StringValue(c.Redacted()) }

// String names the webhook by its id alone.
func (w Webhook) String() string { return "webhook " + w.ID }

// LogValue implements slog.LogValuer: the id alone.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.ID) }
