"""Users."""

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import MOMENT, TEXT, create_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table of users, unless a version before this one has."""
    create_table(
        "fastbearer_user",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("email", sa.String(254), nullable=False, unique=True),
        sa.Column("name", sa.String(255)),
        sa.Column("password_hash", TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        if_not_exists=True,
    )
