"""Alembic runs this file."""

from fastbearer.accounts.migrations.environment import run

run()
