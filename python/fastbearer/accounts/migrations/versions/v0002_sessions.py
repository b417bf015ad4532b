"""Verified e-mails, codes, refresh tokens, revocations."""

import sqlalchemy as sa

from fastbearer.accounts.migrations.changes import (
    MOMENT,
    add_column,
    create_index,
    create_table,
)

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add a column and four tables."""
    add_column(
        "fastbearer_user",
        sa.Column(
            "email_verified", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
    )
    _create(
        "fastbearer_code",
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        indexed=["email", "expires_at"],
    )
    _create(
        "fastbearer_refresh_token",
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("family", sa.String(32), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        indexed=["user_id", "family", "expires_at"],
    )
    _create(
        "fastbearer_revoked",
        sa.Column("expires_at", MOMENT, nullable=False),
        indexed=["expires_at"],
    )
    _create(
        "fastbearer_not_before",
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        indexed=[],
    )


def _create(name: str, *columns: sa.Column[object], indexed: list[str]) -> None:
    create_table(name, sa.Column("id", sa.String(64), primary_key=True), *columns)
    for column in indexed:
        create_index(f"ix_{name}_{column}", name, [column])
