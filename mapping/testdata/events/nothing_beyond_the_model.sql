-- Columns that are not sent, and rows that are only nested, fire nothing by themselves.
-- when
UPDATE users SET password_hash = 'changed', last_active_at = now() WHERE id = 'ben';
UPDATE companies SET stripe_customer_id = 'cus_1' WHERE id = 'acme';
UPDATE projects SET description = 'Site' WHERE id = 'web';
UPDATE projects SET description = NULL WHERE id = 'web';
