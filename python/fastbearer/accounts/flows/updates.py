"""What changes of a user who is at hand: their e-mail, their password, their fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from fastbearer.accounts.flows.errors import OvertakenError
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.registration import Registration
from fastbearer.accounts.models import User
from fastbearer.accounts.names import wanted_name
from fastbearer.accounts.stores.protocol import taken

__all__ = ["Change", "Updates"]

GONE = "the user has changed meanwhile, or is gone"


@dataclass(frozen=True)
class Change:
    """What is to be of a user.

    Attributes:
        email: As it was typed; None for the one that it is.
        password: As it was typed; None for the one that it is.
        values: Field -> value, of the others.
    """

    email: str | None = None
    password: str | None = field(default=None, repr=False)
    values: Mapping[str, Any] = field(default_factory=dict)


class Updates:
    """Changes users without asking for their password.

    A session is enough: that is what fastapi-users has. So that a session that was
    stolen does not take an account over unseen, the address of before is told of
    another one, and another password ends every session.

    Args:
        parts: What it works with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._registration = Registration(parts)

    async def update(
        self,
        user: User,
        change: Change,
        request: HTTPConnection,
        *,
        is_own: bool = False,
    ) -> User:
        """Change a user, and return them as they are then.

        The e-mail is verified no more once it is another; where e-mails are to be
        verified, a code is sent there. Sessions end where what their tokens say
        changes, or where only verified users have one. But who changes their own
        e-mail goes on otherwise: the tokens of these routes do not name it.

        Args:
            user: Whom.
            change: What.
            request: By which it is asked for.
            is_own: Whether it is the user who asks.

        Raises:
            InvalidFieldError: Sign-up would refuse a value; nothing has changed.
            PasswordRuleError: The password breaks a rule; nothing has changed.
            InvalidNameError: A name is not in order; nothing has changed.
            EmailTakenError: Somebody else has the e-mail; nothing has changed.
            NameTakenError: The same for another name.
            OvertakenError: The user is gone, or has changed meanwhile.
            TooManyAttemptsError: There were too many.
        """
        parts = self._parts
        change = self._judged(user, change)
        values = dict(change.values)
        parts.shape.check_kept_names(values)
        email = None if change.email is None else wanted_name("email", change.email)
        is_moving = email is not None and email != user.email
        if is_moving:
            values = {"email": email, "email_verified": False, **values}
        counted = await parts.attempt_names(user, values, request)
        if is_moving:
            await self._check_move(user, str(email), request)
            parts.keep("signup", request, *counted)
        newer = await self._hash(user, change)
        # Tokens do not name it here.
        going_on = {"email"} if is_own else frozenset[str]()
        said = {name: values[name] for name in values.keys() - going_on}
        ends = newer is not None or parts.ends_sessions(said)
        if values:
            async with parts.ending(user, only_if=ends):
                if not await parts.store.change(user, values):
                    raise OvertakenError(GONE)
                if is_moving:
                    self._owe_notice(user, user, request)
        if is_moving:
            await self._tell_moved(user, await self._now(user), request)
        if newer is not None:
            async with parts.ending(user):
                if not await self._replace(user, newer):
                    raise OvertakenError(GONE)
        if is_moving or newer is not None:
            await parts.sweep_codes(user)
        if newer is not None and is_own:
            # As it was set here: meanwhile somebody may have set another one.
            user.password_hash = newer
            await parts.let_in(user, request)
        changed = await self._now(user)
        if is_moving:
            self._registration.welcome(changed, request)
        if newer is not None:
            await parts.tell("password_changed", request, changed.email, user=changed)
        if change.values:
            await parts.tell("profile_changed", request, changed.email, user=changed)
        return changed

    def _judged(self, user: User, change: Change) -> Change:
        """Return a change as the rules of sign-up make it.

        Raises:
            InvalidFieldError: They refuse a value.
            PasswordRuleError: They refuse the password.
        """
        judge = self._parts.judge
        email, password = change.email, change.password
        return Change(
            None if email is None else judge.value(user, "email", email),
            None if password is None else judge.password(user, password),
            judge.values(user, change.values),
        )

    async def _check_move(self, user: User, email: str, on: HTTPConnection) -> None:
        """Refuse an e-mail that somebody else has.

        Raises:
            EmailTakenError: Somebody has it.
            TooManyAttemptsError: Too much was written to that of before, which is to be
                told.
        """
        parts = self._parts
        holder = await parts.store.everybody.find_by_email(email)
        if holder is not None and holder.id != user.id:
            raise taken("email")
        if parts.sending is not None:
            await parts.attempt_message(user, on)

    async def _tell_moved(self, user: User, changed: User, on: HTTPConnection) -> None:
        """Tell, at the address of before, that it is another now."""
        await self._parts.tell(
            *("email_changed", on, changed.email),
            user=changed,
            former_email=user.email,
        )
        self._owe_notice(user, changed, on)

    def _owe_notice(self, user: User, changed: User, on: HTTPConnection) -> None:
        """Let the address of before know it, whatever else fails."""
        sending = self._parts.sending
        if sending is not None:
            sending.owe_notice("email_changed", changed, on, user.address)

    async def _hash(self, user: User, change: Change) -> str | None:
        """Return the hash of a new password, if there is one."""
        if change.password is None:
            return None
        email = change.email or user.email
        return await self._parts.credentials.hash_new(
            change.password, email, *user.other_names
        )

    async def _replace(self, user: User, password_hash: str) -> bool:
        return await self._parts.store.everybody.replace_password_hash(
            user, password_hash
        )

    async def _now(self, user: User) -> User:
        """Return a user as they are by now.

        Raises:
            OvertakenError: They are gone.
        """
        found = await self._parts.store.everybody.find(user.id)
        if found is None:
            raise OvertakenError(GONE)
        return found
