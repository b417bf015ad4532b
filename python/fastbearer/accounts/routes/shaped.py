"""The schemas of one set of accounts, as the project shapes them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Union

from pydantic import BaseModel, create_model, field_validator

from fastbearer.accounts.given import aliases
from fastbearer.accounts.judge import has_rule_of_its_own
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, Name, new_name
from fastbearer.accounts.routes.schemas import (
    TEXTS,
    Body,
    CookieSession,
    GivenEmail,
    GivenUserName,
    Me,
    MyUser,
    Password,
    Phone,
    PublicUser,
    RefreshableSession,
    Session,
    SignedIn,
    SignIn,
    SignUp,
    UserName,
)
from fastbearer.accounts.shape import Shape
from fastbearer.errors import ConfigurationError

__all__ = ["Shaped", "check_derived", "check_schemas", "texts_of"]

WRONG_MODEL = "{}= must be a class derived from fastbearer.accounts.{}"
INVALID = "{} is invalid"
PASSWORD_REFUSED = "Password is invalid"

GIVEN: Mapping[Name, Any] = {
    "email": GivenEmail,
    "username": GivenUserName,
    "phone": Phone,
}
"""What somebody signs in with."""
WANTED: Mapping[Name, Any] = {"username": UserName, "phone": Phone}
"""What somebody signs up with, beside an e-mail."""


class Shaped:
    """What the routes read and answer.

    Args:
        shape: Of the accounts.

    Attributes:
        sign_up: What somebody gives who signs up.
        sign_up_texts: What to say of its fields, as JSON calls them.
        sign_in: What somebody gives who signs in.
        signed_in: The answer to either.
        me: The answer to who asks for their account.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.sign_up: Any = _sign_up(shape)
        self.sign_up_texts: dict[str, str] = texts_of(
            self.sign_up, partial(_usual, self.sign_up)
        )
        self.sign_in: Any = _sign_in(shape.names)
        public: Any = shape.public
        kinds = (RefreshableSession, Session, CookieSession)
        made = [_with(kind, "user", public, public) for kind in kinds]
        self._refreshable, self._session, self._in_cookies = made
        several: Any = Union[tuple(made)]  # noqa: UP007
        self.signed_in: type[SignedIn] = _with(SignedIn, "data", several, public)
        self._mine = _mine(public)
        self.me: type[Me] = _with(Me, "data", self._mine, public)

    def session(
        self, user: User, token: str | None = None, refresh_token: str | None = None
    ) -> SignedIn:
        """Return the answer to who has signed in.

        Args:
            user: Who.
            token: Their access token; None where it is in a cookie.
            refresh_token: Their refresh token, if there is one beside it.

        Raises:
            NotShownError: The user's row does not fit the public schema.
        """
        shown = self._shape.shown.of(user, self._shape.public)
        data: Any
        if token is None:
            data = self._in_cookies(user=shown)
        elif refresh_token is None:
            data = self._session(token=token, user=shown)
        else:
            data = self._refreshable(
                token=token, refresh_token=refresh_token, user=shown
            )
        return self.signed_in(data=data)

    def account(self, user: User) -> Me:
        """Return the answer to who asks for their account.

        Raises:
            NotShownError: The user's row does not fit the public schema.
        """
        return self.me(data=self._shape.shown.of(user, self._mine))


def check_schemas(sign_up: Any, public: Any) -> None:
    """Check that a project has derived its schemas from ours.

    Raises:
        ConfigurationError: A schema is derived from another.
    """
    check_derived("sign_up", sign_up, SignUp)
    check_derived("public", public, PublicUser)


def check_derived(argument: str, model: Any, base: type[BaseModel]) -> None:
    """Check that a schema of a project is derived from one of ours.

    Raises:
        ConfigurationError: It is derived from another.
    """
    if not (isinstance(model, type) and issubclass(model, base)):
        raise ConfigurationError(WRONG_MODEL.format(argument, base.__name__))


def texts_of(
    model: type[BaseModel], usual: Callable[[str], str | None] = TEXTS.get
) -> dict[str, str]:
    """Return what to say of the fields of a project's schema, as JSON calls them.

    Args:
        model: The schema.
        usual: Returns what is said of one of our fields that has no description.
    """
    texts: dict[str, str] = {}
    for name, field in model.model_fields.items():
        names = aliases(name, field)
        text = field.description or usual(name) or INVALID.format(names[0])
        texts |= dict.fromkeys(names, text)
    return texts


def _sign_up(shape: Shape) -> Any:
    """Return the project's schema with the names that it does not have itself.

    Names get their one form before the project's validators see them.
    """
    model = shape.sign_up
    missing = [one for one in shape.names if one not in model.model_fields]
    if model is SignUp and not missing:
        return SignUp
    is_only = len(shape.names) == 1
    fields: Any = {
        name: (WANTED[name], ...) if is_only else (WANTED[name] | None, None)
        for name in missing
    }
    named = field_validator(*NAMES, mode="before", check_fields=False)(_in_one_form)
    return create_model(
        model.__name__,
        __base__=model,
        __doc__=model.__doc__,
        __module__=model.__module__,
        __validators__={"fastbearer_names": named},
        **fields,
    )


def _in_one_form(cls: Any, value: Any, info: Any) -> Any:
    return new_name(info.field_name, value) if isinstance(value, str) else value


def _usual(model: type[BaseModel], name: str) -> str | None:
    """Return what is said of one of our fields; not where the project judges it."""
    if name == "password" and has_rule_of_its_own(model, SignUp, name):
        return PASSWORD_REFUSED
    return TEXTS.get(name)


def _sign_in(names: tuple[Name, ...]) -> Any:
    if names == ("email",):
        return SignIn
    if len(names) == 1:
        fields: Any = {name: (GIVEN[name], ...) for name in names}
        return create_model(
            "SignIn",
            __base__=Body,
            __doc__="A name and its password.",
            __module__=__name__,
            **fields,
            password=(Password, ...),
        )

    def exactly_one(schema: dict[str, Any]) -> None:
        for name in names:
            schema["properties"][name].pop("default", None)
        schema["oneOf"] = [{"required": [name]} for name in names]

    fields = {name: (GIVEN[name], None) for name in names}
    return create_model(
        "SignIn",
        __base__=Body,
        __doc__="One of several names, and its password.",
        __module__=__name__,
        __cls_kwargs__={"json_schema_extra": exactly_one},
        **fields,
        password=(Password, ...),
    )


def _with(base: Any, field: str, kind: Any, public: type[PublicUser]) -> Any:
    """Return one of our schemas that shows a user in the project's way."""
    if public is PublicUser:
        return base
    fields: Any = {field: (kind, ...)}
    return create_model(
        base.__name__,
        __base__=base,
        __doc__=base.__doc__,
        __module__=__name__,
        **fields,
    )


def _mine(public: type[PublicUser]) -> Any:
    """Return what a user is shown who asks."""
    if public is PublicUser:
        return MyUser
    if "email_verified" in public.model_fields:
        return public
    return create_model(
        f"{public.__name__}WithVerification",
        __base__=public,
        __doc__=public.__doc__,
        __module__=__name__,
        email_verified=(bool, ...),
    )
