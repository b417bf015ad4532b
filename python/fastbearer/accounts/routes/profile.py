"""What signed-in users do with their accounts: look, change, delete."""

from contextlib import AsyncExitStack

from fastapi import HTTPException, Response
from starlette.requests import Request

from fastbearer.accounts.routes.parts import WRONG_PASSWORD, Routes, Row, given_by
from fastbearer.accounts.routes.schemas import (
    ChangePassword,
    Done,
    GivenPassword,
    Me,
    MyUser,
    SignedIn,
)
from fastbearer.accounts.stores.protocol import UserInUseError
from fastbearer.errors import RevokedTokenError, TokenError
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.challenges import answer_to
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["ProfileRoutes"]

IN_USE = "The account cannot be deleted while other data refers to it"
FORBIDDEN = "The password is wrong; or a cookie, and from another site"


class ProfileRoutes(Routes):
    """The routes of the signed-in user."""

    async def me(self, user: TokenUser) -> Me:
        """Get your account."""
        return Me(data=MyUser.model_validate(await self._user(user)))

    async def change_password(
        self,
        body: ChangePassword,
        request: Request,
        response: Response,
        user: TokenUser,
    ) -> SignedIn:
        """Change your password; get a new token, for other sessions may end."""
        parts = self._parts
        parts.credentials.check_new(body.new_password, user["email"])
        found = await self._confirmed(user, body.current_password, request)
        newer = await parts.credentials.hash_new(
            body.new_password, found.email, found.name
        )
        async with AsyncExitStack() as stack:
            if body.end_other_sessions:
                await stack.enter_async_context(parts.sessions.ending_all(found.id))
            if not await parts.store.replace_password_hash(found, newer):
                raise HTTPException(403, WRONG_PASSWORD)
            await parts.end_codes(found)
        found.password_hash = newer
        try:
            tokens = await parts.sessions.start(found)
        except TokenError as error:
            raise answer_to(RevokedTokenError("overtaken")) from error
        await parts.tell("password_changed", request, found.email, user=found)
        return parts.answers.signed_in(found, tokens, response)

    async def delete_account(
        self,
        body: GivenPassword,
        request: Request,
        response: Response,
        user: TokenUser,
    ) -> Done:
        """Delete your account."""
        parts = self._parts
        found = await self._confirmed(user, body.password, request)
        async with parts.sessions.ending_all(found.id, before=False):
            try:
                await parts.store.remove(found)
            except UserInUseError:
                raise HTTPException(409, IN_USE) from None
            await parts.end_codes(found)
        parts.answers.clear(response)
        await parts.tell("account_deleted", request, found.email, user=found)
        return Done()

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        verify = self._parts.auth.verify_home_user
        confirmed = (400, 401, 403, 413, 429, 503)
        texts = {403: FORBIDDEN, 409: IN_USE}
        return [
            Row(
                "/me",
                given_by(self.me, user=verify),
                refusals(400, 401, 503),
                "GET",
            ),
            Row(
                "/change-password",
                given_by(self.change_password, user=verify),
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
