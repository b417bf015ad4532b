"""Tokens in messages, as two routers of fastapi-users have them.

``get_reset_password_router`` and ``get_verify_router``. Our tokens are codes that are
good once.
"""

from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.recovery import Recovery
from fastbearer.accounts.routes.fastapi_users.schemas import (
    GivenToken,
    KnownEmail,
    ResetPassword,
)
from fastbearer.accounts.routes.fastapi_users.seen import seen
from fastbearer.accounts.routes.fastapi_users.words import (
    AlreadyVerifiedError,
    FastAPIUsersRoute,
    ResetPasswordRoute,
    VerifyRoute,
    responses,
)
from fastbearer.accounts.routes.table import Routes, Row, given_by

__all__ = ["ResetPasswordRoutes", "VerifyRoutes"]

ANSWERED = responses(400, 413, 422, 429, 503)


class ResetPasswordRoutes(Routes):
    """``/forgot-password`` and ``/reset-password``.

    Args:
        prefix: Of their paths.
        parts: Of the accounts.
        recovery: Does it.
    """

    def __init__(self, prefix: str, parts: Parts, recovery: Recovery) -> None:
        self._prefix = prefix
        self._parts = parts
        self._recovery = recovery

    async def forgot_password(self, body: KnownEmail, request: Request) -> None:
        """Get a token by e-mail that lets you choose a new password.

        The answer is the same whether or not anybody has the e-mail.
        """
        await self._recovery.forgot_password(body.email, request)

    async def reset_password(self, body: ResetPassword, request: Request) -> None:
        """Choose a new password with the token that was sent; all sessions end."""
        await self._recovery.reset_password(body.token, body.password, request)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        checks = [self._parts.check_address]
        return [
            Row(
                f"{self._prefix}/forgot-password",
                self.forgot_password,
                ANSWERED,
                status=202,
                checks=checks,
                route_class=FastAPIUsersRoute,
            ),
            Row(
                f"{self._prefix}/reset-password",
                self.reset_password,
                ANSWERED,
                checks=checks,
                route_class=ResetPasswordRoute,
            ),
        ]


class VerifyRoutes(Routes):
    """``/request-verify-token`` and ``/verify``.

    Args:
        prefix: Of their paths.
        parts: Of the accounts.
        recovery: Does it.
        shown: What is shown of a user.
    """

    def __init__(
        self, prefix: str, parts: Parts, recovery: Recovery, shown: type[BaseModel]
    ) -> None:
        self._prefix = prefix
        self._parts = parts
        self._recovery = recovery
        self._shown = shown

    async def request_verify_token(self, body: KnownEmail, request: Request) -> None:
        """Get a token by e-mail that verifies the address.

        The answer is the same whether or not anybody has the e-mail.
        """
        await self._recovery.resend_verification(body.email, request)

    async def verify(self, body: GivenToken, request: Request) -> Any:
        """Verify an e-mail with the token that was sent there."""
        user = await self._recovery.verify_email(body.token, request)
        if user.email_verified:
            raise AlreadyVerifiedError("the e-mail is verified already")
        made = await self._parts.user_of({"user_id": user.id, "email": user.email})
        return seen(made, self._shown)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        checks = [self._parts.check_address]
        return [
            Row(
                f"{self._prefix}/request-verify-token",
                self.request_verify_token,
                ANSWERED,
                status=202,
                checks=checks,
                route_class=FastAPIUsersRoute,
            ),
            Row(
                f"{self._prefix}/verify",
                given_by(self.verify, {"return": self._shown}),
                ANSWERED,
                checks=checks,
                route_class=VerifyRoute,
            ),
        ]
