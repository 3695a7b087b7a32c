-- Blue's model as snake_case plural tables, columns in the order of Blue's payloads. todo_lists and todos hold
-- exactly the columns of Blue's one published delivery, since every further column of theirs would be sent.

CREATE TYPE comment_category AS ENUM ('TODO', 'DISCUSSION', 'STATUS_UPDATE');
CREATE TYPE user_access_level AS ENUM ('OWNER', 'ADMIN', 'MEMBER', 'CLIENT', 'COMMENT_ONLY', 'VIEW_ONLY');
CREATE TYPE custom_field_type AS ENUM (
    'CHECKBOX', 'COUNTRY', 'CURRENCY', 'DATE', 'EMAIL', 'LOCATION', 'NUMBER', 'PERCENT', 'PHONE', 'RATING',
    'SELECT_MULTI', 'SELECT_SINGLE', 'TEXT_MULTI', 'TEXT_SINGLE', 'UNIQUE_ID', 'URL');

CREATE TABLE users (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    username text,
    email text NOT NULL,
    password_hash text NOT NULL DEFAULT '',
    phone_number text,
    first_name text NOT NULL DEFAULT '',
    last_name text NOT NULL DEFAULT '',
    date_of_birth date,
    is_email_verified boolean NOT NULL DEFAULT false,
    timezone text,
    last_active_at timestamptz(3),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE companies (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    description text,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    free_trial_expired_at timestamptz(3),
    free_trial_started_at timestamptz(3),
    subscribed_at timestamptz(3),
    image_id text,
    subscription_plan_id text,
    free_trial_extended_by_id text,
    free_trial_extended_at timestamptz(3),
    stripe_customer_id text
);

CREATE TABLE projects (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    slug text NOT NULL,
    name text NOT NULL,
    description text,
    archived boolean NOT NULL DEFAULT false,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    is_template boolean NOT NULL DEFAULT false,
    is_official_template boolean NOT NULL DEFAULT false,
    category text NOT NULL DEFAULT 'GENERAL',
    company_id text NOT NULL REFERENCES companies ON DELETE CASCADE,
    image_id text,
    hide_email_from_roles text,
    todo_fields jsonb
);

CREATE TABLE project_users (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    level user_access_level NOT NULL DEFAULT 'MEMBER',
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    UNIQUE (project_id, user_id)
);

CREATE TABLE todo_lists (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    title text NOT NULL,
    position double precision NOT NULL DEFAULT 65535,
    created_by_id text REFERENCES users ON DELETE SET NULL,
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE
);

CREATE TABLE todos (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    title text NOT NULL,
    html text,
    text text,
    position numeric(65, 30) NOT NULL DEFAULT 65535,
    archived boolean NOT NULL DEFAULT false,
    done boolean NOT NULL DEFAULT false,
    started_at timestamptz(3),
    dued_at timestamptz(3),
    timezone text,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    created_by_id text REFERENCES users ON DELETE SET NULL,
    todo_list_id text NOT NULL REFERENCES todo_lists ON DELETE CASCADE
);

-- A comment belongs to one of a todo, a discussion or a status update, as its category says; the last two are kept
-- elsewhere.
CREATE TABLE comments (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    html text NOT NULL DEFAULT '',
    text text NOT NULL DEFAULT '',
    category comment_category NOT NULL DEFAULT 'TODO',
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    deleted_at timestamptz(3),
    user_id text REFERENCES users ON DELETE SET NULL,
    todo_id text REFERENCES todos ON DELETE CASCADE,
    discussion_id text,
    status_update_id text
);

CREATE TABLE checklists (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    title text NOT NULL,
    position double precision NOT NULL DEFAULT 65535,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    created_by_id text REFERENCES users ON DELETE SET NULL,
    todo_id text NOT NULL REFERENCES todos ON DELETE CASCADE
);

CREATE TABLE checklist_items (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    title text NOT NULL,
    done boolean NOT NULL DEFAULT false,
    position double precision NOT NULL DEFAULT 65535,
    started_at timestamptz(3),
    dued_at timestamptz(3),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    created_by_id text REFERENCES users ON DELETE SET NULL,
    checklist_id text NOT NULL REFERENCES checklists ON DELETE CASCADE
);

CREATE TABLE checklist_item_users (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    checklist_item_id text NOT NULL REFERENCES checklist_items ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE
);

CREATE TABLE tags (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    title text NOT NULL DEFAULT '',
    color text NOT NULL DEFAULT '#4a9fff',
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE
);

CREATE TABLE custom_fields (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    name text NOT NULL,
    type custom_field_type NOT NULL DEFAULT 'TEXT_SINGLE',
    position double precision NOT NULL DEFAULT 65535,
    description text,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE,
    min double precision,
    max double precision,
    currency text,
    prefix text,
    is_due_date boolean,
    formula jsonb
);

CREATE TABLE custom_field_options (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    title text NOT NULL,
    color text NOT NULL DEFAULT '#4a9fff',
    position double precision NOT NULL DEFAULT 65535,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    custom_field_id text NOT NULL REFERENCES custom_fields ON DELETE CASCADE
);

-- Pairs are not unique: Blue replaces sets by deleting and inserting again, in either order.
CREATE TABLE todo_users (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    todo_id text NOT NULL REFERENCES todos ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE
);

CREATE TABLE todo_tags (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    todo_id text NOT NULL REFERENCES todos ON DELETE CASCADE,
    tag_id text NOT NULL REFERENCES tags ON DELETE CASCADE
);

CREATE TABLE todo_custom_fields (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    number numeric(65, 30),
    text text,
    region_code text,
    country_codes text,
    checked boolean,
    latitude double precision,
    longitude double precision,
    currency text,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    todo_id text NOT NULL REFERENCES todos ON DELETE CASCADE,
    custom_field_id text NOT NULL REFERENCES custom_fields ON DELETE CASCADE
);

CREATE TABLE todo_custom_field_options (
    id text PRIMARY KEY,
    uid text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    todo_custom_field_id text NOT NULL REFERENCES todo_custom_fields ON DELETE CASCADE,
    custom_field_option_id text NOT NULL REFERENCES custom_field_options ON DELETE CASCADE
);

-- Cascades look rows up by these.
CREATE INDEX ON projects (company_id);
CREATE INDEX ON todo_lists (project_id);
CREATE INDEX ON todos (todo_list_id);
CREATE INDEX ON comments (todo_id);
CREATE INDEX ON checklists (todo_id);
CREATE INDEX ON checklist_items (checklist_id);
CREATE INDEX ON checklist_item_users (checklist_item_id);
CREATE INDEX ON checklist_item_users (user_id);
CREATE INDEX ON tags (project_id);
CREATE INDEX ON custom_fields (project_id);
CREATE INDEX ON custom_field_options (custom_field_id);
CREATE INDEX ON todo_users (todo_id);
CREATE INDEX ON todo_users (user_id);
CREATE INDEX ON todo_tags (todo_id);
CREATE INDEX ON todo_tags (tag_id);
CREATE INDEX ON todo_custom_fields (todo_id);
CREATE INDEX ON todo_custom_fields (custom_field_id);
CREATE INDEX ON todo_custom_field_options (todo_custom_field_id);
CREATE INDEX ON todo_custom_field_options (custom_field_option_id);
