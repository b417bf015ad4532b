"""Invitations, for those who administer users."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Protocol

from fastbearer.accounts.flows.errors import InvalidUserError
from fastbearer.accounts.flows.keeping import check_keeps_roles
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.user_fields import checked_roles, checked_text
from fastbearer.accounts.invitations import Invitations
from fastbearer.accounts.messages import Message, Sender, sent
from fastbearer.accounts.models import ID_LENGTH, Invitation
from fastbearer.accounts.names import new_name
from fastbearer.accounts.records import utc_now
from fastbearer.errors import ConfigurationError

__all__ = ["Invite", "Inviting"]

WEEK = timedelta(days=7)
CLOSED = "SIGN_UP=closed: nobody can use an invitation"
NO_DATABASE = (
    "invitations are kept in the database of DATABASE_URL, which is not open: set"
    " SIGN_UP=invitation"
)
NOWHERE_TO = "an invitation can be sent to an e-mail only: say email=..."


class Invite(Protocol):
    """`Inviting.make`, with its arguments."""

    async def __call__(
        self,
        *,
        email: str | None = None,
        roles: Sequence[str] = (),
        lifetime: timedelta = WEEK,
        by: str | None = None,
        send: bool = False,
    ) -> str:
        """Make an invitation."""


class Inviting:
    """Makes invitations, lists and revokes them.

    Within the running application, or in ``async with accounts.lifespan(None)``.

    Args:
        parts: What it works with.
        invitations: Where they are kept.
        send: Sends messages.
    """

    def __init__(self, parts: Parts, invitations: Invitations, send: Sender) -> None:
        self._parts = parts
        self._invitations = invitations
        self._send = send

    async def make(
        self,
        *,
        email: str | None = None,
        roles: Sequence[str] = (),
        lifetime: timedelta = WEEK,
        by: str | None = None,
        send: bool = False,
    ) -> str:
        """Make an invitation; whoever gives its code may sign up, once.

        Args:
            email: The only one that may sign up with it; None for whichever. Whether
                somebody has it already is not asked.
            roles: Those of the user to be.
            lifetime: How long the code is good.
            by: The id of who invites, for the list.
            send: Whether the code is sent to the e-mail, as other messages are, with
                the purpose "invitation". The e-mail of who signs up with it is then
                verified.

        Returns:
            The code. Where it is sent, the ``id`` of the invitation instead: the code
            shows that somebody reads the e-mail, so nobody else gets it.

        Raises:
            InvalidUserError: The e-mail or a role is none, or the store cannot keep
                these roles, or the lifetime is over.
            ConfigurationError: Nobody can sign up, the store of users keeps no roles,
                or there is no way to send messages.
            Exception: The message could not be sent; there is then no invitation.
        """
        self._check_kept()
        if self._parts.auth.settings.sign_up == "closed":
            raise ConfigurationError(CLOSED)
        if lifetime <= timedelta():
            raise InvalidUserError("the lifetime is over already", ("lifetime",))
        if send and email is None:
            raise InvalidUserError(NOWHERE_TO, ("email",))
        kept = checked_roles(roles)
        if kept:
            check_keeps_roles(self._parts.store, kept)
        now = utc_now()
        invitation = Invitation(
            id="",
            email=None if email is None else _address(email),
            is_sent=send,
            roles=kept,
            invited_by=None if by is None else checked_text("by", by, ID_LENGTH),
            created_at=now,
            expires_at=now + lifetime,
        )
        code = await self._invitations.add(invitation)
        if send and email is not None:
            try:
                await sent(
                    self._send, Message(email.strip(), "invitation", code, lifetime)
                )
            except BaseException:
                await self._invitations.revoke(invitation.id)
                raise
        await self._parts.tell_done("invited", invitation.email or "")
        return invitation.id if send else code

    async def all(self) -> AsyncIterator[Invitation]:
        """Yield the invitations that have not expired, used or not."""
        self._check_kept()
        async for invitation in self._invitations.all():
            yield invitation

    async def revoke(self, invitation_id: str) -> bool:
        """Revoke an invitation; one that somebody has used is listed no more.

        Args:
            invitation_id: Its ``id``; not its code.

        Returns:
            Whether there was one that was not used yet.
        """
        self._check_kept()
        is_revoked = await self._invitations.revoke(invitation_id)
        if is_revoked:
            await self._parts.tell_done("invitation_revoked", "")
        return is_revoked

    def _check_kept(self) -> None:
        if not self._invitations.can_be:
            raise ConfigurationError(NO_DATABASE)


def _address(email: str) -> str:
    try:
        return new_name("email", email)
    except ValueError:
        raise InvalidUserError("the e-mail is not valid", ("email",)) from None
