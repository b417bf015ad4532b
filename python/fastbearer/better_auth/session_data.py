"""Session data: what a server puts into its cookie ``session_data``."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from fastbearer import Verifier, _core
from fastbearer.base64url import base64url_encode
from fastbearer.better_auth.cookies import DATA_BYTES_MAX
from fastbearer.better_auth.javascript import EXACT, json_bytes
from fastbearer.better_auth.jwt_plugin import (
    SESSION_TYPE,
    SignedByKey,
    issuer_of_session_data,
)
from fastbearer.better_auth.session import Session, checked
from fastbearer.errors import (
    ExpiredTokenError,
    InvalidClaimError,
    MalformedTokenError,
    MissingClaimError,
    TokenError,
    UnknownKeyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastbearer import Key
    from fastbearer._core import SessionSecret

__all__ = ["SessionData", "Strategy"]

Strategy = Literal["compact", "jwt", "jwe"]

HS256_HEADER = "eyJhbGciOiJIUzI1NiJ9."
"""The only header that the server writes for its secret: {"alg":"HS256"}."""

TOO_LONG = "the session data is too long"
EXPIRED = "the session data has expired"
NO_EXP = "the session data has no exp"
NO_KEYS = "the session data is signed with a key of the server, and no keys were given"
OTHER_HEADER = "the header is not that of session data"
UNREADABLE = "this session and user could not be read again: {}"
WRONG_AGE = "max_age must be seconds, or a timedelta, up to the year 287396"


class SessionData:
    """Reads and writes session data, in all strategies.

    Args:
        secrets: The prepared secrets, the one in use first.
        key: The HS256 key of the secret in use.
        origin: The server's origin, the issuer of data that is signed with a key.
        version: The version that the data must have, or a callable that returns it.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        secrets: Sequence[SessionSecret],
        key: Key,
        *,
        origin: str,
        version: Any,
        clock: Callable[[], float] | None,
    ) -> None:
        self._secret, *self._previous = secrets
        self._key = key
        self._version = version
        self._clock = time.time if clock is None else clock
        self._verifier = Verifier(
            key, ignore_audience=True, max_bytes=DATA_BYTES_MAX, clock=clock
        )
        self._keyed = SignedByKey(issuer_of_session_data(origin, DATA_BYTES_MAX), clock)

    # --- reading -------------------------------------------------------------------

    def read(self, value: str, token: str | None, keys: Any) -> Session:
        """Return the session of a value; its shape tells which strategy wrote it.

        Args:
            value: The value, its pieces joined.
            token: The session token that it must belong to; None for any.
            keys: The keys of the server, or None.

        Raises:
            TokenError: The value is not session data, was altered or has expired.
            KeySourceError: The keys cannot be fetched.
            InvalidKeyError: None of the keys can be used.
        """
        dots = value.count(".")
        if dots == 2 and not value.startswith(HS256_HEADER):
            _check_type(value)
            claims = self._keyed.verify(value, _needed(keys))
            return self._session(*_keyed(claims), token)
        return self._session(*self._payload(value, dots), token)

    async def aread(self, value: str, token: str | None, keys: Any) -> Session:
        """Like `read`, for asyncio: a fetch of the keys is awaited."""
        dots = value.count(".")
        if dots == 2 and not value.startswith(HS256_HEADER):
            _check_type(value)
            claims = await self._keyed.averify(value, _needed(keys))
            return self._session(*_keyed(claims), token)
        return self._session(*self._payload(value, dots), token)

    def _payload(self, value: str, dots: int) -> tuple[dict[str, Any], int]:
        """Return the payload of data under the secret, and when it expires."""
        if len(value) > DATA_BYTES_MAX:
            raise MalformedTokenError(TOO_LONG)
        if dots == 0:
            return self._secret.read_compact(value)
        return _timed(
            self._opened(value) if dots == 4 else self._verifier.verify(value)
        )

    def _opened(self, value: str) -> dict[str, Any]:
        secret = self._secret
        if self._previous and not secret.is_sealed_with(value):
            others = (one for one in self._previous if one.is_sealed_with(value))
            secret = next(others, secret)
        return secret.open(value)

    def _session(
        self, payload: dict[str, Any], expires_at: int, token: str | None
    ) -> Session:
        now = self._clock()
        if expires_at <= now * 1000:
            raise ExpiredTokenError(EXPIRED, "expiresAt")
        return checked(payload, now, version=self._version, token=token)

    # --- writing -------------------------------------------------------------------

    def write(
        self,
        session: Mapping[str, Any],
        user: Mapping[str, Any],
        *,
        strategy: Strategy,
        max_age: float | timedelta,
    ) -> str:
        """Return the value, as the server writes it.

        Args:
            session: The session; dates may be datetimes.
            user: Its user.
            strategy: How it is signed, or sealed.
            max_age: How long the data is good: seconds, or a timedelta.

        Raises:
            ValueError: The session does not belong to the user, has a value that
                JavaScript would not write, or could not be read again.
        """
        now = self._clock()
        version = self._version
        if callable(version):
            version = version(dict(session), dict(user))
        inner = json_bytes(_payload_of(session, user, now, version))
        _check_readable(inner, version)
        value = self._written(inner, strategy, now, now + _seconds(max_age))
        if len(value) > DATA_BYTES_MAX:
            raise ValueError(TOO_LONG)
        return value

    def _written(
        self, inner: bytes, strategy: Strategy, now: float, until: float
    ) -> str:
        if strategy == "compact":
            return self._enveloped(inner, math.floor(until * 1000))
        times = b',"iat":%d,"exp":%d' % (math.floor(now), math.floor(until))
        if strategy == "jwe":
            jti = str(uuid4()).encode()
            return self._secret.seal(b'%s%s,"jti":"%s"}' % (inner[:-1], times, jti))
        if strategy != "jwt":
            raise ValueError("the strategies are compact, jwt and jwe")
        return _core.jws_sign(b"%s%s}" % (inner[:-1], times), self._key, None)

    def _enveloped(self, inner: bytes, expires_at: int) -> str:
        end = b',"expiresAt":%d' % expires_at
        mac = _core.raw_sign(inner[:-1] + end + b"}", self._key)
        parts = (inner, end, base64url_encode(mac))
        return base64url_encode(b'{"session":%s%s,"signature":"%s"}' % parts).decode(
            "ascii"
        )


