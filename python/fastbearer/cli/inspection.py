"""What a token says, for a person to read; and whether it would be accepted."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastbearer import KeySourceError, TokenError
from fastbearer._core import base64url_bytes, json_object
from fastbearer.cli.inputs import Judge
from fastbearer.errors import ConfigurationError, InvalidKeyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["described", "judged", "relative"]

MOST_CHARACTERS = 1 << 20
SHOWN_SEGMENTS = 5
UNVERIFIED = "UNVERIFIED: anybody could have written what stands here."
OPAQUE = (
    "not a JWT: it has no dots. An opaque token says nothing to us; its issuer can"
    " tell what it stands for (introspection, RFC 7662)."
)
DATES = ("iat", "nbf", "exp", "auth_time", "updated_at")
MILLISECONDS = 100_000_000_000
"""As seconds, a date in the year 5138: somebody has counted milliseconds."""

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def described(token: str, now: float | None = None) -> str:
    """Return what a token says, without its signature.

    Whatever is in it is written in ASCII, so that no terminal obeys it.

    Args:
        token: As somebody has sent it.
        now: Seconds since the epoch, in place of the present.
    """
    return "\n".join(_lines(token, time.time() if now is None else now))


def judged(token: str, judge: Judge) -> tuple[str, bool]:
    """Return in a line what the settings in force say, and whether they accept it."""
    try:
        judge.verifier().verify(token)
    except TokenError as error:
        claim = getattr(error, "claim", None)
        parts = [f"REFUSED: {error.code}"]
        parts += [f": {error.reason}"] if error.reason else []
        parts += [f" ({ascii(claim)[1:-1]})"] if claim else []
        hint = judge.hint(error, token)
        told = "".join(parts) + f"\n  {error}"
        return (f"{told}\n  hint: {hint}" if hint else told), False
    except KeySourceError as error:
        return f"NOT JUDGED: {error.code}: {error}", False
    except (ConfigurationError, InvalidKeyError) as error:
        return f"NOT JUDGED: {error.code}: {error}", False
    return "ACCEPTED with the settings in force", True


def _lines(token: str, now: float) -> Iterator[str]:
    yield UNVERIFIED
    yield ""
    if len(token) > MOST_CHARACTERS:
        yield f"a text of {len(token)} characters, which is not looked at"
        return
    segments = token.split(".")
    if len(segments) == 1:
        yield OPAQUE if token else "nothing: the text is empty"
        return
    yield from _header(token, segments)
    if len(segments) == SHOWN_SEGMENTS:
        yield "claims: encrypted (JWE)"
    elif len(segments) != 3:
        yield f"{len(segments)} segments, where a signed token has three"
    else:
        yield from _claims(segments[1], now)
        yield f"signature: {len(segments[2])} characters, not shown"


def _header(token: str, segments: list[str]) -> Iterator[str]:
    header = _object(segments[0])
    if isinstance(header, str):
        yield f"header: {header}"
        return
    yield "header:"
    yield _written(header)


def _claims(segment: str, now: float) -> Iterator[str]:
    claims = _object(segment)
    if isinstance(claims, str):
        yield f"claims: {claims}"
        return
    yield "claims:"
    yield _written(claims)
    dates = [(name, claims[name]) for name in DATES if name in claims]
    if dates:
        yield "dates:"
    for name, value in dates:
        yield f"  {name:10} {dated(value, now)}"


def _object(segment: str) -> dict[str, Any] | str:
    """Return the object that a segment holds, or why it does not hold one."""
    try:
        return json_object(base64url_bytes(segment))
    except TokenError as error:
        return f"unreadable: {error}"


def _written(members: Mapping[str, Any]) -> str:
    text = json.dumps(members, indent=2, ensure_ascii=True)
    # RFC 8259 7 lets DEL stand as it is.
    text = text.replace("\x7f", "\\u007f")
    return "\n".join(f"  {line}" for line in text.splitlines())


def dated(value: object, now: float) -> str:
    """Return a NumericDate (RFC 7519 2) as a person reads it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "not a number of seconds"
    try:
        date = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        date = None
    if date is None or abs(value) >= MILLISECONDS:
        return f"{value}: no date as seconds; milliseconds?"
    return f"{date:%Y-%m-%d %H:%M:%S} UTC, {relative(value - now)}"


def relative(seconds: float) -> str:
    """Return a distance in time in one or two units: "in 2 hours, 5 minutes"."""
    rest = round(abs(seconds))
    if rest == 0:
        return "now"
    parts: list[str] = []
    for size, name in UNITS:
        number, rest = divmod(rest, size)
        if number and len(parts) < 2:
            parts.append(f"{number} {name}" + ("s" if number > 1 else ""))
        elif parts:
            break
    text = ", ".join(parts)
    return f"in {text}" if seconds > 0 else f"{text} ago"
