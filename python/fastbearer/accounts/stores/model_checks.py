"""A project's model, and its table, against what accounts will write there."""

import dataclasses
import inspect
import logging
from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, TypeDecorator
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import LoaderCallableStatus, Session

from fastbearer.accounts.emails import EMAIL_LENGTH
from fastbearer.accounts.models import NAME_LENGTH
from fastbearer.accounts.names import NAMES, PHONE_LENGTH, USERNAME_LENGTH
from fastbearer.accounts.stores.mapping import FIELDS, UserMapping, is_unique
from fastbearer.accounts.stores.new_rows import accepted
from fastbearer.accounts.stores.table_columns import (
    TableColumn,
    keeps_bytes,
    length_of,
    look_at,
)
from fastbearer.accounts.stores.transactions import Transactions
from fastbearer.errors import ConfigurationError, StoreUnavailableError

__all__ = ["ModelChecks"]

NO_COLUMN = (
    "sign-up gives {field}, and {model} has no column for it: add one, leave {field}"
    " out of the schema, or override new_row of the store"
)
NOT_GIVEN = (
    "{where} must have a value, and sign-up gives none: add {attribute} to the schema"
    " (sign_up=...), give the column a default (server_default=FetchedValue() where"
    " the database fills it), or override new_row of the store"
)
UNKNOWN_COLUMN = (
    "the column {column} of the table {table!r} must have a value, and {model} does not"
    " know it: map it, or give it a default in the database"
)
NO_ARGUMENT = (
    "{model}(...) needs the argument {argument}, and sign-up gives none: add it to the"
    " schema (sign_up=...), give it a default, or override new_row of the store"
)
TOO_SHORT = (
    "{where} keeps {kept} characters, and password hashes have {length}: make it"
    " longer (255 will do for each scheme)"
)
NO_TEXT = "{where} keeps bytes, and password hashes are texts of up to 255 characters"
NOT_UNIQUE = "two users could have one {field}: {where} needs a unique constraint"
SHORT = "%s keeps %s characters, and a valid %s has up to %s"
WHERE = "{model}.{attribute} (the column {column} of the table {table!r})"
UNSEEN = "the table %r cannot be looked at: %s"

LENGTHS = {
    "email": EMAIL_LENGTH,
    "username": USERNAME_LENGTH,
    "phone": PHONE_LENGTH,
    "name": NAME_LENGTH,
}
PASSWORD = "password"

logger: logging.Logger = logging.getLogger("fastbearer")


