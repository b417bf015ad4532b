"""The numbers of recent changes, by which a loss of them is seen."""

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import create_table

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add a table."""
    create_table(
        "fastbearer_ended_recent",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
    )
