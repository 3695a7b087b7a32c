package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bluetap/deliver"
	"bluetap/internal/config"
	"bluetap/internal/daemon"
	"bluetap/internal/hint"
	"bluetap/internal/jsjson"
)

// shownResponse is how many bytes of a response ping shows.
const shownResponse = 1 << 10

func pingCommand() *cobra.Command {
	var file string
	var enable bool
	cmd := &cobra.Command{
		Use: "ping --config FILE ID", Short: "Send WEBHOOK_HEALTH_CHECK to a webhook; show request, status and time",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := newLog(cmd.ErrOrStderr(), "warn")
			if err != nil {
				return err
			}
			c, err := load(file, log)
			if err != nil {
				return err
			}
			w, err := webhookOf(c, args[0])
			if err != nil {
				return err
			}
			options := daemon.Options{Config: c, Version: version, Log: log}
			ping := daemon.Ping(cmd.Context(), options, w)
			if err := showPing(cmd.OutOrStdout(), w, ping); err != nil {
				return err
			}
			if !ping.Delivered() {
				return pingFailed(w.ID, ping.Result)
			}
			if !enable {
				return nil
			}
			wasGone, err := daemon.Revive(cmd.Context(), options, w)
			if err != nil {
				return err
			}
			return showRevived(cmd.OutOrStdout(), w.ID, wasGone)
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&enable, "enable", false, "on success, take up again a webhook that is GONE after a 410")
	return cmd
}

func webhookOf(c *config.Config, id string) (config.Webhook, error) {
	var ids []string
	for _, w := range c.Webhooks {
		if w.ID == id {
			return w, nil
		}
		ids = append(ids, w.ID)
	}
	return config.Webhook{}, &usageError{hint.New(fmt.Errorf("no webhook has the id %q", id),
		"name one of the file: "+strings.Join(ids, ", "))}
}

// showPing shows what went out and what came back. A URL's query and the values of configured headers are secret.
func showPing(out io.Writer, w config.Webhook, p deliver.Ping) error {
	shown := withoutQuery(w.URL)
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s\n", shown)
	secret := http.Header{}
	for name := range w.Headers {
		secret.Set(name, "<secret>")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Header)) {
		value := strings.Join(p.Header[name], ", ")
		if s := secret.Get(name); s != "" {
			value = s
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	body := bytes.ReplaceAll(p.Body, jsjson.AppendString(nil, w.URL.String()), jsjson.AppendString(nil, shown))
	fmt.Fprintf(&b, "\n%s\n", body)
	if r := p.Result; r.Err == nil {
		fmt.Fprintf(&b, "\nstatus %d %s after %s, all of it after %s\n", r.Code, http.StatusText(r.Code),
			rounded(r.FirstByte.Sub(r.Started)), rounded(r.Ended.Sub(r.Started)))
		// Before the text is cut: a part of a secret is not found.
		if text := withoutEchoes(string(r.Body), w); text != "" {
			fmt.Fprintf(&b, "response %s\n", strconv.Quote(text[:min(len(text), shownResponse)]))
		}
	}
	_, err := out.Write(b.Bytes())
	return err
}

// shortestSecret is the length in bytes below which a text is not looked for in a response: it would be found in half
// of all words, and is none that keeps anybody out.
const shortestSecret = 4

// withoutEchoes hides in a response what its receiver repeats of the request: the query and its values, the values of
// configured headers with and without their scheme, and the signing secrets. Written in another way they are not found.
func withoutEchoes(text string, w config.Webhook) string {
	secrets := []string{w.URL.RawQuery}
	for _, values := range w.URL.Query() {
		secrets = append(secrets, values...)
	}
	for _, value := range w.Headers {
		_, credentials, _ := strings.Cut(value.Reveal(), " ")
		secrets = append(secrets, value.Reveal(), credentials)
	}
	for _, s := range w.Secrets {
		secrets = append(secrets, s.Reveal())
	}
	// Where two begin at one place, the first of a Replacer wins: the longer one has to.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		if len(s) >= shortestSecret {
			pairs = append(pairs, s, "<secret>")
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

func withoutQuery(u *url.URL) string {
	if u.RawQuery == "" {
		return u.String()
	}
	shown := *u
	shown.RawQuery = ""
	return shown.String() + "?<secret>"
}

func showRevived(out io.Writer, id string, wasGone bool) error {
	text := "webhook %s is taken up again\n"
	if !wasGone {
		text = "webhook %s was not GONE: nothing to take up again\n"
	}
	_, err := fmt.Fprintf(out, text, id)
	return err
}

// pingFailed says why a health check failed, and what can be done.
func pingFailed(id string, r deliver.Result) error {
	took := rounded(r.Ended.Sub(r.Started))
	return hint.New(fmt.Errorf("health check of webhook %s: %s, after %s", id, r.Reason(), took), deliver.Advice(r))
}
