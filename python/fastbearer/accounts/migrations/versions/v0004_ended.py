"""What has ended, in one table that processes can follow."""

from datetime import UTC

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import (
    MOMENT,
    add_column,
    create_index,
    create_table,
    drop_table,
    insert_rows,
    rows_of,
)

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Move revocations into one table with numbers, and bind refresh tokens.

    Rows are copied here and not by the database, which has no one way to turn a
    time into a number.
    """
    ended = create_table(
        "fastbearer_ended",
        sa.Column("id", sa.String(72), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    for column in ("expires_at", "number"):
        create_index(f"ix_fastbearer_ended_{column}", "fastbearer_ended", [column])
    number = create_table(
        "fastbearer_ended_number",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    insert_rows(number, [{"id": 1, "number": 0}])
    insert_rows(ended, [*_tokens(), *_users()])
    drop_table("fastbearer_revoked")
    drop_table("fastbearer_not_before")
    add_column("fastbearer_refresh_token", sa.Column("generation", sa.BigInteger()))


def _tokens() -> list[dict[str, object]]:
    table = sa.table(
        "fastbearer_revoked",
        sa.column("id"),
        sa.column("expires_at", MOMENT),
    )
    rows = []
    for key, expires_at in rows_of(table):
        # SQLite gives it back without its zone, which is UTC.
        until = expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
        value = int(until.timestamp()) + 1
        rows.append(_row(f"t:{key}", value, until))
    return rows


def _users() -> list[dict[str, object]]:
    table = sa.table("fastbearer_not_before", sa.column("id"), sa.column("issued_at"))
    return [_row(f"u:{key}", issued_at, None) for key, issued_at in rows_of(table)]


def _row(name: str, value: int, expires_at: object) -> dict[str, object]:
    return {"id": name, "value": value, "expires_at": expires_at, "number": 0}
