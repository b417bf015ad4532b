"""Codes in messages: they verify an address, or let a new password be chosen."""

import logging
from datetime import timedelta

from starlette.background import BackgroundTasks
from starlette.requests import HTTPConnection

from fastbearer.accounts.codes import Bond, Codes, Purpose
from fastbearer.accounts.emails import normalize_email
from fastbearer.accounts.flows.errors import WrongCodeError
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.messages import Message, Sender, deliver
from fastbearer.accounts.models import User
from fastbearer.errors import TooManyAttemptsError
from fastbearer.fastapi import TokenUser

__all__ = ["Recovery"]

logger = logging.getLogger("fastbearer")


class Recovery:
    """Sends codes, and takes them back.

    Args:
        parts: What it works with.
        codes: The codes.
        send: Sends messages.
    """

    def __init__(self, parts: Parts, codes: Codes, send: Sender) -> None:
        self._parts = parts
        self._codes = codes
        self._send = send

    async def request_verification(
        self, user: TokenUser, request: HTTPConnection, tasks: BackgroundTasks
    ) -> None:
        """Send the user of a token a code that verifies their e-mail."""
        found = await self._parts.user_of(user)
        await self._parts.attempt("message", request, found.email)
        self._send_later(tasks, await self._message("verify_email", found))

    async def request_verification_of(
        self, email: str, request: HTTPConnection, tasks: BackgroundTasks
    ) -> None:
        """Send whoever has an e-mail a code that verifies it, unless it is verified.

        What is done is the same whether or not anybody has the e-mail.
        """
        await self._parts.attempt("message", request, email)
        user = await self._parts.store.find_by_email(email)
        if user is not None and user.email_verified:
            user = None
        self._send_later(tasks, await self._message("verify_email", user))

    async def verify_email(self, code: str, request: HTTPConnection) -> User:
        """Verify an e-mail with the code that was sent there; return whose it is.

        Raises:
            WrongCodeError: The code is nobody's.
        """
        user = await self._owner("verify_email", code)
        await self._parts.store.verify_email(user)
        await self._codes.end("verify_email", user.id)
        await self._parts.tell("email_verified", request, user.email, user=user)
        return user

    async def forgot_password(
        self, email: str, request: HTTPConnection, tasks: BackgroundTasks
    ) -> None:
        """Send a code that lets whoever has an e-mail choose a new password.

        What is done is the same whether or not anybody has the e-mail.
        """
        await self._parts.attempt("message", request, email)
        user = await self._parts.store.find_by_email(email)
        await self._parts.tell("reset_requested", request, email, user=user)
        self._send_later(tasks, await self._message("reset_password", user))

    async def reset_password(
        self, code: str, password: str, request: HTTPConnection
    ) -> User:
        """Choose a new password with the code that was sent; all sessions end.

        They end before the password changes, so that where they cannot, nothing
        has happened and the code is still good; and after it, for one may have
        begun meanwhile.

        Raises:
            WrongCodeError: The code is nobody's.
            PasswordRuleError: The password breaks a rule.
        """
        parts = self._parts
        user = await self._owner("reset_password", code)
        names = user.other_names
        newer = await parts.credentials.hash_new(password, user.email, *names)
        async with parts.sessions.ending_all(user.id):
            # Of several at a time one wins here: the code is bound to the old hash.
            if not await parts.store.replace_password_hash(user, newer):
                raise WrongCodeError("the code is nobody's, or no more")
            await self._codes.end_all(user.id)
            await parts.store.verify_email(user)
        await parts.succeed("signin", request, user.email)
        await parts.tell("password_reset", request, user.email, user=user)
        return user

    async def tell_moved(self, user: User, request: HTTPConnection) -> None:
        """Tell the address of before that the account is to have another.

        Raises:
            TooManyAttemptsError: There were too many messages.
        """
        await self._parts.attempt("message", request, user.email)
        message = self._message_to(user, "email_changed", "", timedelta())
        if message is not None:
            await deliver(self._send, message)

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
            WrongCodeError: It is nobody's, or the user has another e-mail or
                password than when it was made.
        """
        bond = await self._codes.find(purpose, code)
        user = await self._parts.store.find(bond.user_id) if bond else None
        if user is None or Bond.to(user) != bond:
            raise WrongCodeError("the code is nobody's, or no more")
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
        return self._message_to(user, purpose, code, lifetime)

    def _message_to(
        self, user: User, purpose: Purpose, code: str, lifetime: timedelta
    ) -> Message | None:
        """Return a message to the address on record, or None if it is no address."""
        try:
            normalize_email(user.address)
        except ValueError:
            logger.error("user %s has no valid e-mail: nothing is sent", user.id)
            return None
        return Message(user.address.strip(), purpose, code, lifetime)

    def _send_later(self, tasks: BackgroundTasks, message: Message | None) -> None:
        if message is not None:
            tasks.add_task(deliver, self._send, message)
