"""What has ended, in one table that processes can follow; refresh grace."""

from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Move revocations into one table with numbers, and bind refresh tokens.

    Rows are copied here and not by the database, which has no one way to turn a
    time into a number.
    """
    ended = op.create_table(
        "fastbearer_ended",
        sa.Column("id", sa.String(72), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    for column in ("expires_at", "number"):
        op.create_index(f"ix_fastbearer_ended_{column}", "fastbearer_ended", [column])
    number = op.create_table(
        "fastbearer_ended_number",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    op.bulk_insert(number, [{"id": 1, "number": 0}])
    op.bulk_insert(ended, [*_tokens(), *_users()])
    op.drop_table("fastbearer_revoked")
    op.drop_table("fastbearer_not_before")
    op.add_column("fastbearer_refresh_token", sa.Column("generation", sa.BigInteger()))


def _tokens() -> list[dict[str, object]]:
    table = sa.table(
        "fastbearer_revoked",
        sa.column("id"),
        sa.column("expires_at", sa.DateTime(timezone=True)),
    )
    rows = []
    for key, expires_at in op.get_bind().execute(sa.select(table)):
        # SQLite gives it back without its zone, which is UTC.
        until = expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
        value = int(until.timestamp()) + 1
        rows.append(_row(f"t:{key}", value, until))
    return rows


def _users() -> list[dict[str, object]]:
    table = sa.table("fastbearer_not_before", sa.column("id"), sa.column("issued_at"))
    found = op.get_bind().execute(sa.select(table))
    return [_row(f"u:{key}", issued_at, None) for key, issued_at in found]


def _row(name: str, value: int, expires_at: object) -> dict[str, object]:
    return {"id": name, "value": value, "expires_at": expires_at, "number": 0}
