"""Where the routes of fastapi-users are, and what they take."""

from dataclasses import dataclass

from pydantic import BaseModel

from fastbearer.accounts.routes.fastapi_users.schemas import UserUpdate
from fastbearer.errors import ConfigurationError

__all__ = ["FastAPIUsersLayout", "Layout", "layout_of"]

NAME = "fastapi-users"
UNKNOWN = 'layout= must be "fastapi-users" or a FastAPIUsersLayout'
WRONG_PREFIX = "{}= must begin with / and not end with it, or be None"
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
        update: What a user may change of themselves: a model derived from
            `UserUpdate`.

    Raises:
        ConfigurationError: A prefix is not one.
    """

    auth: str | None = "/auth/jwt"
    register: str | None = "/auth"
    reset_password: str | None = "/auth"
    verify: str | None = "/auth"
    users: str | None = "/users"
    update: type[BaseModel] = UserUpdate

    def __post_init__(self) -> None:
        for name in PREFIXES:
            prefix = getattr(self, name)
            if prefix and (prefix[0] != "/" or prefix[-1] == "/"):
                raise ConfigurationError(WRONG_PREFIX.format(name))


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
