"""What the routes of the accounts work with, and how they are attached."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request

from fastbearer.accounts.client_address import UNKNOWN, ClientAddresses
from fastbearer.accounts.codes import Codes
from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.events import AccountEvent, EventName, Events
from fastbearer.accounts.models import User
from fastbearer.accounts.routes.answers import Answers
from fastbearer.accounts.sessions import Sessions
from fastbearer.accounts.stores.protocol import UserStore
from fastbearer.accounts.throttle import Kind, Throttle
from fastbearer.errors import StoreUnavailableError, TooManyAttemptsError
from fastbearer.fastapi import Auth, TokenUser
from fastbearer.fastapi.challenges import INVALID, invalid_token
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.fastapi.strict_routes import on_outage

__all__ = ["Parts", "Routes", "Row", "given_by", "verified"]

WRONG_PASSWORD = "Current password is wrong"
NO_SUCH_USER = "there is no such account: it may have been deleted"

logger = logging.getLogger("fastbearer")


@dataclass(frozen=True)
class Parts:
    """One set of accounts, in its parts."""

    auth: Auth
    store: UserStore
    credentials: Credentials
    sessions: Sessions
    answers: Answers
    throttle: Throttle
    clients: ClientAddresses
    events: Events
    codes: Codes | None

    async def end_codes(self, user: User) -> None:
        """End the codes of a user; without a sender, there are none."""
        if self.codes is not None:
            await self.codes.end_all(user.id)

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
        address = self.clients.of(request.scope) or UNKNOWN
        await self.events.tell(AccountEvent(name, email, address, known, user))

    async def attempt(self, kind: Kind, request: Request, email: str) -> None:
        """Count an attempt for an e-mail; it is given back if we are too busy.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: It cannot be counted.
        """
        address = self.clients.of(request.scope)
        try:
            await self.throttle.take(kind, email, address)
        except TooManyAttemptsError:
            await self.tell("locked_out", request, email)
            raise
        on_outage(request.scope, partial(self.throttle.give_back, kind, email, address))

    async def succeed(self, kind: Kind, request: Request, email: str) -> None:
        """Forget a client's failed attempts, for this one was right.

        That it cannot be stored does not undo what has succeeded.
        """
        try:
            await self.throttle.forget(kind, email, self.clients.of(request.scope))
        except StoreUnavailableError as error:
            logger.error("attempts not forgotten: %s", error.__cause__)

    async def check_address(self, request: Request) -> None:
        """Count a request from its client's address: a dependency.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: It cannot be counted.
        """
        await self.throttle.check_address(self.clients.of(request.scope))


class Row(NamedTuple):
    """One route, as the router is told of it.

    Attributes:
        path: Below the router's prefix.
        handler: As `given_by` makes it, where it needs dependencies.
        refusals: What OpenAPI says of them.
        method: HTTP's.
        status: The status of success.
        checks: Dependencies that only refuse.
    """

    path: str
    handler: Callable[..., Any]
    refusals: dict[int | str, dict[str, Any]]
    method: str = "POST"
    status: int = 200
    checks: Sequence[Callable[..., Any]] = ()


class Routes:
    """Routes that belong together, and what all of them need.

    Args:
        parts: What the routes work with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def rows(self) -> Iterable[Row]:
        """Return the routes, in the order in which OpenAPI shows them."""
        raise NotImplementedError

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        for row in self.rows():
            router.add_api_route(
                row.path,
                row.handler,
                methods=[row.method],
                status_code=row.status,
                dependencies=[Depends(check) for check in row.checks],
                responses=row.refusals,
            )

    async def _user(self, user: TokenUser) -> User:
        """Return the user of a token.

        Raises:
            HTTPException: 401 where they are gone, or never were.
        """
        found = await self._parts.store.find(user["user_id"])
        if found is None:
            log_refusal("invalid_claim", "no_such_user", "sub", NO_SUCH_USER)
            raise invalid_token(INVALID)
        return found

    async def _confirmed(self, user: TokenUser, password: str, on: Request) -> User:
        """Return the user of a token, who has given their password.

        Guesses count as those at sign-in do.

        Raises:
            HTTPException: 403 where the password is wrong.
            TooManyAttemptsError: There were too many guesses.
        """
        parts = self._parts
        found = await self._user(user)
        parts.credentials.check_length(password)
        await parts.attempt("signin", on, found.email)
        if not await parts.credentials.match(password, found):
            await parts.tell("password_refused", on, found.email, user=found)
            raise HTTPException(403, WRONG_PASSWORD)
        await parts.succeed("signin", on, found.email)
        return found


async def verified(verifier: Any, token: str) -> dict[str, Any]:
    """Return the claims of a token that is good, whether or not it has ended."""
    averify = getattr(verifier, "averify", None)
    claims: dict[str, Any] = (
        verifier.verify(token) if averify is None else await averify(token)
    )
    return claims


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
