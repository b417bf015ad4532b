"""The rules that a project's schema of sign-up has for what is changed later."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES
from fastbearer.accounts.records import new_secret
from fastbearer.errors import FastbearerError, PasswordRuleError

__all__ = ["InvalidFieldError", "Judge", "any_password", "has_rule_of_its_own"]

JUDGED = frozenset((*NAMES, "name"))
"""What users change of themselves by the rules of sign-up; a password, besides."""


class InvalidFieldError(FastbearerError):
    """A value is not what the schema of sign-up lets a field have.

    Attributes:
        field: The name of the field.
    """

    code = "invalid_field"

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class Judge:
    """Judges single values by the schema of sign-up, wherever they come from.

    A field is asked with its type and its validators; what the schema says of its
    fields together is for who gives them together.

    Args:
        schema: Of sign-up, with all names that users have.
        texts: Field -> what to say where it is invalid.
    """

    def __init__(self, schema: type[BaseModel], texts: Mapping[str, str]) -> None:
        self.schema = schema
        self._texts = texts

    def value(self, user: User, field: str, value: Any) -> Any:
        """Return a new value of a field of a user, as the schema makes it.

        Args:
            user: Whose; validators see what else they have.
            field: One of the schema.
            value: As it was given.

        Raises:
            InvalidFieldError: The schema refuses it.
        """
        others = self._others(user)
        try:
            found: Any = self._fields.validate_assignment(others, field, value)
        except ValidationError:
            raise InvalidFieldError(self._texts[field], field) from None
        return found[0][field]

    def values(self, user: User, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what users change of themselves: what they are called, judged.

        Raises:
            InvalidFieldError: The schema refuses one.
        """
        judged = JUDGED & self.schema.model_fields.keys()
        return {
            field: self.value(user, field, value) if field in judged else value
            for field, value in values.items()
        }

    def password(self, user: User, password: str) -> str:
        """Return a new password of a user, as the schema makes it.

        Raises:
            PasswordRuleError: The schema refuses it.
        """
        try:
            made = self.value(user, "password", password)
        except InvalidFieldError as error:
            raise PasswordRuleError(str(error)) from None
        return made.get_secret_value() if isinstance(made, SecretStr) else str(made)

    @cached_property
    def _fields(self) -> SchemaValidator:
        """The fields alone, without the validators of the whole model."""
        whole = _schema_of(self.schema)
        fields, config = _fields_of(whole)
        changeable = {
            name: {key: one[key] for key in one if key != "frozen"}
            for name, one in fields["fields"].items()
        }
        alone = {**fields, "fields": changeable}
        if whole["type"] == "definitions":
            alone = {**whole, "schema": alone}
        return SchemaValidator(alone, config)

    def _others(self, user: User) -> dict[str, Any]:
        row = user.row
        others = {name: getattr(row, name, None) for name in self.schema.model_fields}
        others["password"] = any_password()
        ours = {name: getattr(user, name) for name in JUDGED if name in others}
        return {**others, **ours}


def has_rule_of_its_own(
    model: type[BaseModel], base: type[BaseModel], field: str
) -> bool:
    """Tell whether a model judges a field otherwise than the one it is derived from."""
    ours, theirs = (_fields_of(_schema_of(one))[0]["fields"] for one in (base, model))
    return bool(ours[field]["schema"] != theirs[field]["schema"])


def any_password() -> str:
    """Return one that no rule of composition refuses."""
    return f"{new_secret()}aA1!"


def _schema_of(model: type[BaseModel]) -> Any:
    return TypeAdapter(model).core_schema


def _fields_of(schema: Any) -> tuple[Any, Any]:
    """Return the part of a model's schema that has the fields, and the settings."""
    config = None
    while schema["type"] != "model-fields":
        config = schema.get("config", config)
        schema = schema["schema"]
    return schema, config
