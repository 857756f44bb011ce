-- What Hasura's migrations made of the tables that this API shares (a restatement of their catalogue).
CREATE EXTENSION citext;
CREATE TABLE moped_department (department_id serial PRIMARY KEY, department_name text NOT NULL);
CREATE TABLE moped_workgroup (
    workgroup_id serial PRIMARY KEY,
    workgroup_name text NOT NULL,
    workgroup_abbreviation text,
    department_id integer REFERENCES moped_department,
    date_added timestamptz DEFAULT clock_timestamp(),
    is_deleted boolean NOT NULL DEFAULT false
);
CREATE TABLE moped_users (
    user_id serial PRIMARY KEY,
    first_name text NOT NULL,
    last_name text NOT NULL,
    title text NOT NULL,
    email citext NOT NULL,
    workgroup_id integer REFERENCES moped_workgroup ON DELETE RESTRICT,
    cognito_user_id uuid,
    roles jsonb,
    is_coa_staff boolean NOT NULL DEFAULT false,
    is_deleted boolean NOT NULL DEFAULT false,
    is_user_group_member boolean NOT NULL DEFAULT false,
    note text,
    picture text,
    date_added timestamptz DEFAULT clock_timestamp(),
    last_seen_date timestamptz,
    CONSTRAINT moped_users_email_key UNIQUE (email),
    CONSTRAINT moped_users_cognito_user_id_key UNIQUE (cognito_user_id)
);
ALTER TABLE moped_users ADD CONSTRAINT moped_users_user_id_key UNIQUE (user_id);
CREATE UNIQUE INDEX moped_users_unique_email_idx ON moped_users (email);
CREATE TABLE moped_user_events (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES moped_users ON DELETE CASCADE,
    event_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION note_last_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE moped_users SET last_seen_date = NEW.created_at WHERE user_id = NEW.user_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER note_last_seen AFTER INSERT ON moped_user_events FOR EACH ROW EXECUTE FUNCTION note_last_seen();
CREATE TABLE moped_project (
    project_id serial PRIMARY KEY,
    project_name text NOT NULL,
    is_deleted boolean NOT NULL DEFAULT false
);
CREATE TABLE moped_file_types (id serial PRIMARY KEY, name text NOT NULL UNIQUE, slug text NOT NULL UNIQUE);
CREATE TABLE moped_project_files (
    project_file_id serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES moped_project ON DELETE CASCADE,
    file_key text,
    file_url text,
    file_name text NOT NULL,
    file_description text,
    file_size integer NOT NULL,
    file_type integer NOT NULL DEFAULT 0 REFERENCES moped_file_types,
    file_permissions jsonb,
    file_metadata jsonb,
    api_response jsonb,
    is_scanned boolean NOT NULL DEFAULT false,
    is_deleted boolean NOT NULL DEFAULT false,
    created_by_user_id integer NOT NULL REFERENCES moped_users,
    updated_by_user_id integer REFERENCES moped_users,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT file_location_not_null CHECK (file_key IS NOT NULL OR file_url IS NOT NULL)
);
INSERT INTO moped_department (department_name) VALUES ('Mobility');
INSERT INTO moped_workgroup (workgroup_name, department_id) VALUES ('The only one', 1);
INSERT INTO moped_users (first_name, last_name, title, email, workgroup_id, roles, date_added) VALUES
    ('Ada', 'Admin', 'Boss', 'Ada.Admin@AustinTexas.gov', 1, '["moped-admin"]', '2020-12-04 16:53:02+00'),
    ('Nora', 'Nologin', '', 'nora@example.org', NULL, '["non-login-user"]', '2021-01-01 00:00:00+00');
INSERT INTO moped_user_events (user_id, event_name) VALUES (1, 'app_load');
INSERT INTO moped_project (project_name) VALUES ('A bridge');
INSERT INTO moped_file_types (name, slug) VALUES ('Funding', 'funding');
INSERT INTO moped_project_files (project_id, file_url, file_name, file_size, file_type, created_by_user_id)
    VALUES (1, 'https://example.org', 'x.pdf', 1, 1, 1);
-- A key that is longer than a row of a B-tree.
INSERT INTO moped_project_files (project_id, file_key, file_name, file_size, file_type, created_by_user_id)
    SELECT 1, string_agg(md5(number::text), ''), 'y.pdf', 1, 1, 1 FROM generate_series(1, 400) AS number;
