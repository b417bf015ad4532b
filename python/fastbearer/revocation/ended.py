"""What has ended and has not expired, in the memory of one process."""

from __future__ import annotations

import threading
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from fastbearer.revocation.protocol import (
    is_too_old,
    revocation_id,
    shelf_key,
    since_of,
    subject_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["KINDS", "LETTERS", "Change", "Ended", "Kind", "Place"]

Kind = Literal["token", "session", "user"]
Place = tuple[Kind, str]

KINDS: dict[str, Kind] = {"t": "token", "s": "session", "u": "user"}
"""By the letter that stores write before a key."""
LETTERS = {kind: letter for letter, kind in KINDS.items()}

SWEEP_AT_LEAST = 1024
STEP_SECONDS = 300
PLAIN_LENGTH = 40


class Change(NamedTuple):
    """One thing that has ended.

    Attributes:
        kind: What it is.
        key: From `Ended.key`.
        value: When it expires, in seconds since the epoch; of a user, the least
            generation that is good.
    """

    kind: Kind
    key: str
    value: int

    @property
    def place(self) -> Place:
        """What has ended, whenever that was."""
        return self.kind, self.key


class Shelf(dict[str, int]):
    """Key -> value. An ID that is short and plain is its own key.

    Others, and what earlier versions wrote, are there by their digests, which are
    computed only where there are any.
    """

    __slots__ = ("has_digests",)

    def __init__(self) -> None:
        super().__init__()
        self.has_digests: bool = False

    def put(self, key: str, value: int) -> None:
        """Keep the greater of two values."""
        self[key] = max(value, self.get(key, 0))
        if len(key) > PLAIN_LENGTH:
            self.has_digests = True

    def find(self, text: str) -> int:
        """Return the value of an id, or 0."""
        found = self.get(text, 0)
        if self.has_digests:
            found = max(found, self.get(shelf_key(text), 0))
        return found

    def kept(self, now: float) -> Shelf:
        """Return a shelf without what has expired; this one stays as it is."""
        shelf = Shelf()
        for key, end in self.items():
            if end > now:
                shelf.put(key, end)
        return shelf


class Ended:
    """Tokens, sessions and users' generations.

    Times are rounded up to five minutes, so that entries share their objects. An
    entry costs about 150 bytes.

    Any thread may ask while another one writes: it waits for nothing, and never finds
    a shelf that lacks what has ended.

    Args:
        clock: A callable that returns seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._writing = threading.Lock()
        self._until = Shelf()
        self._sessions = Shelf()
        self._users = Shelf()
        self._times: dict[int, int] = {}
        self._sweep_at = SWEEP_AT_LEAST

    def __len__(self) -> int:
        """Return how much is remembered."""
        return len(self._until) + len(self._sessions) + len(self._users)

    @staticmethod
    def key(text: str) -> str:
        """Return the key of an id: at most 64 characters that any store keeps."""
        is_plain = len(text) <= PLAIN_LENGTH and text.isascii() and text.isprintable()
        return text if is_plain and text else shelf_key(text)

    @staticmethod
    def old_key(key: str) -> str:
        """Return the key that earlier versions gave to the id of a key."""
        return key if len(key) > PLAIN_LENGTH else shelf_key(key)

    def has_ended(self, token: str, claims: Mapping[str, Any], scope: str = "") -> bool:
        """Tell whether a token has ended, or its session, or all of its user's.

        Args:
            token: As it came; verified.
            claims: Its claims.
            scope: As `scope_of` gives it.
        """
        if self._sessions:
            session = claims.get("sid")
            if isinstance(session, str) and self._sessions.find(scope + session):
                return True
        if self._until and self._until.find(scope + revocation_id(token, claims)):
            return True
        if not self._users:
            return False
        user_id = scope + (subject_of(claims) or "")
        return self.is_too_old(user_id, since_of(claims, scope))

    def has_token(self, token_id: str) -> bool:
        """Tell whether a token has ended by its own id."""
        return self._until.find(token_id) > 0

    def is_too_old(self, user_id: str, since: float | None) -> bool:
        """Tell whether a user has ended all that began at such a time."""
        return is_too_old(since, self._users.find(user_id))

    def generation(self, user_id: str) -> int:
        """Return the least generation of a user that is good, or 0."""
        return self._users.find(user_id)

    def add(self, change: Change) -> None:
        """Remember what has ended; what is known already may come again."""
        with self._writing:
            self._add(change)

    def _add(self, change: Change) -> None:
        if change.kind == "user":
            self._users.put(change.key, change.value)
            return
        if len(self._until) + len(self._sessions) >= self._sweep_at:
            self._sweep()
        shelf = self._until if change.kind == "token" else self._sessions
        rounded = ceil(change.value / STEP_SECONDS) * STEP_SECONDS
        shelf.put(change.key, self._times.setdefault(rounded, rounded))

    def beyond(self, changes: Iterable[Change]) -> list[Change]:
        """Return what is remembered here and not among some changes."""
        known = {change.place: change.value for change in changes}
        with self._writing:
            return self._beyond(known)

    def _beyond(self, known: Mapping[Place, int]) -> list[Change]:
        now = self._clock()
        shelves: tuple[tuple[Kind, Shelf], ...] = (
            ("token", self._until),
            ("session", self._sessions),
        )
        lost = [
            Change(kind, key, end)
            for kind, shelf in shelves
            for key, end in shelf.items()
            if end > now and (kind, key) not in known
        ]
        return lost + [
            Change("user", key, least)
            for key, least in self._users.items()
            if least > known.get(("user", key), 0)
        ]

    def _sweep(self) -> None:
        """Forget what has expired; rarely enough to cost nothing on average."""
        now = self._clock()
        self._until = self._until.kept(now)
        self._sessions = self._sessions.kept(now)
        self._times = {end: end for end in self._times if end > now}
        kept = len(self._until) + len(self._sessions)
        self._sweep_at = max(SWEEP_AT_LEAST, 2 * kept)
