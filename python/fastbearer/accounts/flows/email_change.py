"""Another e-mail for a user, who shows that they read what is sent there."""

from functools import partial

from starlette.requests import HTTPConnection

from fastbearer.accounts.codes import Codes
from fastbearer.accounts.flows.entry import Entered
from fastbearer.accounts.flows.errors import (
    OvertakenError,
    UnchangeableError,
    WrongCodeError,
)
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.recovery import owner_of
from fastbearer.accounts.models import User
from fastbearer.accounts.throttle import by_name
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.strict_routes import after_answer

__all__ = ["EmailChange"]


class EmailChange:
    """Changes the e-mails of users, in two steps.

    Args:
        parts: What it works with.
        codes: The codes.
    """

    def __init__(self, parts: Parts, codes: Codes) -> None:
        self._parts = parts
        self._codes = codes

    async def ask(
        self, user: TokenUser, password: str, new: str, request: HTTPConnection
    ) -> None:
        """Send a code to the new e-mail of the user of a token, and tell the old one.

        All of it is the same whether or not somebody else has the new one, but for
        what is sent there: they learn that they have an account already.

        Args:
            user: Of the token.
            password: Theirs, as it was typed (OWASP ASVS 5.0, 7.5.1).
            new: The e-mail to be, in its one form.
            request: By which it is asked for.

        Raises:
            WrongPasswordError: The password is another.
            InvalidFieldError: Sign-up would refuse the e-mail.
            TooManyAttemptsError: There were too many guesses, or messages to one of
                the two.
            UnchangeableError: The store cannot change it.
        """
        parts = self._parts
        self._check_store()
        found = await parts.confirmed(user, password, request)
        new = parts.judge.value(found, "email", new)
        await parts.attempt_message(found, request)
        if new != found.email:
            await parts.attempt("message", request, new, by_name(new))
        owner = await parts.store.everybody.find_by_email(new)
        is_free = owner is None or owner.id == found.id
        await parts.tell(
            *("email_change_requested", request, new),
            user=found,
            former_email=found.email,
        )
        await parts.outbox.send_code(
            "change_email", found if is_free else None, request, new
        )
        if owner is not None and not is_free:
            told = partial(parts.tell, "email_taken", request, new, user=owner)
            after_answer(request.scope, told)
            if owner.is_active:
                parts.outbox.send_notice("already_registered", owner, request)
        parts.outbox.send_notice("email_changing", found, request)

    async def confirm(
        self, user: TokenUser, code: str, request: HTTPConnection
    ) -> Entered:
        """Make an e-mail that of the user of a token; all their other sessions end.

        Args:
            user: Of the token: a link that somebody else follows changes nothing.
            code: That was sent to the new e-mail.
            request: By which it is asked for.

        Raises:
            WrongCodeError: The code is nobody's, or another's.
            EmailTakenError: Somebody has got the e-mail meanwhile.
            ClaimsError: No token can be made; nothing has changed.
            OvertakenError: The user has changed once more meanwhile.
            UnchangeableError: The store cannot change it.
        """
        parts = self._parts
        self._check_store()
        found, new = await owner_of(parts, self._codes, "change_email", code)
        if found.id != user["user_id"]:
            raise WrongCodeError("the code is another's")
        await parts.sessions.check_claims(found)
        former, address = found.email, found.address
        async with parts.ending(found, before=False):
            # Of several at a time one wins here: the e-mail must be the old one.
            if not await parts.store.change(found, self._values(new)):
                raise WrongCodeError("the code is nobody's, or no more")
            parts.outbox.owe_notice("email_changed", found, request, address)
        await parts.sweep_codes(found)
        changed = await self._changed(found, new)
        parts.outbox.owe_notice("email_changed", changed, request, address)
        await parts.tell(
            "email_changed", request, new, user=changed, former_email=former
        )
        tokens = await parts.issued_to(changed)
        return Entered(changed, tokens)

    def _check_store(self) -> None:
        store = self._parts.store
        if not store.can("change") or not store.keeps("email"):
            raise UnchangeableError("the store cannot change e-mails")

    def _values(self, email: str) -> dict[str, object]:
        if self._parts.store.keeps("email_verified"):
            return {"email": email, "email_verified": True}
        return {"email": email}

    async def _changed(self, user: User, email: str) -> User:
        """Return a user with their new e-mail, and the password that has allowed it.

        Raises:
            OvertakenError: Somebody has changed either meanwhile.
        """
        now = await self._parts.store.find(user.id)
        if now is None or now.email != email:
            raise OvertakenError("overtaken")
        if now.password_hash != user.password_hash:
            raise OvertakenError("overtaken")
        return now
