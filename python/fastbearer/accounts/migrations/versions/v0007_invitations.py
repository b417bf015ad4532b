"""Invitations to sign up."""

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import MOMENT, create_index, create_table

revision = "0007"
down_revision = "0006"

TABLE = "fastbearer_invitation"


def upgrade() -> None:
    """Add a table."""
    create_table(
        TABLE,
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("email", sa.String(254)),
        sa.Column("is_sent", sa.Boolean(), nullable=False),
        sa.Column("roles", sa.String(1000), nullable=False),
        sa.Column("invited_by", sa.String(255)),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
    )
    create_index(f"ix_{TABLE}_expires_at", TABLE, ["expires_at"])
