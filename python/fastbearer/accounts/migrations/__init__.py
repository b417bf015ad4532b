"""The steps by which the tables of this package came to be.

Each set of steps has a version table of its own, so that it never meets the
history of the project around it.
"""

from fastbearer.accounts.migrations.steps import ACCOUNTS, Migrations, UnknownStepError

__all__ = ["ACCOUNTS", "Migrations", "UnknownStepError"]
