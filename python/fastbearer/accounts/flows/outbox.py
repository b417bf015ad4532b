"""What is written to users: it leaves when the request has been answered."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from starlette.requests import HTTPConnection

from fastbearer.accounts.codes import Codes, Purpose
from fastbearer.accounts.emails import normalize_email
from fastbearer.accounts.languages import languages_of
from fastbearer.accounts.messages import (
    Message,
    MessagePurpose,
    Notice,
    Sender,
    deliver,
)
from fastbearer.accounts.models import User
from fastbearer.fastapi import Settings
from fastbearer.fastapi.client_address import ClientAddresses
from fastbearer.fastapi.strict_routes import after_answer, owe

__all__ = ["Outbox"]

logger: logging.Logger = logging.getLogger("fastbearer")


class Outbox:
    """Writes messages after the answer, and lets them leave.

    So the time of an answer tells nobody whether there is a message.

    Args:
        settings: Says how long codes are good; asked when needed.
        codes: The codes.
        clients: Knows the addresses of clients.
        send: Sends messages.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        codes: Codes,
        clients: ClientAddresses,
        send: Sender,
    ) -> None:
        self._settings = settings
        self._codes = codes
        self._clients = clients
        self._send = send

    async def send_code(
        self,
        purpose: Purpose,
        user: User | None,
        request: HTTPConnection,
        target: str = "",
    ) -> None:
        """Send a user a fresh code.

        For nobody a code is made as well, so that the work is the same.

        Args:
            purpose: What it is good for.
            user: Whose it is.
            request: By which it is asked for.
            target: The e-mail to be: then the code goes there.
        """
        lifetime = timedelta(minutes=self._settings().code_minutes)
        code = await self._codes.make(purpose, user, lifetime, target)
        if user is not None:
            to = target or user.address
            self._leave(to, purpose, user, request, code, lifetime)

    def send_notice(
        self, purpose: Notice, user: User, request: HTTPConnection, to: str = ""
    ) -> None:
        """Let a user know something.

        Args:
            purpose: What.
            user: Whom.
            request: By which it came about.
            to: The e-mail, where it is not that on record.
        """
        self._leave(to or user.address, purpose, user, request)

    def owe_notice(
        self, purpose: Notice, user: User, request: HTTPConnection, to: str
    ) -> None:
        """Let a user know what is stored, even if the request is refused after that.

        Args:
            purpose: As in `send_notice`, like the others. Of several notices for one
                purpose the last one leaves.
            user: Whom.
            request: By which it came about.
            to: The e-mail; empty for none.
        """
        if to:
            work = partial(self._deliver, to, purpose, user, request)
            owe(request.scope, purpose, work)

    async def spend(self) -> None:
        """Make a code for nobody: what is stored for somebody takes as long."""
        await self._codes.make("verify_email", None, timedelta())

    def _leave(
        self,
        to: str,
        purpose: MessagePurpose,
        user: User,
        request: HTTPConnection,
        code: str = "",
        lifetime: timedelta = timedelta(),
    ) -> None:
        """Let a message leave, if there is an address that it could go to.

        It is made after the answer, too: that is work which nobody else causes.
        """
        if to:
            work = partial(self._deliver, to, purpose, user, request, code, lifetime)
            after_answer(request.scope, work)

    async def _deliver(
        self,
        to: str,
        purpose: MessagePurpose,
        user: User,
        request: HTTPConnection,
        code: str = "",
        lifetime: timedelta = timedelta(),
    ) -> None:
        """Send a message, unless what is on record is no address."""
        try:
            normalize_email(to)
        except ValueError:
            logger.error("user %s has no valid e-mail: nothing is sent", user.id)
            return
        message = Message(
            to.strip(),
            purpose,
            code,
            lifetime,
            user=user,
            languages=languages_of(request.headers.get("accept-language", "")),
            address=self._clients.of(request.scope),
        )
        await deliver(self._send, message)
