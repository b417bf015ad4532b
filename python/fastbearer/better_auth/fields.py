"""The fields of a session and of its user, as a Better Auth server stores them."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastbearer.better_auth.javascript import iso
from fastbearer.better_auth.session import Session, checked, moment
from fastbearer.errors import ExpiredTokenError, TokenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["BAN_FIELDS", "Shown", "cleaned", "is_banned", "milliseconds"]

USER_FIELDS = (
    "id",
    "name",
    "email",
    "emailVerified",
    "image",
    "createdAt",
    "updatedAt",
)
SESSION_FIELDS = (
    "id",
    "token",
    "userId",
    "expiresAt",
    "createdAt",
    "updatedAt",
    "ipAddress",
    "userAgent",
)
BAN_FIELDS = ("banned", "banExpires")
"""Those of the plugin ``admin()``."""

IDS = frozenset(("id", "userId", "referenceId"))
FLAGS = frozenset(("emailVerified", "banned", "enabled", "rateLimitEnabled"))
DATES = frozenset(
    (
        "createdAt",
        "updatedAt",
        "expiresAt",
        "banExpires",
        "lastRefillAt",
        "lastRequest",
    )
)

DATE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
LEAST_MILLISECONDS = 10**11
"""In 1973. Smaller numbers are seconds: taken for milliseconds, a ban would be over."""

EPOCH = datetime.fromtimestamp(0, UTC)

logger: logging.Logger = logging.getLogger("fastbearer")


class Shown:
    """The fields that a session from a store shows; other columns are not read.

    Args:
        user_fields: Fields of the user beside Better Auth's own.
        session_fields: Fields of the session beside Better Auth's own.
    """

    def __init__(
        self, user_fields: Iterable[str] = (), session_fields: Iterable[str] = ()
    ) -> None:
        self.user: tuple[str, ...] = _distinct(USER_FIELDS, user_fields)
        self.session: tuple[str, ...] = _distinct(SESSION_FIELDS, session_fields)

    def session_of(
        self,
        session: Mapping[str, Any],
        user: Mapping[str, Any],
        token: str,
        now: float,
    ) -> Session | None:
        """Return the session, or None if it has expired or its user is banned.

        A row that cannot be read gives None as well; that is logged, without values.

        Args:
            session: Field -> what is stored.
            user: The same of the user, with `BAN_FIELDS` where there are any.
            token: The token that the session must have.
            now: Seconds since the epoch.
        """
        try:
            if is_banned(user, now):
                return None
            payload = {
                "session": cleaned(session, self.session),
                "user": cleaned(user, self.user),
            }
            return checked(payload, now, token=token, source="store")
        except ExpiredTokenError:
            return None
        except (TokenError, ValueError) as error:
            logger.error("a stored session cannot be read: %s", error)
            return None


def _distinct(own: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*own, *more)))


def is_banned(user: Mapping[str, Any], now: float) -> bool:
    """Tell whether a user is banned, for good or until a time in the future.

    Args:
        user: Field -> what is stored.
        now: Seconds since the epoch.

    Raises:
        ValueError: The fields of a ban cannot be read.
    """
    ban = cleaned(user, BAN_FIELDS)
    if not ban.get("banned"):
        return False
    until = ban.get("banExpires")
    return until is None or moment(until).timestamp() >= now


def cleaned(row: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Return the fields that a row has, as Better Auth's JSON shows them.

    Ids are text, dates ISO 8601 in UTC with milliseconds, flags booleans.

    Raises:
        ValueError: A field has a value of another kind; the message names the field.
    """
    return {field: _shown(field, row[field]) for field in fields if field in row}


def _shown(field: str, value: Any) -> Any:
    if value is None:
        return None
    try:
        if field in IDS:
            return _id(value)
        if field in FLAGS:
            return _flag(value)
        if field in DATES or isinstance(value, datetime):
            return iso(_date(value))
    except (ValueError, OverflowError):
        raise ValueError(f"{field} is not what Better Auth stores") from None
    return str(value) if isinstance(value, UUID) else value


def _id(value: Any) -> str:
    """Return an id, which is text, a UUID, or a number (``generateId: "serial"``)."""
    if isinstance(value, bool) or not isinstance(value, (str, int, UUID)):
        raise ValueError
    return str(value)


def _flag(value: Any) -> bool:
    """Return a flag, which is a number in SQLite."""
    if not isinstance(value, (bool, int)) or value not in (0, 1):
        raise ValueError
    return bool(value)


def _date(value: Any) -> datetime:
    """Return a date: SQLite has text, or milliseconds since the epoch."""
    if isinstance(value, str) and DATE.fullmatch(value) is None:
        raise ValueError
    if isinstance(value, float):
        raise ValueError
    if isinstance(value, int) and value < LEAST_MILLISECONDS:
        raise ValueError
    return moment(value)


def milliseconds(date: str) -> int:
    """Return a date of `cleaned` in milliseconds since the epoch."""
    since = moment(date) - EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
