"""What signed-in users may change of themselves."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, create_model

from fastbearer.accounts.given import check_no_privilege, sent
from fastbearer.accounts.routes.schemas import TEXTS, Body, Name, UserName
from fastbearer.accounts.routes.shaped import texts_of
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.errors import ConfigurationError

__all__ = ["ELSEWHERE", "Changes", "check_keeps"]

ELSEWHERE = frozenset(("email", "password", "phone"))
"""E-mail and password have routes of their own, and a phone number is for the project
to change, once it has proof."""

WRONG_MODEL = "changes= must be a model of pydantic whose fields may all be left out"
PRIVILEGE = (
    "{model}.{field}: users would say it of themselves. Leave it out; or call it"
    " otherwise, if it grants nothing"
)
NOT_KEPT = "{model}.{field}: the store does not keep it"
PURPOSE = "changes="


class Changes:
    """The body of ``PATCH /me``.

    Args:
        given: The project's own schema, or None for name and user name, as far as the
            store keeps them and users sign in with them.
        names: What users sign in with.
        store: The store of the accounts, where it is known already what it can.
        attributes: Field of `User` -> the attribute in which the store keeps it.

    Attributes:
        schema: What is read; None where nothing can be changed.
        texts: What to say of its fields when they are invalid.

    Raises:
        ConfigurationError: A field must be given, or is not the user's to set; or the
            store cannot change users.
    """

    def __init__(
        self,
        given: type[BaseModel] | None,
        names: Sequence[str],
        store: CheckedUserStore | None,
        attributes: Mapping[str, str] = {},
    ) -> None:
        self._given = given
        self.schema = given
        if given is not None:
            _check(given, attributes)
            if store is not None:
                store.require("change", PURPOSE)
        elif store is None or store.can("change"):
            self.schema = _default(names, store)
        self.texts: dict[str, str] = (
            {} if self.schema is None else texts_of(self.schema)
        )

    def check(self, store: CheckedUserStore) -> None:
        """Make sure that the store keeps what the project lets users change.

        Raises:
            ConfigurationError: A field is not kept, or nothing can be changed.
        """
        if self._given is None:
            return
        store.require("change", PURPOSE)
        check_keeps(store, self._given, self._given.model_fields)

    def values_of(self, body: BaseModel) -> dict[str, Any]:
        """Return what is to be written."""
        return sent(body)


def check_keeps(
    store: CheckedUserStore, model: type[BaseModel], fields: Iterable[str]
) -> None:
    """Make sure that a store keeps fields that users may change.

    Args:
        store: Of the users.
        model: The schema of the changes, to be named.
        fields: Those of its fields that are looked at.

    Raises:
        ConfigurationError: One is not kept.
    """
    for field in fields:
        if not store.keeps(field):
            told = {"model": model.__name__, "field": field}
            raise ConfigurationError(NOT_KEPT.format(**told))


def _check(model: Any, attributes: Mapping[str, str]) -> None:
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    fields = model.model_fields if is_model else {}
    if not fields or any(field.is_required() for field in fields.values()):
        raise ConfigurationError(WRONG_MODEL)
    for name in sorted(fields.keys() & ELSEWHERE):
        raise ConfigurationError(PRIVILEGE.format(model=model.__name__, field=name))
    check_no_privilege(model, fields, attributes, PRIVILEGE)


def _default(
    names: Collection[str], store: CheckedUserStore | None
) -> type[BaseModel] | None:
    """Return our own schema, or None where it would have no field."""
    offered: dict[str, Any] = {
        "name": (Name | None, Field(default=None, description=TEXTS["name"])),
    }
    if "username" in names:
        # Not None, with which nobody could sign in any longer.
        offered["username"] = (UserName, Field(default="", json_schema_extra=_bare))
    fields = {
        name: field
        for name, field in offered.items()
        if store is None or store.keeps(name)
    }
    if not fields:
        return None
    return create_model(
        "Changes",
        __base__=Body,
        __doc__="What you want to change of your account.",
        __module__=__name__,
        **fields,
    )


def _bare(schema: dict[str, Any]) -> None:
    """Leave out the default, which stands for what is not to change."""
    schema.pop("default", None)
