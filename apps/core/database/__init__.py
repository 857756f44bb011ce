"""PostgreSQL: fields, queries, migrations and the backend."""
