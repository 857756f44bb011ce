-- Creates the database user of all previews. It may read the tables that the API reads, and it may not
-- write (docs/adr/0012-previews.md). Run this file once in staging's database, as the owner of its
-- tables. Run it again when the API reads another table:
--
--     psql "$STAGING_DATABASE_URL" --set ON_ERROR_STOP=1 --file infrastructure/preview-database.sql
--
-- The user logs in like the user of staging: with a password, or with IAM on RDS.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'moped_preview') THEN
        CREATE ROLE moped_preview LOGIN NOINHERIT CONNECTION LIMIT 60;
    END IF;
END
$$;

-- This only changes the error of a write from "permission denied" to "read-only". The grants below protect the data.
ALTER ROLE moped_preview SET default_transaction_read_only = on;

-- The default since PostgreSQL 15. In older versions every user may create tables in `public`.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public, moped_api TO moped_preview;
GRANT SELECT ON moped_users, moped_workgroup, moped_project, moped_project_files, moped_file_types
    TO moped_preview;
GRANT SELECT ON ALL TABLES IN SCHEMA moped_api TO moped_preview;
