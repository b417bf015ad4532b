"""What somebody gives who signs up."""

from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from fastbearer.accounts.models import User
from fastbearer.accounts.names import (
    NAMES,
    InvalidNameError,
    Name,
    listed,
    wanted_name,
)
from fastbearer.errors import ConfigurationError

__all__ = [
    "INVITATION",
    "KEPT",
    "Given",
    "aliases",
    "check_no_privilege",
    "declared",
    "is_privilege",
    "sent",
]

INVITATION = "invitation"
"""The field with the code of one; no user has it."""
OURS = frozenset((*NAMES, "name", "password", INVITATION))
"""The fields of a schema that have a place of their own."""

PRIVILEGES = (frozenset(User.model_fields) - OURS) | {
    "admin",
    "banned",
    "confirmed",
    "deleted_at",
    "disabled",
    "email_confirmed",
    "group",
    "hashed_password",
    "moderator",
    "owner",
    "permission",
    "phone_confirmed",
    "phone_verified",
    "role",
    "role_id",
    "scope",
    "scp",
    "staff",
    "superuser",
    "verified",
}
"""What nobody says of themselves who signs up; spelt in whatever way."""

PRIVILEGE = (
    "{model}.{field}: whoever signs up would say it of themselves. Leave it out, and"
    " let new_row of the store set it; or call it otherwise, if it grants nothing"
)
KEPT = (
    "{model}.{field}: the store keeps {ours} there. Leave it out of the schema, or call"
    " it otherwise; {ours} may have an alias"
)
NO_NAME = "Give one of {} at least"


class Given:
    """The schema of a sign-up.

    What is beside the schema's fields in a body is never looked at.

    Args:
        schema: Of the project.
        names: What users sign in with.
        attributes: Field of `User` -> the attribute in which the store keeps it.

    Raises:
        ConfigurationError: A sign-up would set what is not the user's to set.
    """

    def __init__(
        self,
        schema: type[BaseModel],
        names: Sequence[Name],
        attributes: Mapping[str, str],
    ) -> None:
        self._schema = schema
        self._names = names
        self._check(attributes)

    @property
    def fields(self) -> set[str]:
        """The fields that a sign-up may give to be kept.

        With ``email: None = None`` a schema does without the e-mail.
        """
        fields = self._kept.items()
        given = {name for name, field in fields if field.annotation is not NoneType}
        return {*given, *self._names} - {INVITATION}

    @property
    def always(self) -> set[str]:
        """The fields that every sign-up gives to it; for a name there is a stand-in."""
        fields = self._kept
        only = self._names if len(self._names) == 1 else ()
        given = {name for name, field in fields.items() if not _may_be_none(field)}
        return {*given, *only, "name"} - {INVITATION}

    @property
    def _kept(self) -> dict[str, FieldInfo]:
        """The fields without those that are only asked for: ``Field(exclude=True)``."""
        fields = self._schema.model_fields.items()
        return {name: one for name, one in fields if name in OURS or not one.exclude}

    def user_of(self, body: BaseModel) -> User:
        """Return the new user whom a body describes, without a hash.

        Raises:
            InvalidNameError: They have no name to sign in with, or what the schema has
                made of one is none.
        """
        names = {name: _name(name, declared(body, name)) for name in NAMES}
        if not any(names[name] for name in self._names):
            raise InvalidNameError(NO_NAME.format(listed(self._names, "and")))
        user = User(
            email=names["email"] or "",
            username=names["username"],
            phone=names["phone"],
            name=declared(body, "name"),
            password_hash="",
        )
        user.give(self._further(body))
        return user

    @staticmethod
    def password_of(body: BaseModel) -> str:
        """Return the password of a body; a project may have made it a `SecretStr`."""
        password: Any = declared(body, "password") or ""
        is_hidden = isinstance(password, SecretStr)
        return str(password.get_secret_value() if is_hidden else password)

    def _further(self, body: BaseModel) -> dict[str, Any]:
        """Return what a body has for the project's own fields.

        Where one is left out that is then nothing, the defaults of the row hold.
        """
        values = {name: getattr(body, name) for name in self._kept if name not in OURS}
        return {
            name: value
            for name, value in values.items()
            if name in body.model_fields_set or value is not None
        }

    def _check(self, attributes: Mapping[str, str]) -> None:
        fields = self._kept.keys() - OURS
        check_no_privilege(self._schema, fields, attributes, PRIVILEGE)


def check_no_privilege(
    schema: type[BaseModel],
    fields: Iterable[str],
    attributes: Mapping[str, str],
    text: str,
) -> None:
    """Refuse a schema with what nobody says of themselves.

    Args:
        schema: Of what a client sends.
        fields: Those of its fields that are looked at.
        attributes: Field of `User` -> the attribute in which the store keeps it.
        text: What to say of a privilege.

    Raises:
        ConfigurationError: A field is one, or is where the store keeps one of ours.
    """
    kept = {attribute: field for field, attribute in attributes.items()}
    for field in sorted(fields):
        told = {"model": schema.__name__, "field": field}
        if is_privilege(field):
            raise ConfigurationError(text.format(**told))
        if kept.get(field, field) != field:
            raise ConfigurationError(KEPT.format(ours=kept[field], **told))


def is_privilege(field: str) -> bool:
    """Tell whether a field says what nobody says of themselves, however it is spelt.

    Neither case counts nor underscores, nor "is" or "has" before it, nor the plural.
    """
    return not FOLDED_PRIVILEGES.isdisjoint(_spellings(field))


def aliases(name: str, field: FieldInfo) -> list[str]:
    """Return what a field may be called in JSON; what it is usually called, first."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    firsts = [one.path[0] if isinstance(one, AliasPath) else one for one in choices]
    return [*(one for one in firsts if isinstance(one, str)), name]


def declared(body: BaseModel, field: str) -> Any:
    """Return what a body has for a field, or None where its schema has no such field.

    With ``extra="allow"`` a body has as attributes whatever was sent.
    """
    return getattr(body, field) if field in type(body).model_fields else None


def sent(body: BaseModel) -> dict[str, Any]:
    """Return what was sent, of what the schema declares."""
    return body.model_dump(exclude_unset=True, include=set(type(body).model_fields))


def _name(name: Name, value: Any) -> str | None:
    """Return a name in its one form, which a validator may have left.

    Raises:
        InvalidNameError: The text is not such a name.
    """
    return None if value is None else wanted_name(name, value)


def _spellings(field: str) -> set[str]:
    """Return what a field may be called in short, which is exact or no match."""
    folded = field.replace("_", "").lower()
    bare = {folded, folded.removeprefix("is"), folded.removeprefix("has")}
    return {*bare, *(one.removesuffix("s") for one in bare)} - {""}


FOLDED_PRIVILEGES: frozenset[str] = frozenset().union(*map(_spellings, PRIVILEGES))


def _may_be_none(field: FieldInfo) -> bool:
    """Tell whether a field may come out as None."""
    if not field.is_required() and field.default is None:
        return field.default_factory is None
    return _takes_none(field.annotation)


def _takes_none(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _takes_none(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return any(map(_takes_none, get_args(annotation)))
    return annotation in (None, NoneType, Any)
