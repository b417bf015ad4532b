"""Codes in messages: they verify an address, or let a new password be chosen."""

from starlette.requests import HTTPConnection

from fastbearer.accounts.codes import Bond, Codes, Purpose
from fastbearer.accounts.flows.errors import WrongCodeError
from fastbearer.accounts.flows.parts import Parts, unless_away
from fastbearer.accounts.models import User
from fastbearer.accounts.throttle import by_name
from fastbearer.fastapi import TokenUser

__all__ = ["Recovery", "owner_of"]


class Recovery:
    """Sends codes, and takes them back.

    Args:
        parts: What it works with.
        codes: The codes.
    """

    def __init__(self, parts: Parts, codes: Codes) -> None:
        self._parts = parts
        self._codes = codes

    async def request_verification(
        self, user: TokenUser, request: HTTPConnection
    ) -> None:
        """Send the user of a token a code that verifies their e-mail."""
        parts = self._parts
        found = await parts.user_of(user)
        await parts.attempt_message(found, request)
        await parts.outbox.send_code("verify_email", found, request)

    async def resend_verification(self, email: str, request: HTTPConnection) -> None:
        """Send another code to whoever has an e-mail, if it is not verified yet.

        What is done is the same whether or not anybody has it.
        """
        parts = self._parts
        user = await parts.store.find_by_email(email)
        await parts.attempt("message", request, email, by_name(email, user))
        is_waiting = user is not None and not user.email_verified
        await parts.outbox.send_code(
            "verify_email", user if is_waiting else None, request
        )

    async def verify_email(self, code: str, request: HTTPConnection) -> User:
        """Verify an e-mail with the code that was sent there; return whose it is.

        Raises:
            WrongCodeError: The code is nobody's.
        """
        parts = self._parts
        user, _ = await owner_of(parts, self._codes, "verify_email", code)
        await parts.store.verify_email(user)
        await self._codes.end("verify_email", user.id)
        await parts.tell("email_verified", request, user.email, user=user)
        return user

    async def forgot_password(self, email: str, request: HTTPConnection) -> None:
        """Send a code that lets whoever has an e-mail choose a new password.

        What is done is the same whether or not anybody has the e-mail.
        """
        parts = self._parts
        user = await parts.store.find_by_email(email)
        await parts.attempt("message", request, email, by_name(email, user))
        await parts.tell("reset_requested", request, email, user=user)
        await parts.outbox.send_code("reset_password", user, request)

    async def reset_password(
        self, code: str, password: str, request: HTTPConnection
    ) -> User:
        """Choose a new password with the code that was sent; all sessions end.

        They end before the password changes, so that where they cannot, nothing
        has happened and the code is still good; and after it, because one may
        have begun meanwhile.

        Raises:
            WrongCodeError: The code is nobody's.
            PasswordRuleError: The password breaks a rule.
        """
        parts = self._parts
        user, _ = await owner_of(parts, self._codes, "reset_password", code)
        names = user.other_names
        password = parts.judge.password(user, password)
        newer = await parts.credentials.hash_new(password, user.email, *names)
        async with parts.ending(user):
            # Of several at a time one wins here: the code is bound to the old hash.
            if not await parts.store.replace_password_hash(user, newer):
                raise WrongCodeError("the code is nobody's, or no more")
        user.password_hash = newer
        await parts.sweep_codes(user)
        with unless_away("e-mail not noted as verified"):
            await parts.store.verify_email(user)
        await parts.let_in(user, request)
        await parts.tell("password_reset", request, user.email, user=user)
        return user


async def owner_of(
    parts: Parts, codes: Codes, purpose: Purpose, code: str
) -> tuple[User, str]:
    """Return the user whose code it is, and the e-mail that it is to make theirs.

    Raises:
        WrongCodeError: It is nobody's, or the user has another e-mail or password than
            when it was made.
    """
    bond = await codes.find(purpose, code)
    user = await parts.store.find(bond.user_id) if bond else None
    if bond is None or user is None or Bond.to(user, bond.target) != bond:
        raise WrongCodeError("the code is nobody's, or no more")
    return user, bond.target
