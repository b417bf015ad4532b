"""Signing up, as ``get_register_router`` of fastapi-users has it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from fastbearer.accounts.flows.entry import Entry
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.given import INVITATION, declared
from fastbearer.accounts.routes.fastapi_users.seen import seen
from fastbearer.accounts.routes.fastapi_users.words import RegisterRoute, responses
from fastbearer.accounts.routes.table import Routes, Row, given_by

__all__ = ["RegisterRoutes"]


class RegisterRoutes(Routes):
    """``/register``.

    Args:
        prefix: Of the path.
        parts: Of the accounts.
        entry: Does it.
        given: What somebody gives who signs up.
        texts: What to say of its fields where they are invalid.
        shown: What is shown of a user.
    """

    def __init__(
        self,
        prefix: str,
        parts: Parts,
        entry: Entry,
        given: type[BaseModel],
        texts: Mapping[str, str],
        shown: type[BaseModel],
    ) -> None:
        self._prefix = prefix
        self._parts = parts
        self._entry = entry
        self._given = given
        self._texts = texts
        self._shown = shown

    async def register(self, body: Any, request: Request) -> Any:
        """Create an account; whoever has it signs in then."""
        given = self._parts.shape.given
        user, password = given.user_of(body), given.password_of(body)
        invitation = declared(body, INVITATION)
        show = partial(seen, schema=self._shown)
        return await self._entry.register(user, password, request, invitation, show)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        types = {"body": self._given, "return": self._shown}
        return [
            Row(
                f"{self._prefix}/register",
                given_by(self.register, types),
                responses(400, 403, 413, 422, 429, 503),
                status=201,
                checks=[self._parts.check_address],
                route_class=RegisterRoute.saying(self._texts),
            )
        ]
