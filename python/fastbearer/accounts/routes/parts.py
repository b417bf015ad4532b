"""What the routes of the accounts work with, and how they are attached."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, HTTPException
from starlette.requests import Request

from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.events import AccountEvent, EventName, Events
from fastbearer.accounts.models import User
from fastbearer.accounts.routes.answers import Answers
from fastbearer.accounts.sessions import Sessions
from fastbearer.accounts.stores.protocol import UserStore
from fastbearer.accounts.throttle import Kind, Throttle
from fastbearer.fastapi import Auth

__all__ = ["Parts", "given_by"]


@dataclass(frozen=True)
class Parts:
    """One set of accounts, in its parts."""

    auth: Auth
    store: UserStore
    credentials: Credentials
    sessions: Sessions
    answers: Answers
    throttle: Throttle
    events: Events

    async def tell(
        self,
        name: EventName,
        request: Request,
        email: str,
        *,
        user: User | None = None,
        user_id: str | None = None,
    ) -> None:
        """Tell what has happened."""
        known = user.id if user is not None else user_id
        address = self.throttle.address(request)
        await self.events.tell(AccountEvent(name, email, address, known, user))

    async def attempt(self, kind: Kind, request: Request, email: str) -> None:
        """Count an attempt for an e-mail.

        Raises:
            HTTPException: 429.
            StoreUnavailableError: It cannot be counted.
        """
        try:
            await self.throttle.take(kind, email)
        except HTTPException:
            await self.tell("locked_out", request, email)
            raise


def given_by(
    handler: Callable[..., Awaitable[Any]], **dependencies: Callable[..., Any]
) -> Callable[..., Awaitable[Any]]:
    """Return a route's handler whose named parameters come from dependencies.

    A method cannot name the dependencies of its own object in its signature.
    """

    async def endpoint(**values: Any) -> Any:
        return await handler(**values)

    signature = inspect.signature(handler)
    parameters = []
    for parameter in signature.parameters.values():
        parameter = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        if parameter.name in dependencies:
            default = Depends(dependencies[parameter.name])
            parameter = parameter.replace(default=default)
        parameters.append(parameter)
    endpoint.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
    return endpoint
