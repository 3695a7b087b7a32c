//go:build unix

// Command floor is the bare minimum that bluetap is measured against: it receives inserted todos from a logical
// replication slot and sends one POST for each, with a body of the size of Blue's own. It keeps no state and no
// order, retries nothing, signs nothing.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"golang.org/x/sync/errgroup"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, log, os.Args[1:]); err != nil {
		log.Error("stopped", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("floor", flag.ContinueOnError)
	database := flags.String("database", "", "URL of the database")
	slot := flags.String("slot", "floor", "replication slot, of the plugin pgoutput")
	publication := flags.String("publication", "floor", "publication, of the table todos only")
	body := flags.String("body", "mapping/testdata/todo_created.json", "file with the body to send")
	to := flags.String("to", "", "URL to send to")
	connections := flags.Int("connections", 64, "how many requests at a time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	template, err := os.ReadFile(*body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	poster, err := newPoster(*to, template, *connections)
	if err != nil {
		return err
	}
	conn, err := connect(ctx, *database, *slot, *publication)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	log.Info("streaming")
	ids := make(chan []byte, 1024)
	var group errgroup.Group
	for range *connections {
		group.Go(func() error { return poster.run(ids) })
	}
	group.Go(func() error {
		defer close(ids)
		return receive(ctx, conn, ids)
	})
	return group.Wait()
}

func connect(ctx context.Context, database, slot, publication string) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig(database)
	if err != nil {
		return nil, fmt.Errorf("parse database URL: %w", err)
	}
	config.RuntimeParams["replication"] = "database"
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	err = pglogrepl.StartReplication(ctx, conn, slot, 0, pglogrepl.StartReplicationOptions{
		PluginArgs: []string{"proto_version '1'", fmt.Sprintf("publication_names '%s'", publication)},
	})
	if err != nil {
		return nil, fmt.Errorf("start replication: %w", err)
	}
	return conn, nil
}

// receive reads with the background context, since pgconn starts a goroutine a message for any other; a deadline
// ends it instead.
func receive(ctx context.Context, conn *pgconn.PgConn, ids chan<- []byte) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Conn().SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var end pglogrepl.LSN
	for {
		msg, err := conn.ReceiveMessage(context.Background())
		if err != nil && ctx.Err() != nil {
			return confirm(conn, end)
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		data, ok := msg.(*pgproto3.CopyData)
		if !ok {
			continue
		}
		switch data.Data[0] {
		case pglogrepl.PrimaryKeepaliveMessageByteID:
			keepalive, err := pglogrepl.ParsePrimaryKeepaliveMessage(data.Data[1:])
			if err == nil && keepalive.ReplyRequested {
				err = confirm(conn, end)
			}
			if err != nil {
				return err
			}
		case pglogrepl.XLogDataByteID:
			committed, err := handle(data.Data[1:], ids)
			if err != nil {
				return err
			}
			end = max(end, committed)
		}
	}
}

// handle hands over the id of an inserted row. It returns the end of a commit, else 0.
func handle(data []byte, ids chan<- []byte) (pglogrepl.LSN, error) {
	xlog, err := pglogrepl.ParseXLogData(data)
	if err != nil {
		return 0, fmt.Errorf("parse message: %w", err)
	}
	msg, err := pglogrepl.Parse(xlog.WALData)
	if err != nil {
		return 0, fmt.Errorf("parse message: %w", err)
	}
	switch msg := msg.(type) {
	case *pglogrepl.InsertMessage:
		ids <- msg.Tuple.Columns[0].Data
	case *pglogrepl.CommitMessage:
		return msg.TransactionEndLSN, nil
	}
	return 0, nil
}

func confirm(conn *pgconn.PgConn, end pglogrepl.LSN) error {
	if err := conn.Conn().SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	status := pglogrepl.StandbyStatusUpdate{WALWritePosition: end, WALFlushPosition: end, WALApplyPosition: end}
	if err := pglogrepl.SendStandbyStatusUpdate(context.Background(), conn, status); err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	return nil
}

// poster sends the template with the id of its todo replaced.
type poster struct {
	client       http.Client
	to           string
	before, rest []byte
}

func newPoster(to string, template []byte, connections int) (*poster, error) {
	before, after, found := bytes.Cut(template, []byte(`"currentValue":{"id":"`))
	end := bytes.IndexByte(after, '"')
	if !found || end < 0 {
		return nil, fmt.Errorf("read body: no id of a current value in it")
	}
	return &poster{
		client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}},
		to:     to,
		before: append(bytes.Clone(before), `"currentValue":{"id":"`...),
		rest:   after[end:],
	}, nil
}

func (p *poster) run(ids <-chan []byte) error {
	var body []byte
	for id := range ids {
		body = append(append(append(body[:0], p.before...), id...), p.rest...)
		resp, err := p.client.Post(p.to, "application/json", bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("post: %w", err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return fmt.Errorf("post: %w", err)
		}
	}
	return nil
}
