"""What of a project's model is what of a user."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import (
    CHAR,
    JSON,
    Column,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    inspect,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.ext.hybrid import HybridExtensionType
from sqlalchemy.orm import Mapper, SynonymProperty

from fastbearer.accounts.emails import recorded_form
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, Name, recorded_name
from fastbearer.accounts.stores.ids import comparable, key_of
from fastbearer.errors import ConfigurationError

__all__ = ["FIELDS", "UserMapping", "is_unique"]

FIELDS = (
    "id",
    *NAMES,
    "password_hash",
    "name",
    "email_verified",
    "is_active",
    "roles",
    "deleted_at",
)
"""What a model may have of a user; its attributes have the same names by default."""

COMPUTED = frozenset(("name", "email_verified", "is_active", "roles"))
"""What may be a property, too: nobody is looked up by it."""

NOT_MAPPED = "{} is no mapped class (for SQLModel: with table=True)"
NO_TABLE = "{} is mapped to no table, but to a {}"
NO_FIELD = "{model} has no field {name}: say which it is with {field}=..."
NO_NAME = (
    "{} has no field email, username or phone to sign in with: say which it is with"
    " email=..., username=... or phone=..."
)
NO_COLUMN = (
    "{model}.{name} is no column of {model}'s table {table!r}, which {field}= must name"
)
ELSEWHERE = (
    "{model}.{name} is a column of another table than {table!r}: what is asked of a"
    " user must be in one table (with inheritance of joined tables: give the store the"
    " model that has it)"
)
NOT_UNIQUE = (
    "two users could have one id: the column {model}.{name} needs a unique constraint"
)
METHOD = "{model}.{name} is a method, which is true whatever it would return"
NOT_WRITABLE = "{model} has no column for {field}: say which it is with {field}=..."
ONE_ROLE = "{model}.{name} keeps one role, of those of its type"


class UserMapping:
    """Which of a model's mapped attributes is which field of a user.

    Args:
        model: A mapped class.
        names: Field of `FIELDS` -> name of the attribute.

    Attributes:
        model: The class.
        mapper: SQLAlchemy's of it.
        table: What it is mapped to.
        padded: The fields whose columns fill strings up with spaces (CHAR).

    Raises:
        ConfigurationError: The class is not mapped to a table, lacks an attribute
            that is needed or was given another name, or has it otherwise than as a
            column.
    """

    def __init__(self, model: type, names: Mapping[str, str]) -> None:
        self.model: Any = model
        self.mapper: Mapper[Any] = _mapper_of(model)
        table = self.mapper.local_table
        if not isinstance(table, Table):
            kind = type(table).__name__.lower()
            raise ConfigurationError(NO_TABLE.format(model.__name__, kind))
        self.table: Table = table
        self._names = {field: self._found(field, names[field]) for field in FIELDS}
        columns = {field: self.column(field) for field in FIELDS}
        self.padded: set[str] = {
            field
            for field, column in columns.items()
            if column is not None and isinstance(column.type, CHAR)
        }
        if not any(self._names[name] for name in NAMES):
            raise ConfigurationError(NO_NAME.format(model.__name__))
        self._check_id()

    @property
    def attributes(self) -> dict[str, str]:
        """Field of a user -> the attribute in which the model has it, if it has."""
        names = self._names.items()
        return {field: name for field, name in names if name is not None}

    def keeps(self, field: str) -> bool:
        """Tell whether the model has a field of a user as a column."""
        return self.column_of(self._names[field]) is not None

    def attribute(self, field: str) -> Any:
        """Return the attribute of the class for a field that it keeps."""
        return getattr(self.model, self._names[field] or "")

    def column(self, field: str) -> Column[Any] | None:
        """Return the column of a field, if the model keeps it."""
        return self.column_of(self._names[field])

    def column_of(self, attribute: str | None) -> Column[Any] | None:
        """Return the column of an attribute, if it is one."""
        key = None if attribute is None else self._column_key(attribute)
        column = None if key is None else self.mapper.columns[key]
        return column if isinstance(column, Column) else None

    def label(self, field: str) -> str:
        """Return what errors call a field's attribute."""
        return f"{self.model.__name__}.{self._names[field] or field}"

    def key(self, user_id: str) -> Any:
        """Return a user's id as the table has it, or None where it cannot be one."""
        kept = self._column("id").type
        if isinstance(kept, Uuid) and not kept.as_uuid:
            # A text here, and a UUID there: PostgreSQL takes no other to compare.
            return None if key_of(user_id, UUID) is None else user_id
        try:
            kind = kept.python_type
        except NotImplementedError:  # a type of the project's own
            kind = str
        return comparable(key_of(user_id, kind))

    def id_of(self, row: Any) -> str:
        """Return the id of a row as text."""
        return str(self.value(row, "id"))

    def name_of(self, row: Any, name: Name) -> str | None:
        """Return one of the names that somebody signs in with, in its one form."""
        value = self.value(row, name)
        return recorded_name(name, value) if isinstance(value, str) else None

    def is_deleted(self, row: Any) -> bool:
        """Tell whether a row has been left in place of a user who was deleted."""
        return self.value(row, "deleted_at") is not None

    def is_active(self, row: Any) -> bool:
        """Tell whether the user of a row may sign in."""
        return bool(self.value(row, "is_active", default=True))

    def user(self, row: Any) -> User:
        """Return the user of a row."""
        address = self.value(row, "email") or ""
        user = User(
            id=self.id_of(row),
            email=recorded_form(address),
            username=self.name_of(row, "username"),
            phone=self.name_of(row, "phone"),
            name=self.value(row, "name"),
            password_hash=self.value(row, "password_hash") or "",
            email_verified=bool(self.value(row, "email_verified")),
            is_active=self.is_active(row),
            roles=_roles(self.value(row, "roles")),
        )
        user.put_on_record(address)
        user.put_in_row(row)
        return user

    def value(self, row: Any, field: str, default: Any = None) -> Any:
        """Return what a row has for a field."""
        attribute = self._names[field]
        if attribute is None:
            return default
        value = getattr(row, attribute)
        is_padded = field in self.padded and isinstance(value, str)
        return value.rstrip(" ") if is_padded else value

    def written(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return attribute -> value, as the columns keep it.

        Args:
            values: Field of a user, or another attribute of the model -> value.

        Raises:
            ConfigurationError: The model has no column for one of them.
        """
        return {
            self._written_to(field): self._stored(field, value)
            for field, value in values.items()
        }

    def unknown(self, fields: Iterable[str]) -> list[str]:
        """Return those of some fields that the model has no column for."""
        return [field for field in fields if self._key_of(field) is None]

    def kept_as(self, fields: Collection[str]) -> set[str]:
        """Return the attributes in which fields are kept."""
        keys = (self._key_of(field) for field in fields)
        return {key for key in keys if key is not None}

    def _key_of(self, field: str) -> str | None:
        attribute = self._names[field] if field in FIELDS else field
        return None if attribute is None else self._column_key(attribute)

    def _written_to(self, field: str) -> str:
        key = self._key_of(field)
        if key is None:
            model = self.model.__name__
            raise ConfigurationError(NOT_WRITABLE.format(model=model, field=field))
        return key

    def needs(self, field: str) -> bool:
        """Tell whether a field has a column that takes no NULL."""
        column = self.column(field)
        return column is not None and not column.nullable

    def _stored(self, field: str, value: Any) -> Any:
        if field == "name" and value is None and self.needs("name"):
            return ""  # as for a new user
        if field != "roles":
            key = self._key_of(field)
            column = None if key is None else self.column_of(key)
            is_json = column is not None and isinstance(column.type, JSON)
            return to_jsonable_python(value) if is_json else value
        kept = self._column("roles").type
        if isinstance(kept, EnumType):
            return self._one_role(kept, value)
        return " ".join(value) if isinstance(kept, String) else list(value)

    def _one_role(self, kept: EnumType, roles: list[str]) -> Any:
        choices: Iterable[Any] = kept.enum_class or kept.enums
        found = [one for one in choices if [_word(one)] == list(roles)]
        if not found:
            model, name = self.label("roles").split(".")
            raise ConfigurationError(ONE_ROLE.format(model=model, name=name))
        return found[0]

    def _column(self, field: str) -> Column[Any]:
        column = self.column(field)
        if column is None:
            raise LookupError(field)
        return column

    def _found(self, field: str, name: str) -> str | None:
        """Return the attribute for a field, or None where the model has none.

        Raises:
            ConfigurationError: It must have one, or what it has will not do.
        """
        column = self.column_of(name)
        told = {"model": self.model.__name__, "name": name, "field": field}
        told["table"] = self.table.name
        if column is not None:
            if column.table is not self.table:
                raise ConfigurationError(ELSEWHERE.format(**told))
            return self._column_key(name)
        is_named = name != field or field in ("id", "password_hash")
        if not hasattr(self.model, name):
            if is_named:
                raise ConfigurationError(NO_FIELD.format(**told))
            return None
        if field in COMPUTED and self._is_computed(name):
            return name
        if is_named or field in ("email", "deleted_at"):
            raise ConfigurationError(NO_COLUMN.format(**told))
        return None

    def _is_computed(self, name: str) -> bool:
        """Tell whether an attribute is a property or a constant, not a relationship."""
        descriptors = self.mapper.all_orm_descriptors
        if name in descriptors:
            kind = descriptors[name].extension_type
            is_hybrid = kind is HybridExtensionType.HYBRID_PROPERTY
            return is_hybrid or name in self.mapper.columns
        if callable(getattr(self.model, name)):
            model = self.model.__name__
            raise ConfigurationError(METHOD.format(model=model, name=name))
        return True

    def _column_key(self, name: str) -> str | None:
        """Return the name of a column's attribute; a synonym stands for another's."""
        if name in self.mapper.columns:
            return name if isinstance(self.mapper.columns[name], Column) else None
        # Not mapper.synonyms: that needs the models of every relationship.
        descriptor = self.mapper.all_orm_descriptors.get(name)
        original = getattr(descriptor, "original_property", None)
        if isinstance(original, SynonymProperty):
            return self._column_key(original.name)
        return None

    def _check_id(self) -> None:
        column = self._column("id")
        keys = self.table.primary_key.columns.values()
        if not _is_alone(column, keys) and not is_unique(column):
            model, name = self.label("id").split(".")
            raise ConfigurationError(NOT_UNIQUE.format(model=model, name=name))


def is_unique(column: Column[Any]) -> bool:
    """Tell whether a column of a model has a unique constraint of its own."""
    table: Any = column.table
    sets = [one.columns for one in table.indexes if one.unique]
    sets += [
        one.columns for one in table.constraints if isinstance(one, UniqueConstraint)
    ]
    return bool(column.unique) or any(_is_alone(column, list(one)) for one in sets)


def _is_alone(column: Column[Any], columns: Sequence[Any]) -> bool:
    return len(columns) == 1 and columns[0] is column


def _mapper_of(model: Any) -> Mapper[Any]:
    try:
        mapper = inspect(model)
    except NoInspectionAvailable:
        mapper = None
    if not isinstance(mapper, Mapper):
        name = getattr(model, "__name__", type(model).__name__)
        raise ConfigurationError(NOT_MAPPED.format(name))
    return mapper


def _roles(kept: Any) -> list[str]:
    """Return roles as a list, however they are kept."""
    if kept is None:
        return []
    if isinstance(kept, Enum):
        return [_word(kept)]
    if isinstance(kept, str):
        return kept.replace(",", " ").split()
    return [_word(one) for one in kept]


def _word(role: Any) -> str:
    return str(role.value if isinstance(role, Enum) else role)
