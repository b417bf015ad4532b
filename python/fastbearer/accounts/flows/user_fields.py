"""What an administrator may give a user, judged as what a user gives is."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from fastbearer.accounts.flows.errors import InvalidUserError
from fastbearer.accounts.given import INVITATION, Given, aliases
from fastbearer.accounts.judge import InvalidFieldError, Judge, any_password
from fastbearer.accounts.models import ROLES_LENGTH, User
from fastbearer.accounts.names import NAMES, InvalidNameError, wanted_name
from fastbearer.accounts.shown import BARE
from fastbearer.accounts.stores.rows import type_in

__all__ = ["checked_flag", "checked_roles", "checked_text", "drafted", "rewritten"]

KEPT = "{0} is kept in {1}: say {0}"
FLAGS = ("email_verified", "is_active")


def drafted(
    schema: type[BaseModel], given: Given, values: Mapping[str, Any]
) -> tuple[User, str]:
    """Return a new user without a hash, as a sign-up with these values would make one.

    Args:
        schema: Of sign-up. What it says of a password, where none is given, is asked of
            one at random.
        given: Makes users of what is in the schema.
        values: Field -> value. ``username`` and ``phone`` need not be in the schema.

    Returns:
        The user, and the password as the schema has it.

    Raises:
        InvalidUserError: One is missing, unknown or invalid.
    """
    known, others = _parted(schema, values)
    known.setdefault("password", any_password())
    try:
        body = schema.model_validate(_as_sent(schema, known))
        user = given.user_of(body)
    except ValidationError as error:
        raise _refusal(error) from None
    except InvalidNameError as error:
        raise InvalidUserError(str(error), tuple(NAMES)) from None
    for name, value in others.items():
        setattr(user, name, value)
    return user, given.password_of(body)


def rewritten(
    judge: Judge,
    user: User,
    values: Mapping[str, Any],
    attributes: Mapping[str, str],
) -> dict[str, Any]:
    """Return new values of a user's fields, as the schema of sign-up has them.

    Args:
        judge: Knows the schema of sign-up.
        user: Whose.
        values: Field -> value. What only the project's model has is put in the type
            of its column, so that it may come from a command line.
        attributes: Field of `User` -> the attribute in which the store keeps it. Such
            an attribute is written as that field alone, by its rules.

    Raises:
        InvalidUserError: One is unknown or invalid.
    """
    schema = judge.schema
    fields = {name: value for name, value in values.items() if name not in FLAGS}
    roles = {}
    if "roles" in fields:
        roles["roles"] = checked_roles(fields.pop("roles"))
    flags = {name: checked_flag(name, values[name]) for name in FLAGS if name in values}
    row = user.row
    kept = {attribute: field for field, attribute in attributes.items()}
    for name in fields.keys() & kept.keys():
        if kept[name] != name:
            raise InvalidUserError(KEPT.format(kept[name], name), (name,))
    own = {  # of the project's model, and unknown to the schema
        name: _typed(row, name, fields.pop(name))
        for name in tuple(fields)
        if name not in schema.model_fields and name not in NAMES and _is_own(row, name)
    }
    known, others = _parted(schema, fields)
    changed = {}
    for name, value in known.items():
        try:
            changed[name] = judge.value(user, name, value)
        except InvalidFieldError:
            raise InvalidUserError(f"{name} is not valid", (name,)) from None
    return {**changed, **others, **own, **roles, **flags}


def checked_roles(roles: Sequence[str]) -> list[str]:
    """Return roles, each once.

    Raises:
        InvalidUserError: One is empty or has a space, or they are too long together.
    """
    found = list(dict.fromkeys([roles] if isinstance(roles, str) else roles))
    for role in found:
        if (
            not isinstance(role, str)
            or role.split() != [role]
            or not role.isprintable()
        ):
            raise InvalidUserError("a role is a word without spaces", ("roles",))
    checked_text("roles", " ".join(found), ROLES_LENGTH)
    return found


def checked_flag(name: str, value: object) -> bool:
    """Return a value that is true or false.

    Raises:
        InvalidUserError: It is something else.
    """
    if not isinstance(value, bool):
        raise InvalidUserError(f"{name} must be true or false", (name,))
    return value


def checked_text(name: str, text: str, length: int) -> str:
    """Return a string that every database keeps.

    Raises:
        InvalidUserError: It is longer than it may be, or has what cannot be stored.
    """
    if len(text) > length or "\0" in text or not _is_encodable(text):
        raise InvalidUserError(f"{name} is too long, or not storable", (name,))
    return text


def _parted(
    schema: type[BaseModel], values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the schema knows, and the names that it does not ask for.

    Raises:
        InvalidUserError: The schema does not know a field, or a string is not storable.
    """
    known: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, str) and not _is_encodable(value):
            raise InvalidUserError(f"{name} is not storable", (name,))
        if name in schema.model_fields and name != INVITATION:
            known[name] = value
        elif name in NAMES and value is not None:
            others[name] = _name(name, value)
        elif name in NAMES:
            others[name] = None
        else:
            raise InvalidUserError(f"users have no field {name}", (name,))
    return known, others


def _name(name: Any, value: object) -> str:
    try:
        return wanted_name(name, value)
    except InvalidNameError:
        raise InvalidUserError(f"{name} is not valid", (name,)) from None


def _as_sent(schema: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of fields under the names that a client gives them."""
    fields = schema.model_fields
    return {aliases(name, fields[name])[0]: value for name, value in values.items()}


def _is_own(row: object, name: str) -> bool:
    """Tell whether a field is of the project's model, and not of the key kind."""
    return (
        not isinstance(row, User)
        and not name.startswith("_")
        and name not in User.model_fields
        and hasattr(type(row), name)
    )


def _typed(row: object, name: str, value: Any) -> Any:
    """Return a value of the type of its column, where it comes as a string.

    Raises:
        InvalidUserError: It cannot be of that type.
    """
    kind = type_in(row, name)
    if kind is None or not isinstance(value, str):
        return value
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        raise InvalidUserError(f"{name} is not valid", (name,)) from None


def _refusal(error: ValidationError) -> InvalidUserError:
    """Return our words for what a schema refuses, which show no value."""
    reasons = {}
    for one in error.errors(**BARE):
        place = str(one["loc"][0]) if one["loc"] else "the whole"
        reasons[place] = "missing" if one["type"] == "missing" else "not valid"
    text = ", ".join(f"{name} is {reason}" for name, reason in reasons.items())
    return InvalidUserError(text, tuple(reasons))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
