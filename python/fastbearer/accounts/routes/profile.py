"""What signed-in users do with their accounts: look, change, delete."""

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
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["ProfileRoutes"]

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
        if not await parts.store.replace_password_hash(found, newer):
            raise HTTPException(403, WRONG_PASSWORD)
        if body.end_other_sessions:
            await parts.sessions.end_all(found.id)
        tokens = await parts.sessions.issue(found)
        await parts.tell("password_changed", request, found.email, user=found)
        return parts.answers.signed_in(found, tokens, response)

    async def delete_account(
        self, body: GivenPassword, request: Request, user: TokenUser
    ) -> Done:
        """Delete your account."""
        parts = self._parts
        found = await self._confirmed(user, body.password, request)
        await parts.store.remove(found)
        await parts.sessions.end_all(found.id)
        await parts.tell("account_deleted", request, found.email, user=found)
        return Done()

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        verify = self._parts.auth.verify_jwt_token
        confirmed = refusals(400, 401, 403, 413, 429, 503, texts={403: FORBIDDEN})
        return [
            Row("/me", given_by(self.me, user=verify), refusals(400, 401, 503), "GET"),
            Row(
                "/change-password",
                given_by(self.change_password, user=verify),
                confirmed,
            ),
            Row(
                "/delete-account",
                given_by(self.delete_account, user=verify),
                confirmed,
            ),
        ]
