"""The steps by which the table of tasks came to be."""

from pathlib import Path

from fastbearer.accounts.migrations import Migrations

__all__ = ["TASKS"]

TASKS = Migrations(Path(__file__).parent, "fastbearer_app_version")
"""The table of tasks."""
