"""Better Auth's tables, against what accounts will write there."""

from collections.abc import Collection

from sqlalchemy import Connection

from fastbearer.accounts.stores.better_auth_layout import BETTER_AUTH_NAMES, Layout
from fastbearer.accounts.stores.table_columns import TableColumn, look_at
from fastbearer.better_auth.tables import Tables
from fastbearer.errors import ConfigurationError

__all__ = ["TableChecks"]

NOT_GIVEN = (
    "the column {!r} of the table {!r} must have a value, and sign-up gives none: add"
    " a field to the schema (sign_up=...), or override new_row of the store"
)
NOT_UNIQUE = (
    "two users could have one {}: the column {!r} of the table {!r} needs a unique"
    " constraint"
)
TOO_SHORT = (
    "the column {!r} of the table {!r} keeps {} characters, and password hashes have"
    " {}: make it longer (255 will do for each scheme)"
)


class TableChecks:
    """Checks of the tables when an application starts.

    Args:
        tables: What they are called.
        layout: As they are in the database.
    """

    def __init__(self, tables: Tables, layout: Layout) -> None:
        self._tables = tables
        self._layout = layout

    def check_fields(self, connection: Connection, given: Collection[str]) -> None:
        """Check that each column that must have a value gets one.

        Args:
            connection: To the database.
            given: The fields that are written of a new user.

        Raises:
            ConfigurationError: One gets none, or two users could have one name.
        """
        columns = self._columns(connection, "user")
        written = {self._tables.column("user", field) for field in ("id", *given)}
        for name, column in columns.items():
            if column.must_be_given and name not in written:
                own = self._tables.table("user")
                raise ConfigurationError(NOT_GIVEN.format(name, own))
        for name, field in BETTER_AUTH_NAMES.items():
            of_name = self._tables.column("user", field)
            # That of the e-mail has been seen to, with what PostgreSQL may have.
            if name == "email" or field not in given or columns[of_name].is_unique:
                continue
            told = NOT_UNIQUE.format(name, of_name, self._tables.table("user"))
            raise ConfigurationError(told)

    def check_hash_length(self, connection: Connection, length: int) -> None:
        """Check that the column of the password hash is long enough.

        Raises:
            ConfigurationError: The column is too short.
        """
        name = self._tables.column("account", "password")
        kept = self._columns(connection, "account")[name].length
        if kept is not None and kept < length:
            own = self._tables.table("account")
            raise ConfigurationError(TOO_SHORT.format(name, own, kept, length))

    def _columns(self, connection: Connection, model: str) -> dict[str, TableColumn]:
        return look_at(connection, self._tables.table(model), self._tables.schema)
