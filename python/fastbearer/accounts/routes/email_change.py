"""Another e-mail for the signed-in user."""

from fastapi import Response
from starlette.requests import Request

from fastbearer.accounts.flows.email_change import EmailChange
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.routes.answers import Answers
from fastbearer.accounts.routes.refusals import EMAIL_TAKEN, UNCHANGEABLE, WRONG_CODE
from fastbearer.accounts.routes.schemas import (
    ChangeEmail,
    CodeSent,
    GivenCode,
    SignedIn,
)
from fastbearer.accounts.routes.table import Routes, Row, given_by
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["EmailChangeRoutes"]

ASKED = refusals(
    *(400, 401, 403, 404, 413, 429, 503),
    texts={
        403: "The password is wrong; or a cookie, and from another site",
        404: UNCHANGEABLE,
    },
)
CONFIRMED = refusals(
    *(400, 401, 403, 404, 413, 429, 503),
    texts={
        400: f"Invalid input, or: {WRONG_CODE}; or: {EMAIL_TAKEN}",
        403: "A cookie from another site",
        404: UNCHANGEABLE,
    },
)


class EmailChangeRoutes(Routes):
    """The routes by which the signed-in user gets another e-mail.

    Args:
        parts: Of the accounts.
        change: Does it.
        answers: Gives tokens to clients, and takes them back.
    """

    def __init__(self, parts: Parts, change: EmailChange, answers: Answers) -> None:
        self._parts = parts
        self._change = change
        self._answers = answers

    async def change_email(
        self, body: ChangeEmail, request: Request, user: TokenUser
    ) -> CodeSent:
        """Get a code by e-mail, at the address that is to be yours.

        The answer is the same whether or not somebody else has it. The present address
        is told.
        """
        await self._change.ask(user, body.password, body.new_email, request)
        return CodeSent()

    async def confirm_email(
        self, body: GivenCode, request: Request, response: Response, user: TokenUser
    ) -> SignedIn:
        """Change your e-mail, with the code that was sent to the new one.

        You get a new token, because all other sessions end.
        """
        entered = await self._change.confirm(user, body.code, request)
        return self._answers.signed_in(*entered, response, request)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        verify = self._parts.auth.verify_home_user
        limited = [self._parts.check_address]
        return [
            Row(
                "/change-email",
                given_by(self.change_email, user=verify),
                ASKED,
                status=202,
                checks=limited,
            ),
            Row(
                "/confirm-email",
                given_by(
                    self.confirm_email,
                    {"return": self._answers.schemas.signed_in},
                    user=verify,
                ),
                CONFIRMED,
                checks=limited,
            ),
        ]
