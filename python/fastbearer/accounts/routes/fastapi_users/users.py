"""Users, as ``get_users_router`` of fastapi-users has them."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.requests import Request

from fastbearer.accounts.flows.errors import UnknownUserError
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.updates import Change, Updates
from fastbearer.accounts.given import sent
from fastbearer.accounts.judge import InvalidFieldError
from fastbearer.accounts.models import User
from fastbearer.accounts.routes.fastapi_users.seen import (
    is_superuser,
    seen,
    superuser_values,
)
from fastbearer.accounts.routes.fastapi_users.words import (
    NotSuperuserError,
    UsersRoute,
    responses,
)
from fastbearer.accounts.routes.table import Routes, Row, given_by
from fastbearer.fastapi import TokenUser

__all__ = ["UsersRoutes"]

OF_SUPERUSERS = frozenset(("is_active", "is_superuser", "is_verified"))
CHANGED = (400, 401, 403, 413, 422, 429, 503)


class UsersRoutes(Routes):
    """``/me`` for everybody, and ``/{id}`` for superusers.

    Args:
        prefix: Of their paths.
        parts: Of the accounts.
        updates: Changes users.
        shown: What is shown of a user.
        update: What is taken for a change: a model derived from `UserUpdate`.
    """

    def __init__(
        self,
        prefix: str,
        parts: Parts,
        updates: Updates,
        shown: type[BaseModel],
        update: type[BaseModel],
    ) -> None:
        self._prefix = prefix
        self._parts = parts
        self._updates = updates
        self._shown = shown
        self._update = update

    async def me(self, user: TokenUser) -> Any:
        """Get your account."""
        return self._seen(await self._parts.user_of(user))

    async def update_me(self, body: Any, request: Request, user: TokenUser) -> Any:
        """Change your account.

        Whether you are active, verified or a superuser is not yours to say. Another
        password ends every session, this one too.
        """
        found = await self._parts.user_to_change(user, request)
        change = change_of(found, sent(body), OF_SUPERUSERS)
        changed = await self._updated(found, change, request, is_own=True)
        return self._seen(changed)

    async def get_user(self, id: str) -> Any:
        """Get the account of a user."""
        return self._seen(await self._user(id))

    async def update_user(self, id: str, body: Any, request: Request) -> Any:
        """Change the account of a user.

        Their sessions end where the e-mail, the password, the activity or what they may
        do changes.
        """
        found = await self._user(id)
        change = change_of(found, sent(body))
        return self._seen(await self._updated(found, change, request))

    async def delete_user(self, id: str, request: Request) -> Response:
        """Delete the account of a user."""
        await self._parts.delete(await self._user(id), request)
        return Response(status_code=204)

    async def _updated(
        self, user: User, change: Change, request: Request, *, is_own: bool = False
    ) -> User:
        """Change a user.

        Raises:
            RequestValidationError: Sign-up would refuse a value.
        """
        try:
            return await self._updates.update(user, change, request, is_own=is_own)
        except InvalidFieldError as error:
            told = {"type": "value_error", "loc": ("body", error.field)}
            raise RequestValidationError([{**told, "msg": str(error)}]) from None

    def _seen(self, user: User) -> BaseModel:
        return seen(user, self._shown)

    async def check_superuser(self, user: TokenUser) -> None:
        """Refuse whose row does not say that they are a superuser.

        Raises:
            NotSuperuserError: The row says no such thing.
        """
        if not is_superuser(await self._parts.user_of(user)):
            raise NotSuperuserError("not a superuser")

    async def _user(self, user_id: str) -> User:
        """Return any user, active or not.

        Raises:
            UnknownUserError: There is none.
        """
        found = await self._parts.store.everybody.find(user_id)
        if found is None:
            raise UnknownUserError("there is no such user")
        return found

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        verify = self._parts.auth.verify_home_user
        limited = self._parts.check_address
        superuser = given_by(self.check_superuser, user=verify)
        shown: Mapping[str, Any] = {"return": self._shown}
        given: Mapping[str, Any] = {**shown, "body": self._update}
        me, one = f"{self._prefix}/me", f"{self._prefix}/{{id}}"
        rows = [
            Row(me, given_by(self.me, shown, user=verify), responses(401, 503), "GET"),
            Row(
                me,
                given_by(self.update_me, given, user=verify),
                responses(*CHANGED),
                "PATCH",
                checks=[limited],
            ),
            Row(
                one,
                given_by(self.get_user, shown),
                responses(401, 403, 404, 503),
                "GET",
                checks=[superuser],
            ),
            Row(
                one,
                given_by(self.update_user, given),
                responses(*CHANGED, 404),
                "PATCH",
                checks=[superuser, limited],
            ),
            Row(
                one,
                self.delete_user,
                responses(401, 403, 404, 409, 503),
                "DELETE",
                status=204,
                checks=[superuser],
            ),
        ]
        return [row._replace(route_class=UsersRoute) for row in rows]


def change_of(
    user: User, given: Mapping[str, Any], ignored: frozenset[str] = frozenset()
) -> Change:
    """Return what is to change of a user.

    Args:
        user: As they are.
        given: What came; null is as good as left out, but in further fields.
        ignored: The fields that are left alone.
    """
    values = {
        name: value
        for name, value in given.items()
        if name not in ignored | {"email", "password"}
        and not (value is None and name in OF_SUPERUSERS)
    }
    if "is_verified" in values:
        values["email_verified"] = values.pop("is_verified")
    if "is_superuser" in values:
        values |= superuser_values(user, values.pop("is_superuser"))
    return Change(given.get("email"), given.get("password"), values)
