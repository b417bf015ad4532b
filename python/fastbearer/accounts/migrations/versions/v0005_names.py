"""What a user is called beside the e-mail, and may do."""

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import add_column, create_index

revision = "0005"
down_revision = "0004"

TABLE = "fastbearer_user"


def upgrade() -> None:
    """Add names, roles, and whether the user is active; those of today are."""
    for column in (
        sa.Column("username", sa.String(30)),
        sa.Column("phone", sa.String(16)),
        sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("roles", sa.String(1000), nullable=False, server_default=""),
    ):
        add_column(TABLE, column)
    for name in ("username", "phone"):
        create_index(f"ix_{TABLE}_{name}", TABLE, [name], unique=True)
