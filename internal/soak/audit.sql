-- The truth of the history test: every change of Blue's tables, written by triggers in the transaction that makes it.
-- Rolled back with it, prepared with it, and decoded in commit order through a slot of its own.

CREATE TABLE audit (
    seq bigserial PRIMARY KEY,
    tbl text NOT NULL,
    op text NOT NULL, -- I, U, D or T
    old text,
    new text
);

CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (tbl, op, old, new) VALUES (TG_TABLE_NAME, left(TG_OP, 1),
        CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN row_to_json(OLD)::text END,
        CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN row_to_json(NEW)::text END);
    IF TG_OP = 'UPDATE' THEN
        RETURN NEW;
    END IF;
    RETURN OLD;
END $$;

-- Lines of the audit stand in the order in which rows change in the log. After a change a cascade's triggers would come
-- before those of the row that it started from, so what can cascade is written down before it. COPY writes many rows
-- at once only where no trigger comes before.
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'audit' LOOP
        EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON %I FOR EACH ROW EXECUTE FUNCTION audit()', name);
        EXECUTE format('CREATE TRIGGER audit BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION audit()', name);
        EXECUTE format('CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION audit()', name);
    END LOOP;
END $$;

CREATE PUBLICATION soak_audit FOR TABLE audit WITH (publish = 'insert');
SELECT pg_create_logical_replication_slot('soak_audit', 'pgoutput');
