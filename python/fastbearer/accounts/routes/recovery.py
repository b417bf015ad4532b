"""Codes in messages: they verify an address, or let a new password be chosen."""

from datetime import timedelta

from fastapi import BackgroundTasks, HTTPException
from starlette.requests import Request

from fastbearer.accounts.codes import Codes, Purpose
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
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["RecoveryRoutes"]

WRONG_CODE = "Code is wrong, was used or has expired"
CROSS_SITE = "A cookie from another site"


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
        tasks.add_task(
            deliver, self._send, await self._message("verify_email", found.email)
        )
        return CodeSent()

    async def verify_email(self, body: GivenCode, request: Request) -> Done:
        """Verify an e-mail with the code that was sent there."""
        email = await self._codes.use("verify_email", body.code)
        user = await self._parts.store.find_by_email(email) if email else None
        if user is None:
            raise HTTPException(400, WRONG_CODE)
        await self._parts.store.verify_email(user)
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
        message = await self._message("reset_password", body.email)
        if user is not None:
            tasks.add_task(deliver, self._send, message)
        return CodeSent()

    async def reset_password(self, body: NewPassword, request: Request) -> Done:
        """Choose a new password with the code that was sent; all sessions end."""
        parts = self._parts
        email = await self._codes.find("reset_password", body.code)
        if email is None:
            raise HTTPException(400, WRONG_CODE)
        newer = await parts.credentials.hash_new(body.password, email)
        user = await parts.store.find_by_email(email)
        if user is None:
            raise HTTPException(400, WRONG_CODE)
        async with parts.sessions.ending_all(user.id):
            used = await self._codes.use("reset_password", body.code)
            if used is None or not await parts.store.replace_password_hash(user, newer):
                raise HTTPException(400, WRONG_CODE)
            await parts.store.verify_email(user)
        await parts.succeed("signin", request, user.email)
        await parts.tell("password_reset", request, user.email, user=user)
        return Done()

    async def welcome(self, user: User) -> None:
        """Send a new user a code that verifies the address."""
        await deliver(self._send, await self._message("verify_email", user.email))

    async def _message(self, purpose: Purpose, email: str) -> Message:
        lifetime = timedelta(minutes=self._parts.auth.settings.code_minutes)
        code = await self._codes.make(purpose, email, lifetime)
        return Message(email, purpose, code, lifetime)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        verify = self._parts.auth.verify_jwt_token
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
