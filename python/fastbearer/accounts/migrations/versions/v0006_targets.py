"""The e-mail that a code is to make a user's."""

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import add_column

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; codes of today have no such e-mail."""
    column = sa.Column("target", sa.String(254), nullable=False, server_default="")
    add_column("fastbearer_code", column)
