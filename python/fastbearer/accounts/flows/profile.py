"""What signed-in users do with their accounts: change, delete."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection

from fastbearer.accounts.flows.entry import Entered
from fastbearer.accounts.flows.errors import (
    OvertakenError,
    UnchangeableError,
    WrongPasswordError,
)
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.models import User
from fastbearer.fastapi import TokenUser

__all__ = ["Profile"]


class Profile:
    """What users do with their accounts.

    Args:
        parts: What it works with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def change(
        self, user: TokenUser, values: Mapping[str, Any], request: HTTPConnection
    ) -> User:
        """Change fields of the user of a token, and return the user as they are now.

        Args:
            user: Of the token.
            values: Field -> value; whether they may be changed is known already.
            request: By which it is asked for.

        Raises:
            InvalidNameError: A name is not in order.
            InvalidFieldError: Sign-up would refuse it.
            NameTakenError: Somebody has the user name.
            TooManyAttemptsError: Too many other names were tried.
            OvertakenError: The user has changed meanwhile.
            UnchangeableError: The store cannot change users.
        """
        parts = self._parts
        if not parts.store.can("change"):
            raise UnchangeableError("the store cannot change users")
        parts.shape.check_kept_names(values)
        found = await parts.user_to_change(user, request)
        if not values:
            return found
        values = parts.judge.values(found, values)
        await parts.attempt_names(found, values, request)
        if not await parts.store.change(found, values):
            raise OvertakenError("overtaken")
        changed = await parts.user_of(user)
        await parts.tell("profile_changed", request, changed.email, user=changed)
        return changed

    async def change_password(
        self,
        user: TokenUser,
        current: str,
        new: str,
        request: HTTPConnection,
        *,
        end_other_sessions: bool = True,
    ) -> Entered:
        """Change the password of the user of a token; the session goes on anew.

        Args:
            user: Of the token.
            current: The password that it is.
            new: The password to be.
            request: By which it is asked for.
            end_other_sessions: Whether the user's other sessions end.

        Raises:
            PasswordRuleError: The new one breaks a rule.
            WrongPasswordError: The current one is another.
            UnverifiedError: The e-mail is to be verified first; nothing has changed.
            ClaimsError: No token can be made; nothing has changed.
            OvertakenError: The user has changed once more meanwhile.
        """
        parts = self._parts
        parts.credentials.check_new(new, user["email"])
        found = await parts.confirmed(user, current, request)
        new = parts.judge.password(found, new)
        await parts.check_session(found)
        newer = await parts.credentials.hash_new(new, found.email, *found.other_names)
        async with parts.ending(found, only_if=end_other_sessions):
            if not await parts.store.replace_password_hash(found, newer):
                raise WrongPasswordError("the password has changed meanwhile")
        found.password_hash = newer
        await parts.sweep_codes(found)
        await parts.let_in(found, request)
        await parts.tell("password_changed", request, found.email, user=found)
        tokens = await parts.issued_to(found)
        return Entered(found, tokens)

    async def delete(
        self, user: TokenUser, password: str, request: HTTPConnection
    ) -> User:
        """Delete the user of a token, and return who it was.

        Raises:
            WrongPasswordError: The password is another.
            OvertakenError: It has become another meanwhile.
            UserInUseError: Rows of other tables refer to the user.
        """
        parts = self._parts
        found = await parts.confirmed(user, password, request)
        await parts.delete(found, request)
        return found
