"""What users are shown of themselves."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from sqlalchemy import inspect
from sqlalchemy.exc import NoInspectionAvailable

from fastbearer.accounts.given import aliases
from fastbearer.accounts.models import User
from fastbearer.errors import ConfigurationError, FastbearerError

__all__ = ["BARE", "NotShownError", "Shown", "check_no_secret", "fitted", "logged"]

OURS = frozenset(("id", "email", "name", "email_verified"))
"""What is shown in the accounts' form, whatever the row has."""
STAND_INS = frozenset(("username", "phone", "is_active", "roles"))
"""What the accounts know where the row has no such attribute."""
SECRETS = frozenset(("password", "password_hash", "hashed_password"))

SECRET = "{model}.{field} would be shown: leave it out of the public schema"
NOT_IN_ROW = (
    "{model}.{field}: {row} has no such attribute. Add it there, give the field a"
    " default, or leave it out of the public schema"
)
NOT_LOADED = (
    "{model}.{field}: {row} does not load it with its columns. Leave it out of the"
    " public schema, and let a route of yours show it"
)
NOT_SHOWN = "the row of a user does not fit {model}: {fields}"

logger: logging.Logger = logging.getLogger("fastbearer")

BARE: Any = {"include_url": False, "include_context": False, "include_input": False}
"""How errors of pydantic are asked for: without values."""

Model = TypeVar("Model", bound=BaseModel)


class NotShownError(FastbearerError):
    """What is on record of a user does not fit the project's public schema."""

    code = "not_shown"


class Shown:
    """The schema of what users are shown of themselves.

    The id, the e-mail, the name and whether the e-mail is verified are the accounts'
    own; further fields are read from the attributes of ``User.row``.

    Args:
        schema: Of the project.
        attributes: Field of `User` -> the attribute in which the store keeps it.

    Raises:
        ConfigurationError: A secret would be shown.
    """

    def __init__(self, schema: type[BaseModel], attributes: Mapping[str, str]) -> None:
        self._schema = schema
        check_no_secret(schema, attributes, SECRET)

    def of(self, user: User, schema: type[Model]) -> Model:
        """Return what a user is shown.

        Args:
            user: The user.
            schema: The project's, or one derived from it.

        Raises:
            NotShownError: The row does not fit; the error shows no value of it.
        """
        with logged(user):
            return fitted(_values(user, schema), schema)

    def check_row(self, row: type | None) -> None:
        """Check that what is to be shown is there.

        Args:
            row: Class of the users' rows; None where it is not known.

        Raises:
            ConfigurationError: A field of the schema is not in it.
        """
        if row is None:
            return
        not_loaded = _not_loaded(row)
        for name, field in self._schema.model_fields.items():
            told = {"model": self._schema.__name__, "field": name, "row": row.__name__}
            if name in OURS:
                continue
            if name in not_loaded:
                raise ConfigurationError(NOT_LOADED.format(**told))
            if field.is_required() and name not in STAND_INS and not _has(row, name):
                raise ConfigurationError(NOT_IN_ROW.format(**told))


def check_no_secret(
    schema: type[BaseModel], attributes: Mapping[str, str], text: str
) -> None:
    """Refuse a schema that shows the password or its hash, or has a model that does.

    Args:
        schema: Of what users are shown.
        attributes: Field of `User` -> the attribute in which the store keeps it.
        text: What to say of a secret.

    Raises:
        ConfigurationError: A secret would be shown.
    """
    secrets = {*SECRETS, attributes.get("password_hash")}
    for model in _models_in(schema, set()):
        for field in secrets.intersection(model.model_fields):
            told = {"model": model.__name__, "field": field}
            raise ConfigurationError(text.format(**told))


@contextmanager
def logged(user: User) -> Iterator[None]:
    """Log what cannot be shown, and whose it is."""
    try:
        yield
    except NotShownError as error:
        logger.error("user %s: %s", user.id, error, exc_info=error.__cause__)
        raise


def fitted(values: object, schema: type[Model]) -> Model:
    """Return what a schema makes of a mapping, or of an object's attributes.

    Raises:
        NotShownError: It does not fit; the error shows no value of it.
    """
    try:
        return schema.model_validate(values, from_attributes=True)
    except ValidationError as error:
        places = {str(one["loc"][0]) for one in error.errors(**BARE) if one["loc"]}
        raise _not_shown(schema, sorted(places)) from None


def _values(user: User, schema: type[BaseModel]) -> dict[str, Any]:
    """Return what there is for the fields of a schema, as JSON calls them."""
    values = {}
    for name, field in schema.model_fields.items():
        holder = user if name in OURS else user.row
        if name in STAND_INS and not hasattr(holder, name):
            holder = user
        try:
            values[aliases(name, field)[0]] = getattr(holder, name)
        except AttributeError:
            if field.is_required():
                raise _not_shown(schema, [name]) from None
        except Exception as error:  # of a database that is no longer asked
            raise _not_shown(schema, [name]) from error
    return values


def _not_shown(schema: type[BaseModel], fields: Sequence[str]) -> NotShownError:
    told = {"model": schema.__name__, "fields": ", ".join(fields)}
    return NotShownError(NOT_SHOWN.format(**told))


def _models_in(
    annotation: Any, seen: set[type[BaseModel]]
) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, and those of their fields."""
    for one in get_args(annotation):
        yield from _models_in(one, seen)
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    if is_model and annotation not in seen:
        seen.add(annotation)
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models_in(field.annotation, seen)


def _has(row: type, name: str) -> bool:
    return hasattr(row, name) or name in getattr(row, "__annotations__", ())


def _not_loaded(row: type) -> set[str]:
    """Return the attributes that a query for rows leaves out."""
    try:
        mapper: Any = inspect(row)
    except NoInspectionAvailable:
        return set()
    deferred = {one.key for one in mapper.column_attrs if one.deferred}
    return {*deferred, *mapper.relationships.keys()}
