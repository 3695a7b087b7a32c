//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"bluetap/internal/blueschema"
	"bluetap/internal/pgserver"

	"github.com/jackc/pgx/v5"
	"gopkg.in/yaml.v3"
)

const database = "postgres"

// open starts the server, with Blue's tables and what surrounds a todo, and the receiver.
func open(ctx context.Context) (*bench, error) {
	pg, err := pgserver.New(ctx, pgserver.Options{})
	if err != nil {
		return nil, err
	}
	b := &bench{pg: pg}
	if err := b.prepare(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) prepare(ctx context.Context) error {
	if _, err := b.pg.Psql(ctx, database, blueschema.SQL()+blueschema.SeedTodoCreated()); err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	var err error
	if b.conn, err = pgx.Connect(ctx, b.pg.URL(database)); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	b.receiver, err = newReceiver()
	return err
}

func (b *bench) close() error {
	var err error
	if b.receiver != nil {
		err = b.receiver.close()
	}
	return errors.Join(err, b.pg.Close())
}

// floor makes the floor's slot and returns the program.
func (b *bench) floor(ctx context.Context, binary, body string, connections int) (program, error) {
	slot := fmt.Sprintf("floor%d", connections)
	_, err := b.pg.Psql(ctx, database, fmt.Sprintf(`CREATE PUBLICATION %[1]s FOR TABLE todos;
		SELECT pg_create_logical_replication_slot('%[1]s', 'pgoutput');`, slot))
	if err != nil {
		return program{}, fmt.Errorf("create slot: %w", err)
	}
	return program{name: fmt.Sprintf("floor, %d", connections), argv: []string{
		binary, "-database", b.pg.URL(database), "-slot", slot, "-publication", slot, "-body", body,
		"-to", b.receiver.url, "-connections", fmt.Sprint(connections),
	}}, nil
}

// bluetap writes its configuration and runs it once, which makes the slot and the first snapshot.
func (b *bench) bluetap(ctx context.Context, binary, body, dir string, connections int) (program, error) {
	config, err := b.config(body, dir, connections)
	if err != nil {
		return program{}, err
	}
	path := filepath.Join(dir, "bluetap.yaml")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return program{}, fmt.Errorf("write config: %w", err)
	}
	p := program{name: fmt.Sprintf("bluetap, %d", connections), argv: []string{binary, "run", "--config", path}}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	running, err := p.start(ctx)
	if err != nil {
		return program{}, err
	}
	_, err = running.stop(ctx, running.awaitStreaming(ctx))
	return p, err
}

type dict map[string]any

// config has the webhook of Blue's document, so that both programs send bodies of one size.
func (b *bench) config(body, dir string, connections int) ([]byte, error) {
	data, err := os.ReadFile(body)
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	var document struct {
		Webhook struct {
			ID, UID, Name, CreatedByID, CreatedAt, UpdatedAt string
			Metadata                                         struct{ Events, ProjectIDs []string }
		}
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	hook := document.Webhook
	config, err := yaml.Marshal(dict{
		"database": dict{"url": b.pg.URL(database)},
		"state":    dict{"dir": filepath.Join(dir, "state")},
		"delivery": dict{"allowedNetworks": []string{"127.0.0.0/8"}, "concurrency": connections},
		"webhooks": []dict{{
			"id": hook.ID, "uid": hook.UID, "name": hook.Name, "url": b.receiver.url, "secret": "a secret to sign with",
			"events": hook.Metadata.Events, "projectIds": hook.Metadata.ProjectIDs,
			"createdById": hook.CreatedByID, "createdAt": hook.CreatedAt, "updatedAt": hook.UpdatedAt,
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("write config: %w", err)
	}
	return config, nil
}
