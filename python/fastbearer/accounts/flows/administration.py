"""What administrators do with users: in code, outside of requests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from fastbearer.accounts.flows.errors import (
    NotCreatedError,
    OvertakenError,
    UnknownUserError,
)
from fastbearer.accounts.flows.keeping import check_keeps_roles, check_kept, keep
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.user_fields import (
    checked_flag,
    checked_roles,
    drafted,
    rewritten,
)
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, given_name
from fastbearer.accounts.records import utc_now
from fastbearer.errors import FastbearerError
from fastbearer.revocation import MemoryRevocations

__all__ = ["CreateUser", "Users"]

OVERTAKEN = "the user has changed meanwhile"
PAGE = 100
TRIES = 3
Reach = Literal["everywhere", "process", "nowhere"]
OF_CODES = frozenset(("email", "is_active"))
"""What codes are for: when it changes, or the password does, they are good no more."""


class CreateUser(Protocol):
    """`Users.create`, with its arguments."""

    async def __call__(
        self,
        *,
        email: str | None = None,
        password: str | None = None,
        name: str | None = None,
        username: str | None = None,
        phone: str | None = None,
        roles: Sequence[str] = (),
        email_verified: bool = False,
        is_active: bool = True,
        **further: Any,
    ) -> User:
        """Add a user."""
        ...


class Users:
    """Creates, finds and changes users, active or not.

    Within the running application, or in a script::

        async with accounts.lifespan(None):
            await accounts.users.create(email="ada@example.com", roles=["admin"])

    Nothing is asked of who calls it, and no attempt is counted.

    Args:
        parts: What it works with.
        schema: What somebody gives who signs up.
    """

    def __init__(self, parts: Parts, schema: type[BaseModel]) -> None:
        self._parts = parts
        self._schema = schema
        self._store = parts.store.everybody

    @property
    def reach(self) -> Reach:
        """Where it is heard that sessions have ended."""
        revocations = self._parts.auth.revocations
        if revocations is None:
            return "nowhere"
        return "process" if isinstance(revocations, MemoryRevocations) else "everywhere"

    async def create(
        self,
        *,
        email: str | None = None,
        password: str | None = None,
        name: str | None = None,
        username: str | None = None,
        phone: str | None = None,
        roles: Sequence[str] = (),
        email_verified: bool = False,
        is_active: bool = True,
        **further: Any,
    ) -> User:
        """Add a user; no session begins, and no message is sent.

        What a user gives who signs up is judged here by the same schema; further
        fields of it are further arguments.

        Args:
            email: The e-mail.
            password: As it would be typed; None for a user who has none, and chooses
                one with a code of ``/forgot-password``.
            name: What the user is called.
            username: The user name.
            phone: The phone number.
            roles: Words without spaces.
            email_verified: Whether the e-mail is known to be the user's.
            is_active: False for somebody who may not sign in.
            **further: Further fields of the schema of sign-up.

        Raises:
            InvalidUserError: A field is missing, unknown or invalid.
            PasswordRuleError: The password breaks a rule.
            EmailTakenError: Somebody has the e-mail.
            NameTakenError: Somebody has the user name or the phone number.
            InvalidEmailError: The store does not keep such e-mails.
            ConfigurationError: The store does not keep roles, or ``is_active``.
            NotCreatedError: The store has failed.
        """
        fields = {"email": email, "password": password, "name": name, **further}
        fields |= {"username": username, "phone": phone}
        fields = {key: value for key, value in fields.items() if value is not None}
        given = self._parts.shape.given
        user, typed = drafted(self._schema, given, fields)
        user.roles = checked_roles(roles)
        user.email_verified = checked_flag("email_verified", email_verified)
        user.is_active = checked_flag("is_active", is_active)
        if password is not None:
            user.password_hash = await self._hash(user, typed)
        if user.roles:
            check_keeps_roles(self._store, user.roles)
        user.created_at = user.updated_at = utc_now()
        try:
            await keep(user, self._store)
        except FastbearerError:
            raise
        except Exception as error:
            kind = type(error).__name__
            raise NotCreatedError(f"the store of users has failed: {kind}") from error
        await self._parts.tell_done("user_created", user.email, user)
        return user

    async def find(
        self,
        user_id: str | None = None,
        *,
        email: str | None = None,
        username: str | None = None,
        phone: str | None = None,
    ) -> User | None:
        """Return the user with an id or with a name, active or not, or None.

        Args:
            user_id: The id.
            email: The e-mail, in any case.
            username: The user name.
            phone: The phone number.

        Raises:
            TypeError: Not one of them was given.
            ConfigurationError: The store does not look for such a name.
        """
        given = {"email": email, "username": username, "phone": phone}
        names = [name for name in NAMES if given[name] is not None]
        if len(names) + (user_id is not None) != 1:
            raise TypeError("find() takes one of user_id, email, username and phone")
        if user_id is not None:
            return await self._store.find(user_id)
        name = names[0]
        if name != "email":
            self._store.require("find_by", f"users by {name}")
        try:
            value = given_name(name, given[name] or "")
        except ValueError:
            return None
        return await self._store.find_by(name, value)

    async def all(self) -> AsyncIterator[User]:
        """Yield every user, active or not, in the order of their ids.

        They are read a hundred at a time.

        Raises:
            ConfigurationError: The store has no ``list_users``.
        """
        self._store.require("list_users", "listing users")
        page = await self._store.list_users(None, PAGE)
        while page:
            for user in page:
                yield user
            page = await self._store.list_users(page[-1].id, PAGE)

    async def set(
        self, user_id: str, *, password: str | None = None, **values: Any
    ) -> User:
        """Change fields of a user, and return the user as they are then.

        Where the password, the e-mail, the roles, ``is_active`` or another field that
        says what somebody may do changes, every session of the user ends: first the
        change is stored, then the sessions end, so that none goes on that has begun
        before. With ``REQUIRE_VERIFIED_EMAIL=1`` they end as well where the e-mail is
        verified no more. Codes end with the password, the e-mail and ``is_active``.

        Args:
            user_id: Whose.
            password: The password to be.
            **values: ``name``, ``email`` (which is then not verified, unless
                ``email_verified`` says so), ``username``, ``phone``, ``roles``,
                ``email_verified``, ``is_active``, and fields of the project's own.

        Raises:
            UnknownUserError: There is no such user.
            InvalidUserError: A field is unknown or invalid.
            PasswordRuleError: The password breaks a rule.
            EmailTakenError: Somebody else has the e-mail.
            NameTakenError: Somebody else has the user name or the phone number.
            ConfigurationError: The store has no ``change``, or not that field.
            OvertakenError: Others have changed the same user all the time.
            StoreUnavailableError: Some sessions or codes may not have ended. Call it
                again.
        """
        if values:
            self._store.require("change", "changing users")
        for _ in range(TRIES):
            user = await self._known(user_id)
            kept = self._store.attribute_names
            changes = rewritten(self._parts.judge, user, values, kept)
            if "email" in changes:
                changes.setdefault("email_verified", False)
            with suppress(OvertakenError):
                await self._change(user, changes, password)
                return await self._told(user, changes)
        raise OvertakenError(OVERTAKEN)

    async def disable(self, user_id: str) -> User:
        """Let a user sign in no more, and end every session of theirs.

        Args:
            user_id: Whose.

        Raises:
            UnknownUserError: There is no such user.
            ConfigurationError: The store cannot keep it.
            StoreUnavailableError: Some sessions or codes may not have ended. Call it
                again.
        """
        return await self.set(user_id, is_active=False)

    async def enable(self, user_id: str) -> User:
        """Let a user sign in again; sessions that have ended stay so.

        Args:
            user_id: Whose.

        Raises:
            UnknownUserError: There is no such user.
            ConfigurationError: The store cannot keep it.
        """
        return await self.set(user_id, is_active=True)

    async def _known(self, user_id: str) -> User:
        user = await self._store.find(user_id)
        if user is None:
            raise UnknownUserError("there is no such user")
        return user

    async def _change(
        self, user: User, changes: dict[str, Any], password: str | None
    ) -> None:
        """Store changes of a user as they were found.

        Raises:
            OvertakenError: They are not so any more.
        """
        parts, newer = self._parts, None
        if password is not None:
            newer = await self._hash(user, parts.judge.password(user, password))
        if changes:
            ends = parts.ends_sessions(changes)
            async with parts.ending(user, only_if=ends, before=False):
                if not await self._store.change(user, changes):
                    raise OvertakenError(OVERTAKEN)
        if newer is not None:
            user = await self._known(user.id)
            async with parts.ending(user, before=False):
                if not await self._store.replace_password_hash(user, newer):
                    raise OvertakenError(OVERTAKEN)
        if newer is not None or OF_CODES & changes.keys():
            await parts.end_codes(user)

    async def _told(self, user: User, changes: dict[str, Any]) -> User:
        """Tell what was changed, and return the user as they are now."""
        now = await self._known(user.id)
        check_kept(now, changes)
        is_active = changes.get("is_active")
        if is_active is not None:
            name = "user_enabled" if is_active else "user_disabled"
            await self._parts.tell_done(name, now.email, now)  # type: ignore[arg-type]
        if is_active is None or len(changes) > 1:
            await self._parts.tell_done("user_changed", now.email, now)
        return now

    async def _hash(self, user: User, password: str) -> str:
        credentials = self._parts.credentials
        return await credentials.hash_new(password, user.email, *user.other_names)
