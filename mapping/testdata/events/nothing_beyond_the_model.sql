-- Columns that are not sent, and rows that are only nested, fire nothing by themselves.
-- when
UPDATE users SET password_hash = 'changed', last_active_at = '2026-02-02T00:00:00Z' WHERE id = 'ben';
UPDATE companies SET stripe_customer_id = 'cus_1' WHERE id = 'acme';
UPDATE projects SET description = 'Site' WHERE id = 'web';
UPDATE projects SET description = NULL WHERE id = 'web';
