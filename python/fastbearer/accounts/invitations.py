"""Invitations: who has the code of one may sign up, once."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import delete, update
from sqlmodel import col, select

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import Invitation
from fastbearer.accounts.records import digest, new_secret, utc_now
from fastbearer.accounts.stores.ids import is_storable

__all__ = ["Invitations"]

PAGE = 100


class Invitations:
    """Single-use codes that expire, in the table ``fastbearer_invitation``.

    Only digests are stored. Of several at a time who claim one, one succeeds: one
    statement of the database decides.

    Args:
        database: Must be open when a method is called.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def can_be(self) -> bool:
        """Whether there can be any: not where no database is open for them."""
        return self._database.is_open

    async def add(self, invitation: Invitation) -> str:
        """Keep an invitation, and return its code; those that expired are forgotten.

        Args:
            invitation: It gets its id here.
        """
        code, now = new_secret(), utc_now()
        invitation.id = digest(code)
        async with self._database.transaction() as session:
            expired = col(Invitation.expires_at) <= now
            await session.exec(delete(Invitation).where(expired))
            session.add(invitation)
        return code

    async def find(self, code: str) -> Invitation | None:
        """Return the invitation of a code that is good, or None."""
        query = select(Invitation).where(
            col(Invitation.id) == digest(code),
            col(Invitation.used_at).is_(None),
            col(Invitation.expires_at) > utc_now(),
        )
        async with self._database.transaction() as session:
            return (await session.exec(query)).one_or_none()

    async def claim(self, invitation: Invitation) -> bool:
        """Use an invitation up.

        Returns:
            Whether it was still good.
        """
        now = utc_now()
        statement = (
            update(Invitation)
            .where(
                col(Invitation.id) == invitation.id,
                col(Invitation.used_at).is_(None),
                col(Invitation.expires_at) > now,
            )
            .values(used_at=now)
            .execution_options(synchronize_session=False)
        )
        async with self._database.transaction() as session:
            return (await session.exec(statement)).rowcount == 1

    async def give_back(self, invitation: Invitation) -> None:
        """Let an invitation be good again; one that was revoked meanwhile stays so."""
        statement = update(Invitation).where(col(Invitation.id) == invitation.id)
        async with self._database.transaction() as session:
            await session.exec(statement.values(used_at=None))

    async def revoke(self, invitation_id: str) -> bool:
        """Forget an invitation, used or not: whoever claims one may give it back.

        Returns:
            Whether there was one that was not used yet.
        """
        if not is_storable(invitation_id):
            return False
        this = delete(Invitation).where(col(Invitation.id) == invitation_id)
        is_open = col(Invitation.used_at).is_(None)
        async with self._database.transaction() as session:
            found = await session.exec(this.where(is_open))
            await session.exec(this)
            return found.rowcount == 1

    async def all(self) -> AsyncIterator[Invitation]:
        """Yield those that have not expired, used or not, in the order of their ids."""
        page = await self._page("")
        while page:
            for invitation in page:
                yield invitation
            page = await self._page(page[-1].id)

    async def _page(self, after: str) -> Sequence[Invitation]:
        query = (
            select(Invitation)
            .where(
                col(Invitation.id) > after,
                col(Invitation.expires_at) > utc_now(),
            )
            .order_by(col(Invitation.id))
            .limit(PAGE)
        )
        async with self._database.transaction() as session:
            return (await session.exec(query)).all()

    @property
    def database(self) -> Database:
        """Where they are kept."""
        return self._database
