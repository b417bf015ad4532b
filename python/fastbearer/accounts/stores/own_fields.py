"""Stores whose tables have no columns of the project's own."""

from collections.abc import Collection

from fastbearer.accounts.names import NAMES
from fastbearer.errors import ConfigurationError

__all__ = ["check_own_fields"]

FIELDS = frozenset((*NAMES, "name", "password"))

NO_COLUMN = (
    "sign-up gives {fields}, and {table} has no column for it: keep the users in a"
    " model of your own (Accounts(store=SQLModelUserStore(MyUser, get_session))), or"
    " leave it out of the schema"
)
NO_EMAIL = (
    "{table} has an e-mail of every user: the schema (sign_up=...) must not do without"
    " it; users without one need a model of your own"
    " (Accounts(store=SQLModelUserStore(MyUser, get_session)))"
)


def check_own_fields(
    fields: Collection[str], table: str, known: Collection[str] = FIELDS
) -> None:
    """Check that a table has a column for all that a sign-up gives.

    Args:
        fields: What it gives.
        table: The table, to be shown.
        known: What it has columns for.

    Raises:
        ConfigurationError: It has none for one of them, or gets no e-mail.
    """
    unknown = sorted(set(fields).difference(known))
    if unknown:
        told = {"fields": ", ".join(unknown), "table": table}
        raise ConfigurationError(NO_COLUMN.format(**told))
    if "email" not in fields:
        raise ConfigurationError(NO_EMAIL.format(table=table))
