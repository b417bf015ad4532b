"""Codes in messages: they verify an address, or let a new password be chosen."""

import logging
from datetime import timedelta

from fastapi import BackgroundTasks, HTTPException
from starlette.requests import Request

from fastbearer.accounts.codes import Bond, Codes, Purpose
from fastbearer.accounts.emails import normalize_email
from fastbearer.accounts.messages import Message, Sender, deliver
from fastbearer.accounts.models import User
from fastbearer.accounts.routes.parts import Parts, Routes, Row, given_by
from fastbearer.accounts.routes.schemas import (
    CodeSent,
    Done,
    EmailOnly,
    GivenCode,
    NewPassword,
)
from fastbearer.errors import TooManyAttemptsError
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["RecoveryRoutes"]

WRONG_CODE = "Code is wrong, was used or has expired"
CROSS_SITE = "A cookie from another site"

logger = logging.getLogger("fastbearer")


class RecoveryRoutes(Routes):
    """The routes that send codes, and take them back."""

    def __init__(self, parts: Parts, codes: Codes, send: Sender) -> None:
        super().__init__(parts)
        self._codes = codes
        self._send = send

    async def request_verification(
        self, request: Request, tasks: BackgroundTasks, user: TokenUser
    ) -> CodeSent:
        """Get a code by e-mail that verifies the address."""
        found = await self._user(user)
        await self._parts.attempt("message", request, found.email)
        self._send_later(tasks, await self._message("verify_email", found))
        return CodeSent()

    async def verify_email(self, body: GivenCode, request: Request) -> Done:
        """Verify an e-mail with the code that was sent there."""
        user = await self._owner("verify_email", body.code)
        await self._parts.store.verify_email(user)
        await self._codes.end("verify_email", user.id)
        await self._parts.tell("email_verified", request, user.email, user=user)
        return Done()

    async def forgot_password(
        self, body: EmailOnly, request: Request, tasks: BackgroundTasks
    ) -> CodeSent:
        """Get a code by e-mail that lets you choose a new password.

        The answer is the same whether or not anybody has the e-mail, and so is
        what is done before it.
        """
        await self._parts.attempt("message", request, body.email)
        user = await self._parts.store.find_by_email(body.email)
        await self._parts.tell("reset_requested", request, body.email, user=user)
        self._send_later(tasks, await self._message("reset_password", user))
        return CodeSent()

    async def reset_password(self, body: NewPassword, request: Request) -> Done:
        """Choose a new password with the code that was sent; all sessions end.

        They end before the password changes, so that where they cannot, nothing
        has happened and the code is still good; and after it, for one may have
        begun meanwhile.
        """
        parts = self._parts
        user = await self._owner("reset_password", body.code)
        newer = await parts.credentials.hash_new(body.password, user.email, user.name)
        async with parts.sessions.ending_all(user.id):
            # Of several at a time one wins here: the code is bound to the old hash.
            if not await parts.store.replace_password_hash(user, newer):
                raise HTTPException(400, WRONG_CODE)
            await self._codes.end_all(user.id)
            await parts.store.verify_email(user)
        await parts.succeed("signin", request, user.email)
        await parts.tell("password_reset", request, user.email, user=user)
        return Done()

    async def welcome(self, user: User, address: str | None) -> None:
        """Send a new user a code that verifies the address.

        It counts as one that was asked for: who signs up, deletes the account and
        signs up again does not get around the limit of messages.

        Args:
            user: The new user.
            address: Their client's, if it is known.
        """
        try:
            await self._parts.throttle.take("message", user.email, address)
        except TooManyAttemptsError:
            logger.warning("too many messages: none is sent to user %s", user.id)
            return
        message = await self._message("verify_email", user)
        if message is not None:
            await deliver(self._send, message)

    async def _owner(self, purpose: Purpose, code: str) -> User:
        """Return the user whose code it is.

        Raises:
            HTTPException: 400 where it is nobody's, or the user has another
                e-mail or password than when it was made.
        """
        bond = await self._codes.find(purpose, code)
        user = await self._parts.store.find(bond.user_id) if bond else None
        if user is None or Bond.to(user) != bond:
            raise HTTPException(400, WRONG_CODE)
        return user

    async def _message(self, purpose: Purpose, user: User | None) -> Message | None:
        """Return a message with a fresh code, to the address on record.

        For nobody a code is made as well, and there is no message; nor is there
        one to what is no address, though it is on record.
        """
        lifetime = timedelta(minutes=self._parts.auth.settings.code_minutes)
        code = await self._codes.make(purpose, user, lifetime)
        if user is None:
            return None
        try:
            normalize_email(user.address)
        except ValueError:
            logger.error("user %s has no valid e-mail: nothing is sent", user.id)
            return None
        return Message(user.address.strip(), purpose, code, lifetime)

    def _send_later(self, tasks: BackgroundTasks, message: Message | None) -> None:
        if message is not None:
            tasks.add_task(deliver, self._send, message)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        verify = self._parts.auth.verify_home_user
        limited = [self._parts.check_address]
        asked = refusals(400, 401, 403, 429, 503, texts={403: CROSS_SITE})
        given = refusals(400, 413, 429, 503, texts={400: "Invalid input, or code"})
        return [
            Row(
                "/request-verification",
                given_by(self.request_verification, user=verify),
                asked,
                status=202,
            ),
            Row("/verify-email", self.verify_email, given, checks=limited),
            Row(
                "/forgot-password",
                self.forgot_password,
                given,
                status=202,
                checks=limited,
            ),
            Row("/reset-password", self.reset_password, given, checks=limited),
        ]
