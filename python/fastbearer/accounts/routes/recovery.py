"""Codes in messages: they verify an address, or let a new password be chosen."""

from starlette.requests import Request

from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.recovery import Recovery
from fastbearer.accounts.routes.schemas import (
    CodeSent,
    Done,
    EmailOnly,
    GivenCode,
    NewPassword,
)
from fastbearer.accounts.routes.table import Routes, Row, given_by
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["RecoveryRoutes"]

CROSS_SITE = "A cookie from another site"


class RecoveryRoutes(Routes):
    """The routes that send codes, and take them back.

    Args:
        parts: Of the accounts.
        recovery: Does it.
    """

    def __init__(self, parts: Parts, recovery: Recovery) -> None:
        self._parts = parts
        self._recovery = recovery

    async def request_verification(self, request: Request, user: TokenUser) -> CodeSent:
        """Get a code by e-mail that verifies the address."""
        await self._recovery.request_verification(user, request)
        return CodeSent()

    async def verify_email(self, body: GivenCode, request: Request) -> Done:
        """Verify an e-mail with the code that was sent there."""
        await self._recovery.verify_email(body.code, request)
        return Done()

    async def resend_verification(self, body: EmailOnly, request: Request) -> CodeSent:
        """Get another code by e-mail that verifies the address, without a token.

        The answer is the same whether or not anybody has the e-mail, and so is
        what is done before it.
        """
        await self._recovery.resend_verification(body.email, request)
        return CodeSent()

    async def forgot_password(self, body: EmailOnly, request: Request) -> CodeSent:
        """Get a code by e-mail that lets you choose a new password.

        The answer is the same whether or not anybody has the e-mail, and so is
        what is done before it.
        """
        await self._recovery.forgot_password(body.email, request)
        return CodeSent()

    async def reset_password(self, body: NewPassword, request: Request) -> Done:
        """Choose a new password with the code that was sent; all sessions end."""
        await self._recovery.reset_password(body.code, body.password, request)
        return Done()

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
            Row(
                "/resend-verification",
                self.resend_verification,
                given,
                status=202,
                checks=limited,
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