def _check_type(value: str) -> None:
    """Refuse a token whose type is not that of session data signed with a key.

    Raises:
        TokenError: The token has another type, or is too long.
    """
    if len(value) > DATA_BYTES_MAX:
        raise MalformedTokenError(TOO_LONG)
    if _core.unverified_header(value).get("typ") != SESSION_TYPE:
        raise MalformedTokenError(OTHER_HEADER)


def _needed(keys: Any) -> Any:
    if keys is None:
        raise UnknownKeyError(NO_KEYS)
    return keys


def _keyed(claims: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the claims of data signed with a key, if they agree with each other."""
    session = claims.get("session")
    if not isinstance(session, dict) or claims.get("sid") != session.get("token"):
        raise InvalidClaimError("sid is not the session token", "sid")
    user = claims.get("user")
    if not isinstance(user, dict) or claims.get("sub") != user.get("id"):
        raise InvalidClaimError("sub is not the user's id", "sub")
    return _timed(claims)


def _timed(claims: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the claims, and when they expire, in milliseconds since the epoch."""
    exp = claims.get("exp")
    if not isinstance(exp, int) or isinstance(exp, bool):
        raise MissingClaimError(NO_EXP, "exp")
    return claims, exp * 1000


def _payload_of(
    session: Mapping[str, Any], user: Mapping[str, Any], now: float, version: str
) -> dict[str, Any]:
    """Return the payload of session data.

    Args:
        session: With ``token``, ``userId`` and ``expiresAt`` at least.
        user: With ``id``.
        now: Seconds since the epoch.
        version: The version of the data.
    """
    return {
        "session": dict(session),
        "user": dict(user),
        "updatedAt": math.floor(now * 1000),
        "version": version,
    }


def _check_readable(inner: bytes, version: Any) -> None:
    """Refuse what `SessionData.read` would refuse at any time.

    Raises:
        ValueError: The payload would be refused.
    """
    try:
        checked(_core.json_object(inner), -math.inf, version=version)
    except TokenError as error:
        raise ValueError(UNREADABLE.format(error)) from None


def _seconds(age: float | timedelta) -> float:
    seconds = age.total_seconds() if isinstance(age, timedelta) else age
    if not abs(seconds) < EXACT / 1000:
        raise ValueError(WRONG_AGE)
    return seconds
