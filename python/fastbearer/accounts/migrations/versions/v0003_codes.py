"""Codes belong to users, not to e-mails."""

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import (
    MOMENT,
    create_index,
    create_table,
    drop_table,
)

revision = "0003"
down_revision = "0002"

TABLE = "fastbearer_code"


def upgrade() -> None:
    """Make the table of codes anew; whose the old ones are, nobody can tell."""
    drop_table(TABLE)
    create_table(
        TABLE,
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    for column in ("user_id", "expires_at"):
        create_index(f"ix_{TABLE}_{column}", TABLE, [column])
