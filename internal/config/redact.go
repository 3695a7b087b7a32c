package config

import (
	"net/url"
	"strings"

	"gopkg.in/yaml.v3"
)

// Redacted returns the whole Config as YAML, in the order of the types, with <secret> for secrets, header values,
// passwords in URLs and every URL's query.
func (c *Config) Redacted() string {
	var out strings.Builder
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(c); err != nil {
		return "config: " + err.Error()
	}
	return out.String()
}

// MarshalYAML implements yaml.Marshaler with the URL's secret parts left out.
func (d Database) MarshalYAML() (any, error) {
	type plain Database
	shown := struct {
		URL   string `yaml:"url"`
		plain `yaml:",inline"`
	}{redactConn(d.URL.Reveal()), plain(d)}
	return shown, nil
}

// MarshalYAML implements yaml.Marshaler with the URL's secret parts left out.
func (w Webhook) MarshalYAML() (any, error) {
	type plain Webhook
	shown := struct {
		plain `yaml:",inline"`
		URL   string `yaml:"url"`
	}{plain(w), redactURL(w.URL)}
	return shown, nil
}

// redactConn shows a connection string as far as its parts can be told apart with certainty.
func redactConn(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return redacted
	}
	return redactURL(u)
}

func redactURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	var out strings.Builder
	out.WriteString(u.Scheme + "://")
	if u.User != nil {
		out.WriteString(url.PathEscape(u.User.Username()))
		if _, set := u.User.Password(); set {
			out.WriteString(":" + redacted)
		}
		out.WriteString("@")
	}
	out.WriteString(u.Host + u.EscapedPath())
	if u.RawQuery != "" {
		out.WriteString("?" + redacted)
	}
	return out.String()
}
