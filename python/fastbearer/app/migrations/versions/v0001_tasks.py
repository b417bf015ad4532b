"""Tasks."""

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import MOMENT, create_index, create_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table of tasks, unless a version before this one has."""
    create_table(
        "fastbearer_task",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.String(2000)),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        if_not_exists=True,
    )
    create_index(
        "fastbearer_task_by_age",
        "fastbearer_task",
        ["user_id", "created_at", "id"],
        if_not_exists=True,
    )