class ModelChecks:
    """Checks of a model when an application starts.

    Args:
        fields: The model's.
    """

    def __init__(self, fields: UserMapping) -> None:
        self._fields = fields
        self._model = fields.model
        self._table = fields.table
        self._found: dict[str, TableColumn] = {}

    async def look_at_table(self, transactions: Transactions) -> None:
        """Learn what the table is like, if it is there and can be reached."""

        def look(session: Session) -> dict[str, TableColumn]:
            bind = {"mapper": self._fields.mapper}
            table = self._table
            return look_at(session.connection(bind), table.name, table.schema)

        try:
            self._found = await transactions.run(look)
        except (StoreUnavailableError, SQLAlchemyError) as error:
            logger.warning(UNSEEN, self._table.name, type(error).__name__)
            return
        for field in FIELDS:
            column = self._fields.column(field)
            if column is not None and self._in_table(column).is_padded:
                self._fields.padded.add(field)

    def check_fields(self, given: Collection[str], *, has_own_rows: bool) -> None:
        """Check that the model has a column for all that sign-up gives.

        Args:
            given: The fields; "password" is that of the hash. A name is left out
                where the model has none.
            has_own_rows: Whether a function of the project's own makes the rows.

        Raises:
            ConfigurationError: A column is missing, or would be left empty.
        """
        if has_own_rows:
            return
        fields = (one for one in given if one not in (PASSWORD, "name"))
        for field in self._fields.unknown(fields):
            told = {"field": field, "model": self._model.__name__}
            raise ConfigurationError(NO_COLUMN.format(**told))

    def check_columns(self, given: Collection[str], *, has_own_rows: bool) -> None:
        """Check that each column that must have a value gets one, and what it takes.

        Args:
            given: As in `check_fields`.
            has_own_rows: As there.

        Raises:
            ConfigurationError: One gets none, or two users could have one name.
        """
        self._check_unique(given)
        self._check_lengths(given)
        if has_own_rows:
            return
        fields = {*given, "password_hash"} - {PASSWORD}
        set_by_us = self._fields.kept_as(fields - {"name"})
        if "name" in given:
            set_by_us |= self._fields.kept_as({"name"})
        self._check_arguments(set_by_us)
        self._check_required(set_by_us)

    def check_hash_length(self, length: int) -> None:
        """Check that the column of the password hash keeps strings, and long ones.

        Raises:
            ConfigurationError: The column is one of bytes, or too short.
        """
        column = self._fields.column("password_hash")
        if column is None:
            return
        is_own_type = isinstance(column.type, TypeDecorator)  # it may make texts bytes
        in_table = self._in_table(column).is_binary and not is_own_type
        if in_table or keeps_bytes(column.type):
            raise ConfigurationError(NO_TEXT.format(where=self._where(column)))
        kept = self._length(column)
        if kept is not None and kept < length:
            told = {"kept": kept, "length": length, "where": self._where(column)}
            raise ConfigurationError(TOO_SHORT.format(**told))

    def _check_unique(self, given: Collection[str]) -> None:
        for field in NAMES:
            column = self._fields.column(field) if field in given else None
            if column is None or self._is_unique(column):
                continue
            told = NOT_UNIQUE.format(field=field, where=self._where(column))
            if field != "email":
                raise ConfigurationError(told)
            logger.warning(told)  # projects have had such tables since before

    def _is_unique(self, column: Column[Any]) -> bool:
        if self._found:
            return self._in_table(column).is_unique
        return is_unique(column)

    def _check_lengths(self, given: Collection[str]) -> None:
        for field, length in LENGTHS.items():
            column = self._fields.column(field) if field in given else None
            kept = None if column is None else self._length(column)
            if column is not None and kept is not None and kept < length:
                logger.warning(SHORT, self._where(column), kept, field, length)

    def _length(self, column: Column[Any]) -> int | None:
        """Return how many characters a column keeps, or None for any number."""
        lengths = (length_of(column.type), self._in_table(column).length)
        return min((one for one in lengths if one is not None), default=None)

    def _in_table(self, column: Column[Any]) -> TableColumn:
        """Return a column as the database has it, or one that is like any."""
        return self._found.get(column.name, TableColumn())

    def _check_arguments(self, set_by_us: Collection[str]) -> None:
        """Check that the class can be called with what is given."""
        for argument in _needed_arguments(self._model):
            if argument not in accepted(self._model, dict.fromkeys(set_by_us)):
                told = {"model": self._model.__name__, "argument": argument}
                raise ConfigurationError(NO_ARGUMENT.format(**told))

    def _check_required(self, set_by_us: Collection[str]) -> None:
        mapper = self._fields.mapper
        filled = {*set_by_us, *_defaults(self._model)}
        for key, column in mapper.columns.items():
            if not isinstance(column, Column) or column.table is not self._table:
                continue
            if key not in filled and self._must_be_given(column):
                told = {"where": self._where(column), "attribute": key}
                raise ConfigurationError(NOT_GIVEN.format(**told))
        for name, one in self._found.items():
            if name not in self._table.columns and one.must_be_given:
                told = {"column": name, "table": self._table.name}
                model = self._model.__name__
                raise ConfigurationError(UNKNOWN_COLUMN.format(model=model, **told))

    def _must_be_given(self, column: Column[Any]) -> bool:
        mapper = self._fields.mapper
        if column.default is not None or column.server_default is not None:
            return False
        if column is self._table.autoincrement_column:
            return False
        if column is mapper.polymorphic_on or column is mapper.version_id_col:
            return False
        if mapper.dispatch.before_insert:
            return False  # a function of the project's own may fill it
        return not (column.nullable and self._in_table(column).is_nullable)

    def _where(self, column: Column[Any]) -> str:
        return WHERE.format(
            model=self._model.__name__,
            attribute=self._fields.mapper.get_property_by_column(column).key,
            column=column.name,
            table=self._table.name,
        )


def _defaults(model: Any) -> set[str]:
    """Return the attributes that the class itself gives a value."""
    found = set()
    if dataclasses.is_dataclass(model):
        for field in dataclasses.fields(model):
            has_factory = field.default_factory is not dataclasses.MISSING
            is_none = field.default in (dataclasses.MISSING, None)
            # In SQLAlchemy's place of a default, which its column has, is a mark.
            is_mark = isinstance(field.default, LoaderCallableStatus)
            if has_factory or not (is_none or is_mark):
                found.add(field.name)
    for name, one in getattr(model, "model_fields", {}).items():
        has_default = not one.is_required() and one.default is not None
        if one.default_factory is not None or has_default:
            found.add(name)
    return found


def _needed_arguments(model: Any) -> list[str]:
    """Return the arguments without which a class cannot be called."""
    if hasattr(model, "model_fields"):
        return []  # a model with a table is not validated
    parameters = inspect.signature(model).parameters.values()
    return [
        one.name
        for one in parameters
        if one.default is one.empty
        and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
    ]
