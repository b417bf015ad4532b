"""What users do with their accounts: look, change, verify, recover, delete."""

from datetime import timedelta

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Response
from starlette.requests import Request

from fastbearer.accounts.codes import Codes, Purpose
from fastbearer.accounts.messages import Message, Sender, deliver
from fastbearer.accounts.models import User
from fastbearer.accounts.routes.parts import Parts, given_by
from fastbearer.accounts.routes.schemas import (
    ChangePassword,
    CodeSent,
    Done,
    EmailOnly,
    GivenCode,
    GivenPassword,
    Me,
    MyUser,
    NewPassword,
    SignedIn,
)
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.challenges import INVALID, invalid_token
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["CodeRoutes", "LifeRoutes"]

WRONG_PASSWORD = "Current password is wrong"
WRONG_CODE = "Code is wrong, was used or has expired"
FORBIDDEN = "The password is wrong; or a cookie, and from another site"


class _Routes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def _user(self, user: TokenUser) -> User:
        """Return the user of a token.

        Raises:
            HTTPException: 401 where they are gone, or never were.
        """
        found = await self._parts.store.find(user["user_id"])
        if found is None:
            raise invalid_token(INVALID)
        return found

    async def _confirmed(self, user: TokenUser, password: str, on: Request) -> User:
        """Return the user of a token, who has given their password.

        Guesses count as those at sign-in do.

        Raises:
            HTTPException: 403 where the password is wrong, 429 after too many.
        """
        parts = self._parts
        found = await self._user(user)
        parts.credentials.check_length(password)
        await parts.attempt("signin", on, found.email)
        if not await parts.credentials.match(password, found):
            raise HTTPException(403, WRONG_PASSWORD)
        await parts.throttle.forget("signin", found.email)
        return found


class LifeRoutes(_Routes):
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
        newer = await parts.credentials.hash_new(body.new_password, found.email)
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

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        verify = self._parts.auth.verify_jwt_token
        router.add_api_route(
            "/me",
            given_by(self.me, user=verify),
            methods=["GET"],
            responses=refusals(400, 401, 503),
        )
        confirmed = refusals(400, 401, 403, 413, 429, 503, texts={403: FORBIDDEN})
        router.add_api_route(
            "/change-password",
            given_by(self.change_password, user=verify),
            methods=["POST"],
            responses=confirmed,
        )
        router.add_api_route(
            "/delete-account",
            given_by(self.delete_account, user=verify),
            methods=["POST"],
            responses=confirmed,
        )


class CodeRoutes(_Routes):
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
        email = await self._codes.use("reset_password", body.code)
        user = await parts.store.find_by_email(email) if email else None
        if user is None or not await parts.store.replace_password_hash(user, newer):
            raise HTTPException(400, WRONG_CODE)
        await parts.store.verify_email(user)
        await parts.sessions.end_all(user.id)
        await parts.throttle.forget("signin", user.email)
        await parts.tell("password_reset", request, user.email, user=user)
        return Done()

    async def welcome(self, user: User) -> None:
        """Send a new user a code that verifies the address."""
        await deliver(self._send, await self._message("verify_email", user.email))

    async def _message(self, purpose: Purpose, email: str) -> Message:
        lifetime = timedelta(minutes=self._parts.auth.settings.code_minutes)
        code = await self._codes.make(purpose, email, lifetime)
        return Message(email, purpose, code, lifetime)

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        limited = [Depends(self._parts.throttle.check_address)]
        router.add_api_route(
            "/request-verification",
            given_by(self.request_verification, user=self._parts.auth.verify_jwt_token),
            methods=["POST"],
            status_code=202,
            responses=refusals(
                *(400, 401, 403, 429, 503), texts={403: "A cookie from another site"}
            ),
        )
        for path, handler, status in (
            ("/verify-email", self.verify_email, 200),
            ("/forgot-password", self.forgot_password, 202),
            ("/reset-password", self.reset_password, 200),
        ):
            router.add_api_route(
                path,
                handler,
                methods=["POST"],
                status_code=status,
                dependencies=limited,
                responses=refusals(
                    *(400, 413, 429, 503), texts={400: "Invalid input, or code"}
                ),
            )
