"""PostgreSQL: fields, migrations and the backend."""
