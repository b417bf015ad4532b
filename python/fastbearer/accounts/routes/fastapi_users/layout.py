"""Where the routes of fastapi-users are, and what they take."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastbearer.accounts.given import check_no_privilege
from fastbearer.accounts.routes.changes import ELSEWHERE, check_keeps
from fastbearer.accounts.routes.fastapi_users.schemas import UserRead, UserUpdate
from fastbearer.accounts.routes.shaped import check_derived
from fastbearer.accounts.shown import check_no_secret
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Settings

__all__ = ["FastAPIUsersLayout", "Layout", "layout_of"]

NAME = "fastapi-users"
UNKNOWN = 'layout= must be "fastapi-users" or a FastAPIUsersLayout'
WRONG_PREFIX = "{}= must begin with / and not end with it, or be None"
NO_REFRESH = "REFRESH_TOKENS=1: the routes of fastapi-users have no refresh tokens"
NOT_TO_BE_CHANGED = "{model} must not have a field {field}: users would set it"
NOT_TO_BE_SHOWN = "{model} must not have a field {field}: it is a secret"
PREFIXES = ("auth", "register", "reset_password", "verify", "users")


@dataclass(frozen=True, kw_only=True)
class FastAPIUsersLayout:
    """The prefixes at which an application has included the routers of fastapi-users.

    A router that is None is left out.

    Attributes:
        auth: Of ``get_auth_router``: ``/login`` and ``/logout``.
        register: Of ``get_register_router``: ``/register``; without it, nobody signs
            up by themselves.
        reset_password: Of ``get_reset_password_router``: ``/forgot-password`` and
            ``/reset-password``.
        verify: Of ``get_verify_router``: ``/request-verify-token`` and ``/verify``.
        users: Of ``get_users_router``: ``/me`` and ``/{id}``.
        read: What is shown of a user: a model derived from `UserRead`.
        update: What a user may change of themselves: a model derived from
            `UserUpdate`.

    Raises:
        ConfigurationError: A prefix is not one, a schema is not derived from ours, or
            lets users set what is not theirs to set, or shows a secret.
    """

    auth: str | None = "/auth/jwt"
    register: str | None = "/auth"
    reset_password: str | None = "/auth"
    verify: str | None = "/auth"
    users: str | None = "/users"
    read: type[UserRead] = UserRead
    update: type[UserUpdate] = UserUpdate

    def __post_init__(self) -> None:
        for name in PREFIXES:
            prefix = getattr(self, name)
            if prefix and (prefix[0] != "/" or prefix[-1] == "/"):
                raise ConfigurationError(WRONG_PREFIX.format(name))
        check_derived("read", self.read, UserRead)
        check_derived("update", self.update, UserUpdate)
        self._check_schemas({})

    def check(self, settings: Settings, store: CheckedUserStore) -> None:
        """Make sure that all of it can be done, when the application starts.

        Raises:
            ConfigurationError: The settings ask for refresh tokens, or the store of
                users cannot change what users may change, or keeps there what is not
                theirs to set or to see.
        """
        if self.auth is not None and settings.refresh_tokens:
            raise ConfigurationError(NO_REFRESH)
        self._check_schemas(store.attribute_names)
        if self.users is None:
            return
        store.require("change", f"layout={NAME!r}")
        check_keeps(store, self.update, sorted(self._further))

    @property
    def _further(self) -> set[str]:
        """What may be changed beside the fields of `UserUpdate`."""
        return self.update.model_fields.keys() - UserUpdate.model_fields.keys()

    def _check_schemas(self, attributes: Mapping[str, str]) -> None:
        update = self.update
        for field in sorted(self._further & ELSEWHERE):
            told = {"model": update.__name__, "field": field}
            raise ConfigurationError(NOT_TO_BE_CHANGED.format(**told))
        check_no_privilege(update, self._further, attributes, NOT_TO_BE_CHANGED)
        check_no_secret(self.read, attributes, NOT_TO_BE_SHOWN)


Layout = str | FastAPIUsersLayout
"""The name of a layout, or one in detail."""


def layout_of(given: Layout | None) -> FastAPIUsersLayout | None:
    """Return the layout that was asked for, or None for our own routes.

    Raises:
        ConfigurationError: There is no such layout.
    """
    if given is None or isinstance(given, FastAPIUsersLayout):
        return given
    if given != NAME:
        raise ConfigurationError(UNKNOWN)
    return FastAPIUsersLayout()
