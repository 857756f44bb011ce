"""A PostgreSQL that asks for passwords: logins as a stage's database has them."""

import psycopg

from apps.devstack.postgresql import DATABASE, SUPERUSER, Cluster, database_url

# Members of this group need a password. The superuser of the cluster needs none.
GROUP = "logins"
RULE = f"local all +{GROUP} scram-sha-256\n"


def require_passwords(cluster: Cluster) -> None:
    """Let the cluster ask the members of a group for their passwords."""
    rules = cluster.data / "pg_hba.conf"
    rules.write_text(RULE + rules.read_text())
    _execute(
        cluster,
        f'CREATE ROLE "{GROUP}"',
        f'ALTER DATABASE "{DATABASE}" OWNER TO "{GROUP}"',
        "SELECT pg_reload_conf()",
    )


def set_password(cluster: Cluster, user: str, password: str) -> None:
    """Make a login that owns the database, or give it another password."""
    _execute(
        cluster,
        f"""DO $$ BEGIN CREATE ROLE "{user}" LOGIN IN ROLE "{GROUP}";
            EXCEPTION WHEN duplicate_object THEN NULL; END $$""",
        f"""ALTER ROLE "{user}" PASSWORD '{password}'""",
    )


def _execute(cluster: Cluster, *statements: str) -> None:
    with psycopg.connect(database_url(cluster.folder, SUPERUSER), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
