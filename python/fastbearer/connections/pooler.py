"""PgBouncer in transaction mode, where each transaction may have another session.

Whatever a session would keep is lost or, worse, another client's: prepared statements
with names, notifications, settings. Where a URL has ``pgbouncer=true``, nothing of the
kind is used.
"""

from __future__ import annotations

from sqlalchemy import exc
from sqlalchemy.engine import make_url

from fastbearer.connections.libpq import POOLER, with_hosts_apart
from fastbearer.errors import ConfigurationError

__all__ = ["MISTAKEN", "is_mistaken", "pooled"]

POOLERS = ("none", "pgbouncer")
MISTAKEN_STATES = ("26000", "42P05")
"""SQLSTATE: a prepared statement does not exist, or is there twice."""

UNKNOWN_POOLER = "DATABASE_POOLER must be none or pgbouncer"
MISTAKEN = (
    "the database is reached through PgBouncer, whose transactions change sessions:"
    " set DATABASE_POOLER=pgbouncer, or add pgbouncer=true to its URL"
)
NOT_POSTGRESQL = (
    "DATABASE_POOLER=pgbouncer is for PostgreSQL, and {} is not: without that setting,"
    " say it in the one URL that it is true of, as ?pgbouncer=true"
)


def pooled(url: str, pooler: str | None, name: str) -> str:
    """Return a URL that says what a setting says of all.

    Args:
        url: SQLAlchemy's or libpq's; an unfit one stays as it is.
        pooler: "pgbouncer"; "none" or None for none.
        name: What an error calls the URL.

    Raises:
        ConfigurationError: The database is another than PostgreSQL, or the pooler is
            unknown.
    """
    if pooler not in (None, "", *POOLERS):
        raise ConfigurationError(UNKNOWN_POOLER)
    if pooler != "pgbouncer":
        return url
    try:
        parsed = make_url(with_hosts_apart(url))
    except (exc.ArgumentError, ValueError):
        return url
    if parsed.drivername.partition("+")[0] not in ("postgres", "postgresql"):
        raise ConfigurationError(NOT_POSTGRESQL.format(name))
    parsed = parsed.update_query_dict({POOLER: "true"})
    return parsed.render_as_string(hide_password=False)


def is_mistaken(error: BaseException | None) -> bool:
    """Tell whether an error comes of a pooler that the URL does not tell of."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state in MISTAKEN_STATES
