"""What a token says, for a person to read; and whether it would be accepted."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastbearer import FastbearerError, KeySourceError, TokenError
from fastbearer._core import base64url_bytes, json_object
from fastbearer.cli.inputs import Judge
from fastbearer.cli.log import logged
from fastbearer.errors import ConfigurationError, InvalidKeyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from logging import LogRecord

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
    with logged() as records:
        try:
            return f"ACCEPTED with the settings in force{judge.accept(token)}", True
        except (ConfigurationError, InvalidKeyError) as error:
            return f"NOT JUDGED: {error.code}: {error}", False
        except Exception as error:
            # Its own, or the cause of what FastAPI would answer.
            cause = error if isinstance(error, FastbearerError) else error.__cause__
            if not isinstance(cause, TokenError | KeySourceError):
                raise
    if isinstance(cause, TokenError):
        return _refused(cause, records), False
    why = "".join(f"\n  {ascii(one.getMessage())[1:-1]}" for one in records)
    return f"NOT JUDGED: {cause.code}: {cause}{why}", False


def _refused(error: TokenError, records: list[LogRecord]) -> str:
    """Return the line of the log in parts: code, reason, claim and hint."""
    record = next((one for one in records if hasattr(one, "hint")), None)
    found = error if record is None else record
    parts = [f"REFUSED: {getattr(found, 'code', '')}"]
    reason, claim = getattr(found, "reason", None), getattr(found, "claim", None)
    parts += [f": {reason}"] if reason else []
    parts += [f" ({ascii(claim)[1:-1]})"] if claim else []
    hint = getattr(found, "hint", None)
    parts += [f"\n  {error}", f"\n  hint: {hint}" if hint else ""]
    return "".join(parts)


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
