-- The database user of all previews. It reads what the API reads and can write nothing, whatever the
-- code of a pull request tries (docs/adr/0012-previews.md). Run it in staging's database as the owner of
-- its tables, once, and again when the API reads a table more:
--
--     psql "$STAGING_DATABASE_URL" --set ON_ERROR_STOP=1 --file infrastructure/preview-database.sql
--
-- It logs in as the user of staging does: with a password, or with IAM on RDS.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'moped_preview') THEN
        CREATE ROLE moped_preview LOGIN NOINHERIT CONNECTION LIMIT 60;
    END IF;
END
$$;

-- The message of a refused write is then "read-only" instead of "permission denied". The rights below decide.
ALTER ROLE moped_preview SET default_transaction_read_only = on;

-- The default since PostgreSQL 15. Before, every user may create tables in `public`.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public, moped_api TO moped_preview;
GRANT SELECT ON moped_users, moped_workgroup, moped_project, moped_project_files, moped_file_types
    TO moped_preview;
GRANT SELECT ON ALL TABLES IN SCHEMA moped_api TO moped_preview;
