"""What signed-in users do with their accounts: look, change, delete."""

from typing import Any

from fastapi import Response
from starlette.requests import Request

from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.profile import Profile
from fastbearer.accounts.routes.answers import Answers
from fastbearer.accounts.routes.changes import Changes
from fastbearer.accounts.routes.refusals import IN_USE, NAMES_TAKEN, UNCHANGEABLE
from fastbearer.accounts.routes.schemas import (
    ChangePassword,
    Done,
    GivenPassword,
    Me,
    SignedIn,
)
from fastbearer.accounts.routes.table import Routes, Row, given_by
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["ProfileRoutes"]

FORBIDDEN = "The password is wrong; or a cookie, and from another site"


class ProfileRoutes(Routes):
    """The routes of the signed-in user.

    Args:
        parts: Of the accounts.
        answers: Gives tokens to clients, and takes them back.
        changes: What users may change.
    """

    def __init__(self, parts: Parts, answers: Answers, changes: Changes) -> None:
        self._parts = parts
        self._changes = changes
        self._answers = answers
        self._profile = Profile(parts)

    async def me(self, user: TokenUser) -> Me:
        """Get your account."""
        return self._answers.account(await self._parts.user_of(user))

    async def change(self, body: Any, request: Request, user: TokenUser) -> Me:
        """Change what is sent of your account; what is left out stays."""
        values = self._changes.values_of(body)
        changed = await self._profile.change(user, values, request)
        return self._answers.account(changed)

    async def change_password(
        self,
        body: ChangePassword,
        request: Request,
        response: Response,
        user: TokenUser,
    ) -> SignedIn:
        """Change your password; get a new token, because other sessions may end."""
        entered = await self._profile.change_password(
            user,
            body.current_password,
            body.new_password,
            request,
            end_other_sessions=body.end_other_sessions,
        )
        return self._answers.signed_in(*entered, response, request)

    async def delete_account(
        self,
        body: GivenPassword,
        request: Request,
        response: Response,
        user: TokenUser,
    ) -> Done:
        """Delete your account."""
        await self._profile.delete(user, body.password, request)
        self._answers.clear(response)
        return Done()

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        verify = self._parts.auth.verify_home_user
        schemas = self._answers.schemas
        confirmed = (400, 401, 403, 413, 429, 503)
        texts = {403: FORBIDDEN, 409: IN_USE}
        return [
            Row(
                "/me",
                given_by(self.me, {"return": schemas.me}, user=verify),
                refusals(400, 401, 503),
                "GET",
            ),
            *self._change_row(),
            Row(
                "/change-password",
                given_by(
                    self.change_password, {"return": schemas.signed_in}, user=verify
                ),
                refusals(*confirmed, texts=texts),
                checks=[self._parts.check_address],
            ),
            Row(
                "/delete-account",
                given_by(self.delete_account, user=verify),
                refusals(*confirmed, 409, texts=texts),
                checks=[self._parts.check_address],
            ),
        ]

    def _change_row(self) -> list[Row]:
        if self._changes.schema is None:
            return []
        types = {"body": self._changes.schema, "return": self._answers.schemas.me}
        texts = {
            400: f"Invalid input, or: {NAMES_TAKEN['username']}",
            403: "A cookie from another site",
            404: UNCHANGEABLE,
        }
        return [
            Row(
                "/me",
                given_by(self.change, types, user=self._parts.auth.verify_home_user),
                refusals(400, 401, 403, 404, 413, 429, 503, texts=texts),
                "PATCH",
                checks=[self._parts.check_address],
                texts=self._changes.texts,
            )
        ]
