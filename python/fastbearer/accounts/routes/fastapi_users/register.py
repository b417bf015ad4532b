"""Signing up, as ``get_register_router`` of fastapi-users has it."""

from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from fastbearer.accounts.flows.entry import Entry
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.models import User
from fastbearer.accounts.routes.fastapi_users.seen import SeenUser
from fastbearer.accounts.routes.fastapi_users.words import RegisterRoute, responses
from fastbearer.accounts.routes.table import Routes, Row, given_by

__all__ = ["RegisterRoutes"]

OWN = frozenset(("email", "password", "name"))
NOT_THEIRS = frozenset(("id", "is_active", "is_superuser", "is_verified"))
"""What nobody says of themselves; fastapi-users drops it as well."""


class RegisterRoutes(Routes):
    """``/register``.

    Args:
        prefix: Of the path.
        parts: Of the accounts.
        entry: Does it.
        shown: What is shown of a user.
    """

    def __init__(
        self, prefix: str, parts: Parts, entry: Entry, shown: type[BaseModel]
    ) -> None:
        self._prefix = prefix
        self._parts = parts
        self._entry = entry
        self._shown = shown

    async def register(self, body: Any, request: Request) -> Any:
        """Create an account; whoever has it signs in then."""
        user = User(email=body.email, name=body.name, password_hash="")
        user.give(body.model_dump(exclude=OWN | NOT_THEIRS, exclude_unset=True))
        await self._entry.register(user, body.password, request)
        made = await self._parts.store.find(user.id) or user
        return self._shown.model_validate(SeenUser(made))

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        types = {"body": self._parts.shape.sign_up, "return": self._shown}
        return [
            Row(
                f"{self._prefix}/register",
                given_by(self.register, types),
                responses(400, 413, 422, 429, 503),
                status=201,
                checks=[self._parts.check_address],
                route_class=RegisterRoute,
            )
        ]
