"""What was acknowledged, and so has to be true ever after."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from endurance.deployment import LAG_SECONDS
from endurance.ledger import Ledger
from endurance.wire import Reply


@dataclass
class Session:
    """Of one sign-in.

    Attributes:
        access: The newest access token.
        refresh: The newest refresh token.
        former: Access tokens of the same session that are older.
    """

    access: str
    refresh: str
    former: list[str] = field(default_factory=list)

    def go_on(self, data: dict[str, str]) -> None:
        """Take the tokens of a refresh."""
        self.former.append(self.access)
        self.access, self.refresh = data["token"], data["refresh_token"]


@dataclass
class Task:
    """As the service has it."""

    owner: str
    title: str
    completed: bool = False


@dataclass
class Account:
    """A user, as far as that was acknowledged.

    Attributes:
        email: The e-mail.
        password: The one that signs in.
        id: The user's.
        sessions: Those that have not ended.
        is_gone: Whether it was deleted: None where that is not known.
    """

    email: str
    password: str
    id: str = ""
    sessions: list[Session] = field(default_factory=list)
    is_gone: bool | None = False


class EndedToken:
    """An access token whose session has ended.

    Args:
        token: The token.
        by: The worker that has said so.
        at: When its answer had come.
        is_sure: Whether it was acknowledged: one that was a 503 first may have been
            known to that worker alone until Redis was back.
    """

    def __init__(self, token: str, by: int, at: float, *, is_sure: bool) -> None:
        self.token = token
        self._by = by
        self._at = at
        self._is_sure = is_sure

    def must_be_refused(self, reply: Reply, ledger: Ledger) -> bool:
        """Tell whether an answer may not take it any more.

        Who has ended it knows at once, and the others after the lag: what a worker
        knows is never older, or it answers 503.
        """
        if reply.worker == self._by:
            return True
        since = self._at if self._is_sure else max(self._at, ledger.calm_since())
        return reply.sent >= since + LAG_SECONDS


class Promises:
    """All of them.

    Attributes:
        accounts: The users.
        staying: Sessions of users who have gone and left them as they were.
        ended: Access tokens that must be refused.
        spent: Refresh tokens that must be refused.
        tasks: ID -> the task that must be there.
        unsure: Titles of tasks that may be there, once for each attempt or not at all.
        deleted: IDs of tasks that must be gone.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.accounts: list[Account] = []
        self.staying: list[Session] = []
        self.ended: list[EndedToken] = []
        self.spent: list[str] = []
        self.tasks: dict[str, Task] = {}
        self.unsure: set[str] = set()
        self.deleted: set[str] = set()

    def end(
        self, account: Account, session: Session, by: int, *, is_sure: bool = True
    ) -> None:
        """Note that a session has ended."""
        now = time.monotonic()
        for token in (session.access, *session.former):
            self.ended.append(EndedToken(token, by, now, is_sure=is_sure))
        self.spent.append(session.refresh)
        self.drop(account, session)

    def end_all(self, account: Account, by: int, *, is_sure: bool = True) -> None:
        """Note that every session of a user has ended."""
        for session in list(account.sessions):
            self.end(account, session, by, is_sure=is_sure)

    @staticmethod
    def drop(account: Account, session: Session) -> None:
        """Expect nothing of a session any more: it may have ended."""
        account.sessions.remove(session)
