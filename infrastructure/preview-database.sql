-- The database user of every preview: it reads what the API reads, and can write nothing, whatever the
-- code of a pull request tries (docs/adr/0012-previews.md). Run it in staging's database as the owner of
-- its tables, once, and again when the API reads a table more:
--
--     psql "$STAGING_DATABASE_URL" --set ON_ERROR_STOP=1 --file infrastructure/preview-database.sql
--
-- How the user proves who it is, is the database's business (a password, or IAM on RDS): as for staging's.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'moped_preview') THEN
        CREATE ROLE moped_preview LOGIN NOINHERIT CONNECTION LIMIT 60;
    END IF;
END
$$;

-- A courtesy: it says "read-only" instead of "permission denied". The rights below are what counts.
ALTER ROLE moped_preview SET default_transaction_read_only = on;

-- As it is by itself since PostgreSQL 15: before, everybody may make tables in `public`.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public, moped_api TO moped_preview;
GRANT SELECT ON moped_users, moped_workgroup, moped_project, moped_project_files, moped_file_types
    TO moped_preview;
GRANT SELECT ON ALL TABLES IN SCHEMA moped_api TO moped_preview;
