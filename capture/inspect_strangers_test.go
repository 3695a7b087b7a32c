//go:build unix

package capture

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bluetap/internal/finding"
	"bluetap/internal/pgtest"
)

// strangers are tables beside Blue's, by how a publication holds them, and all that the server refuses to update then.
const strangers = `
CREATE TABLE blue (id int PRIMARY KEY);
CREATE TABLE fit (id int PRIMARY KEY, b int, c int);
CREATE TABLE nokey (id int, b int, c int);
CREATE TABLE late (id int PRIMARY KEY DEFERRABLE, b int, c int);
CREATE TABLE whole (id int, b int, c int); ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE listed (id int PRIMARY KEY, b int, c int);
CREATE TABLE outside (id int PRIMARY KEY, b int, c int);
CREATE TABLE filtered (id int PRIMARY KEY, b int, c int);
CREATE TABLE byother (id int PRIMARY KEY, b int, c int);
CREATE TABLE "Part ed" (id int, b int, c int) PARTITION BY LIST (id);
CREATE TABLE leaf1 PARTITION OF "Part ed" FOR VALUES IN (1);
CREATE TABLE leaf2 PARTITION OF "Part ed" (PRIMARY KEY (id)) FOR VALUES IN (2);
CREATE VIEW v AS SELECT 1;
`

// TestInspectStrangers asks the server itself which tables cannot be updated, and compares.
func TestInspectStrangers(t *testing.T) {
	const with = ` WITH (publish_via_partition_root)`
	for name, publication := range map[string]string{
		"by name": `CREATE PUBLICATION "Tap it" FOR TABLE blue, fit, nokey, late, whole, "Part ed"` + with,
		"lists and filters": `CREATE PUBLICATION "Tap it" FOR TABLE blue, listed (id, b), outside (b, c),
			filtered WHERE (id > 1), byother WHERE (b > 1), "Part ed" (b)` + with,
		"all tables":  `CREATE PUBLICATION "Tap it" FOR ALL TABLES` + with,
		"schema":      `CREATE PUBLICATION "Tap it" FOR TABLES IN SCHEMA public` + with,
		"insert only": `CREATE PUBLICATION "Tap it" FOR ALL TABLES WITH (publish = insert, publish_via_partition_root)`,
	} {
		t.Run(name, func(t *testing.T) {
			s := pgtest.Start(t)
			version, err := strconv.Atoi(s.Exec(t, "postgres", "SHOW server_version_num"))
			if err != nil {
				t.Fatal(err)
			}
			if version < 150000 && (name == "lists and filters" || name == "schema") {
				t.Skip("the server has no lists, filters and schemas")
			}
			s.Exec(t, "postgres", strangers+publication)
			cfg, _ := newConfig(t, s.URL("postgres"))
			refused := refusedUpdates(t, s)
			if name != "insert only" && len(refused) < 2 {
				t.Fatalf("the server refuses only %v", refused)
			}
			var told []string
			for _, f := range Inspect(t.Context(), cfg, Inspection{Tables: blueOf(t, cfg)}) {
				if f.Code != finding.ReplicaID || f.Severity != finding.Error {
					continue
				}
				told = append(told, strings.TrimPrefix(f.Subject, "public."))
				if sql, ok := strings.CutPrefix(f.Next, "ALTER PUBLICATION"); ok {
					s.Exec(t, "postgres", "BEGIN; ALTER PUBLICATION"+sql+"; ROLLBACK")
				}
			}
			slices.Sort(told)
			if !slices.Equal(told, refused) {
				t.Errorf("told of %v, and the server refuses %v", told, refused)
			}
		})
	}
}

// blueOf returns the one table that is bluetap's business.
func blueOf(t *testing.T, cfg Config) []Table {
	t.Helper()
	tables, err := Tables(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(tables, func(t Table) bool { return t.Name != "blue" })
}

// refusedUpdates tries to update every table.
func refusedUpdates(t *testing.T, s *pgtest.Server) []string {
	t.Helper()
	conn, refused := s.Conn(t, "postgres"), map[string]bool{}
	for _, table := range []string{"fit", "nokey", "late", "whole", "listed", "outside", "filtered", "byother", "leaf1",
		"leaf2"} {
		if _, err := conn.Exec(t.Context(), "INSERT INTO "+table+" VALUES (CASE '"+table+
			"' WHEN 'leaf2' THEN 2 ELSE 1 END, 2, 3); UPDATE "+table+" SET b = 3"); err != nil {
			refused[table] = true
		}
	}
	return slices.Sorted(maps.Keys(refused))
}

// TestStoredBytes counts partitions and values that are stored out of line.
func TestStoredBytes(t *testing.T) {
	s := pgtest.Start(t)
	s.Exec(t, "postgres", `CREATE TABLE p (id int PRIMARY KEY, t text) PARTITION BY LIST (id);
		CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); ALTER TABLE p1 ALTER t SET STORAGE EXTERNAL;
		INSERT INTO p VALUES (1, repeat('x', 1000000))`)
	cfg, _ := newConfig(t, s.URL("postgres"))
	tables, err := Tables(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := StoredBytes(t.Context(), cfg, tables)
	if err != nil || bytes < 1_000_000 || bytes > 2_000_000 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
	if n, err := AtMost(t.Context(), cfg, tables[0], 2); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
