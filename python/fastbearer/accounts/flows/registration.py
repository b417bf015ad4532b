"""Sign-up where somebody may enter only once their e-mail is verified."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import HTTPConnection

from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES
from fastbearer.accounts.stores.protocol import (
    NAMES_TAKEN,
    EmailTakenError,
    InvalidEmailError,
    NameTakenError,
)
from fastbearer.accounts.throttle import Counted, by_name
from fastbearer.errors import TooManyAttemptsError
from fastbearer.fastapi.strict_routes import after_answer

__all__ = ["Registration"]

logger: logging.Logger = logging.getLogger("fastbearer")


class Registration:
    """Keeps new users, and writes to them.

    Args:
        parts: What it works with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def register(
        self,
        user: User,
        request: HTTPConnection,
        add: Callable[[], Awaitable[None]],
        use_up: Callable[[], Awaitable[bool]],
    ) -> None:
        """Keep a new user; nobody but the owner of the e-mail learns whether it was so.

        What differs comes after the answer (OWASP ASVS 5.0, 6.3.8). What the store does
        not keep is refused whoever has the e-mail.

        Args:
            user: Who.
            request: By which it is asked for.
            add: Adds them to the store.
            use_up: Uses their invitation up where nobody is added, and tells whether
                there is one: that it is good no more tells as little.

        Raises:
            NameTakenError: Somebody has the user name or the phone number. That does
                not depend on the e-mail, nor tell of it.
            UnkeepableError: The store does not keep what they give.
            InvalidEmailError: The store does not keep such e-mails, or there is none.
        """
        parts, scope = self._parts, request.scope
        if not user.email:
            raise InvalidEmailError("there is no e-mail to be verified")
        await self._check_names(user)
        try:
            await add()
        except EmailTakenError:
            # As much work as it was to keep somebody.
            is_done = await parts.store.rehearse(user)
            if not await use_up() and not is_done:
                await parts.outbox.spend()
            after_answer(scope, partial(self._let_owner_know, user.email, request))
        else:
            told = partial(parts.tell, "signed_up", request, user.email, user=user)
            after_answer(scope, told)
            self.welcome(user, request)

    async def _check_names(self, user: User) -> None:
        everybody = self._parts.store.everybody
        for name in NAMES if everybody.can("find_by") else ():
            value = None if name == "email" else user.called(name)
            if value and await everybody.find_by(name, value) is not None:
                raise NameTakenError(NAMES_TAKEN[name], name)

    def welcome(self, user: User, request: HTTPConnection) -> None:
        """Send a new user a code that verifies the e-mail, after the answer.

        Only if that is asked for, and there is something to verify.
        """
        settings = self._parts.auth.settings
        is_asked = settings.email_verification or settings.require_verified_email
        if is_asked and user.email and not user.email_verified:
            work = partial(self._send_code, user, request)
            after_answer(request.scope, work)

    async def _send_code(self, user: User, request: HTTPConnection) -> None:
        counted = by_name(user.email, user)
        if await self._is_within_limits(counted, request):
            await self._parts.outbox.send_code("verify_email", user, request)

    async def _let_owner_know(self, email: str, request: HTTPConnection) -> None:
        parts = self._parts
        user = await parts.store.find_by_email(email)
        # Counted whoever has it: that it is full may be seen elsewhere.
        is_within_limits = await self._is_within_limits(by_name(email, user), request)
        await parts.tell("email_taken", request, email, user=user)
        if user is not None and is_within_limits:
            parts.outbox.send_notice("already_registered", user, request)

    async def _is_within_limits(
        self, counted: Counted, request: HTTPConnection
    ) -> bool:
        """Count a message that nobody asked for as one that was asked for.

        Who signs up, deletes the account and signs up again does not get around the
        limit of messages.
        """
        address = self._parts.clients.of(request.scope)
        try:
            await self._parts.throttle.take("message", counted, address)
        except TooManyAttemptsError:
            logger.warning("too many messages to somebody: one is not sent")
            return False
        return True
