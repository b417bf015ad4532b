"""Who may sign up: everybody, nobody, or people with an invitation."""

from contextlib import suppress

from starlette.requests import HTTPConnection

from fastbearer.accounts.flows.errors import SignUpClosedError, WrongInvitationError
from fastbearer.accounts.flows.keeping import keep
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.invitations import Invitations
from fastbearer.accounts.models import Invitation, User
from fastbearer.accounts.names import NAMES, InvalidNameError
from fastbearer.accounts.stores.protocol import (
    EmailTakenError,
    InvalidEmailError,
    NameTakenError,
    UnkeepableError,
)
from fastbearer.accounts.throttle import by_name

__all__ = ["Admission"]

REFUSALS = (
    EmailTakenError,
    NameTakenError,
    InvalidEmailError,
    InvalidNameError,
    UnkeepableError,
)
"""What a store says that keeps nobody."""

GUESSES = "invitations that {} tries"


class Admission:
    """Lets people in, as the settings say.

    Where the users are in our own table, one transaction keeps the user and uses the
    invitation up. Elsewhere the invitation is used up first, and given back where it is
    certain that the user was not kept: else it is lost, lest there be two accounts.

    Args:
        parts: What it works with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def check_open(self) -> None:
        """Make sure that anybody may sign up at all.

        Raises:
            SignUpClosedError: Nobody may.
        """
        if self._parts.auth.settings.sign_up == "closed":
            raise SignUpClosedError("SIGN_UP=closed")

    async def admit(
        self, user: User, code: str | None, request: HTTPConnection
    ) -> Invitation | None:
        """Judge whether somebody may sign up, and give them what they are promised.

        What an invitation lacks is not told, and asked of the database in one way.
        Guesses are counted by client.

        Args:
            user: Who would.
            code: Of their invitation. Where anybody may sign up, they need none; one
                that is given must be good.
            request: By which it is asked for.

        Raises:
            WrongInvitationError: They may not.
            TooManyAttemptsError: There were too many guesses.
        """
        invitations = self._parts.invitations
        if code is None and self._parts.auth.settings.sign_up == "open":
            return None
        address = self._parts.clients.of(request.scope)
        guesses = by_name(GUESSES.format(address))
        if address is not None:
            await self._parts.attempt("signup", request, user.email, guesses)
        found = None
        if code is not None and invitations is not None and invitations.can_be:
            found = await invitations.find(code)
        if found is None or found.email not in (None, user.email):
            raise WrongInvitationError("the invitation is missing or not good")
        if address is not None:
            await self._parts.succeed("signup", request, guesses)
        user.roles = list(found.roles)
        user.email_verified = found.is_sent and found.email is not None
        return found

    async def add(self, user: User, invitation: Invitation | None) -> None:
        """Keep a new user, and use their invitation up: both, or neither.

        Raises:
            WrongInvitationError: Somebody has just used it, or it was revoked.
            EmailTakenError: As in `UserStore.add`, like its other errors.
        """
        invitations, store = self._parts.invitations, self._parts.store
        if invitation is None or invitations is None:
            await store.add(user)
        elif store.is_in(invitations.database):
            async with invitations.database.together():
                await _claim(invitations, invitation)
                await store.add(user)
        else:
            await _claim(invitations, invitation)
            try:
                await keep(user, store)
            except BaseException as error:
                if isinstance(error, REFUSALS) or await self._is_unknown(user):
                    await invitations.give_back(invitation)
                raise

    async def use_up(self, invitation: Invitation | None) -> bool:
        """Use an invitation up with which nobody was added; tell whether there is one.

        Raises:
            WrongInvitationError: Somebody has just used it, or it was revoked.
        """
        if invitation is None or self._parts.invitations is None:
            return False
        await _claim(self._parts.invitations, invitation)
        return True

    async def undo(self, user: User, invitation: Invitation | None) -> None:
        """Forget a new user who cannot be told that they are one.

        Where that fails they are one, and so their invitation stays used up; as where
        they have chosen another password already.
        """
        invitations = self._parts.invitations
        is_gone = await self._parts.store.remove(user)
        if is_gone and invitation is not None and invitations is not None:
            await invitations.give_back(invitation)

    async def _is_unknown(self, user: User) -> bool:
        """Tell whether it is certain that the store has nobody of a new user's name."""
        everybody = self._parts.store.everybody
        with suppress(Exception):  # whatever keeps it from being certain
            name = next(name for name in NAMES if user.called(name))
            return await everybody.find_by(name, user.called(name) or "") is None
        return False


async def _claim(invitations: Invitations, invitation: Invitation) -> None:
    if not await invitations.claim(invitation):
        raise WrongInvitationError("the invitation is good no more")
