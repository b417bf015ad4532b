"""A session, and the rules that its data must keep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from fastbearer._core import SessionSecret, session_misfit
from fastbearer.errors import (
    ExpiredTokenError,
    ImmatureTokenError,
    InvalidClaimError,
    MalformedTokenError,
)

__all__ = ["Session", "Source", "checked", "is_token", "moment", "session_of_claims"]

Source = Literal["cookie", "store", "jwt"]

is_token: Callable[[object], bool] = SessionSecret.is_token

REGISTERED = frozenset(
    ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")
)  # RFC 7519 4.1

NUMBERS = (int, float)
WRONG_MEMBER = "not session data: {} is absent, or has another type"
NOT_YET = "the session data is not good yet"
OTHER_USER = "the session data belongs to another user than its session"
OTHER_VERSION = "the session data has another version"
OTHER_TOKEN = "the session data belongs to another session token"
EXPIRED = "the session has expired"
LAST_SECOND = 253_402_300_799  # of the year 9999, which is Python's last


class Session(NamedTuple):
    """A signed-in user, and the session that says so.

    Attributes:
        user: The members of the user, as Better Auth names them.
        session: The members of the session; empty for a token of the plugin
            ``jwt()``, which names none.
        expires_at: When it ends, in UTC.
        source: Where the data is from. "cookie": from session data in a cookie, which
            may be minutes old; "store": looked up just now; "jwt": from a token of the
            plugin ``jwt()``.
    """

    user: dict[str, Any]
    session: dict[str, Any]
    expires_at: datetime
    source: Source

    def __repr__(self) -> str:
        # Not the session: its token would be in every log.
        return (
            f"Session(user_id={self.user_id!r}, expires_at={self.expires_at!r},"
            f" source={self.source!r})"
        )

    @property
    def user_id(self) -> str:
        """The user's id."""
        return str(self.user["id"])

    @property
    def email(self) -> str:
        """The user's e-mail, or ``""``."""
        email = self.user.get("email")
        return email if isinstance(email, str) else ""


def moment(value: Any) -> datetime:
    """Return a date of Better Auth: ISO 8601, or milliseconds since the epoch.

    Raises:
        ValueError: The value is neither, or out of range.
    """
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, str):
        found = datetime.fromisoformat(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / 1000, UTC)
        except (OverflowError, OSError):
            raise ValueError("a date out of range") from None
    else:
        raise ValueError("neither a date nor milliseconds")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def checked(
    payload: dict[str, Any],
    now: float,
    *,
    version: Any = None,
    token: str | None = None,
    source: Source = "cookie",
) -> Session:
    """Return the session of a signed payload, if it is still good.

    Args:
        payload: With ``session`` and ``user``.
        now: Seconds since the epoch.
        version: What its ``version`` must be, or a callable that returns it for
            session and user; None for any.
        token: The session token that it must belong to; None for any.
        source: Where the payload is from.

    Raises:
        TokenError: The payload is not that of a session, or the session has expired.
    """
    session: Any = payload.get("session")
    user: Any = payload.get("user")
    misfit = session_misfit(session, user, source == "store")
    if misfit is not None:
        raise MalformedTokenError(WRONG_MEMBER.format(misfit))
    if session["userId"] != user["id"]:
        raise InvalidClaimError(OTHER_USER, "userId")
    if token is not None and session["token"] != token:
        raise InvalidClaimError(OTHER_TOKEN, "token")
    if source == "cookie":
        _check_payload(payload, now, version)
    try:
        expires_at = datetime.fromisoformat(session["expiresAt"])
    except ValueError:
        raise MalformedTokenError(WRONG_MEMBER.format("expiresAt")) from None
    if expires_at.timestamp() <= now:
        raise ExpiredTokenError(EXPIRED, "expiresAt")
    return Session(user, session, expires_at, source)


def session_of_claims(claims: dict[str, Any]) -> Session:
    """Return the session of a token of the plugin ``jwt()``: its user alone.

    Args:
        claims: Verified claims, with ``sub`` and ``exp``.

    Raises:
        TokenError: The claims do not name a user.
    """
    user_id = claims.get("sub")
    if not (isinstance(user_id, str) and user_id):
        raise InvalidClaimError("sub is not a user's id", "sub")
    user = {name: claims[name] for name in claims if name not in REGISTERED}
    exp = min(claims["exp"], LAST_SECOND)
    expires_at = datetime.fromtimestamp(exp, UTC)
    return Session({**user, "id": user_id}, {}, expires_at, "jwt")


def _check_payload(payload: dict[str, Any], now: float, version: Any) -> None:
    """Check what is beside session and user, in every strategy alike.

    Raises:
        TokenError: The data is of another version, not good yet, or another type.
    """
    if type(payload.get("updatedAt")) not in NUMBERS:
        raise MalformedTokenError(WRONG_MEMBER.format("updatedAt"))
    found = payload.get("version", "1")
    if not isinstance(found, str):
        raise MalformedTokenError(WRONG_MEMBER.format("version"))
    if "nbf" in payload:
        _check_not_before(payload["nbf"], now)
    if callable(version):
        version = version(payload["session"], payload["user"])
    if version is not None and (found or "1") != version:
        raise InvalidClaimError(OTHER_VERSION, "version")


def _check_not_before(nbf: Any, now: float) -> None:
    """Check ``nbf`` (RFC 7519 4.1.5), which the server never writes.

    Raises:
        TokenError: It is in the future, or not a number.
    """
    if type(nbf) not in NUMBERS:
        raise InvalidClaimError(WRONG_MEMBER.format("nbf"), "nbf")
    if nbf > now:
        raise ImmatureTokenError(NOT_YET, "nbf")
