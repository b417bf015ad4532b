"""Calls of what reads requests, base64url, JSON and tokens that nobody verified."""

from __future__ import annotations

from random import Random
from typing import Any

from fastbearer import MalformedTokenError, _core

from .calls import Call, Check, calls, raises, returns
from .json_texts import mutated, payload, read_strictly
from .odd_values import OddList, odd
from .token_calls import altered, as_given, minted
from .token_model import Options, b64, split, unb64

NAME = b"authorization"
FIELDS: tuple[Any, ...] = (
    *((NAME, b"Bearer abc"), (NAME, b"bearer  a.b.c"), (NAME, b"Bearer "), [NAME, b""]),
    *((NAME, b"Basic eDp5"), (NAME, b"BEARER \xff"), (b"accept", b"*/*"), (NAME, b"x")),
)
COOKIES = (
    *(b"ba.a=1", b"ba.b=2; ba.a=1", b" ba.a = 1 ;ba.a=2", b'ba.q="x"', b"ba.", b"=x"),
    *(b"__Secure-ba.a=9", b"other=1; ba.a", b";;;=;", b"ba.a=1;ba.a=1", b"\xff=\xff"),
    *(b";".join(b"ba.a=%d" % n for n in range(count)) for count in (8, 9, 10)),
)

# --- fields --------------------


def bearer_of(fields: list[Any]) -> str | None:
    """Return RFC 6750 2.1's token; ValueError where two fields have that name."""
    values = [value for name, value in fields if name == NAME]
    if len(values) > 1:
        raise ValueError
    if not values:
        return None
    scheme, space, rest = values[0].partition(b" ")
    is_bearer = scheme.lower() == b"bearer" and space
    return rest.lstrip(b" ").decode("latin-1") if is_bearer else ""


def cookies_of(fields: list[Any], wanted: bytes, whole: bool) -> dict[str, Any]:
    """Return name -> value, or values that differ (RFC 6265 4.2.1)."""
    found: dict[str, list[str]] = {}
    for name, line in fields:
        for pair in line.split(b";") if name == b"cookie" else ():
            key, equals, value = (part.strip(b" \t") for part in pair.partition(b"="))
            plain = key if whole else key.removeprefix(b"__Secure-")
            if not equals or not (
                plain == wanted if whole else plain.startswith(wanted)
            ):
                continue
            if len(value) > 1 and value[:1] == value[-1:] == b'"':
                value = value[1:-1]
            values = found.setdefault(key.decode("latin-1"), [])
            text = value.decode("latin-1")
            if text not in values:
                values.append(text)
    if any(len(values) > 8 for values in found.values()):
        raise ValueError
    return {key: one[0] if len(one) == 1 else one for key, one in found.items()}


def answer_or_error(answer: Any, *args: Any) -> Check:
    try:
        return returns(answer(*args))
    except ValueError:
        return raises(ValueError)


def given_fields(dice: Random, fields: list[Any]) -> tuple[Any, bool]:
    """Return them as a sequence, and whether they are what they seem."""
    if dice.random() < 0.2:
        at = dice.randint(0, len(fields))
        strange = (
            odd(),
            (NAME,),
            (b"cookie", odd()),
            [NAME, b"x", b"y"],
            (odd(), b"x"),
        )
        fields = [*fields[:at], dice.choice(strange), *fields[at:]]
        return fields, False
    return dice.choice(
        ((fields, True), (tuple(fields), True), (OddList(fields), False))
    )


@calls("bearer_token", ValueError, weight=4)
def bearer_token(dice: Random) -> Call:
    fields = dice.choices(FIELDS, k=dice.choice((0, 1, 1, 2, 5)))
    given, plain = given_fields(dice, fields)
    args = (given, NAME)
    if not plain:
        return Call(_core.bearer_token, args)
    return Call(_core.bearer_token, args, check=answer_or_error(bearer_of, fields))


@calls("cookie_values", ValueError, weight=5)
def cookie_values(dice: Random) -> Call:
    lines = dice.choices(COOKIES, k=dice.choice((0, 1, 2, 3)))
    lines = [mutated(dice, one) if dice.random() < 0.3 else one for one in lines]
    fields = [(b"cookie", line) for line in lines] + [(b"accept", b"ba.a=no")]
    wanted, whole = dice.choice((b"ba.", b"ba.a", b"")), dice.random() < 0.3
    given, plain = given_fields(dice, fields)
    args = (given, wanted, whole)
    if not plain:
        return Call(_core.cookie_values, args)
    check = answer_or_error(cookies_of, fields, wanted, whole)
    return Call(_core.cookie_values, args, check=check)


# --- texts --------------------


@calls("base64url_bytes", MalformedTokenError, weight=4)
def base64url_bytes(dice: Random) -> Call:
    text = b64(dice.randbytes(dice.choice((0, 1, 2, 3, 23, 24, 25, 47, 48, 49, 200))))
    text = mutated(dice, text) if dice.random() < 0.6 else text
    right = unb64(text)
    check = raises(MalformedTokenError) if right is None else returns(right)
    return Call(_core.base64url_bytes, (as_given(dice, text),), check=check)


@calls("json_object", MalformedTokenError, weight=10)
def json_object(dice: Random) -> Call:
    data = payload(dice)
    right = read_strictly(data)
    check = raises(MalformedTokenError) if right is None else returns(right)
    try:
        text: str | bytes = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = data
    given = dice.choice((data, text))
    return Call(_core.json_object, (given,), check=check)


@calls("json_secrets", MalformedTokenError, weight=4)
def json_secrets(dice: Random) -> Call:
    data = payload(dice)
    right = read_strictly(data)
    check = raises(MalformedTokenError) if right is None else returns(right)
    return Call(_core.json_secrets, (data, []), check=check)


@calls("json_wipe", weight=1)
def json_wipe(dice: Random) -> Call:
    kept = dice.choices(("text", "", "a", "\u20ac", {"a": 1}, 5, ["text"]), k=3)
    return Call(_core.json_wipe, (list(kept),), check=returns(None))


def issuer_of(token: bytes, most: int) -> str | None:
    parts = split(token, Options(max_bytes=most, allow_padding=True))
    text = None if parts.reasons else unb64(parts.payload)
    claims = None if text is None else read_strictly(text)
    issuer = None if claims is None else claims.get("iss")
    return issuer if isinstance(issuer, str) else None


@calls("unverified_issuer", weight=5)
def unverified_issuer(dice: Random) -> Call:
    token = minted(dice)
    if dice.random() < 0.5:
        token = altered(dice, token)
    most = dice.choice((16384, 16384, 100, 0, -1, 2**70))
    right = issuer_of(token, most)

    def check(answer: Any, error: BaseException | None) -> str | None:
        # Whether other names come twice, or are numbers too long, is not looked at.
        if error is not None or (right is not None and answer != right):
            return f"answers {answer!r:.200}, not {right!r:.200}"
        return None if answer is None or isinstance(answer, str) else "is no str"

    args = (as_given(dice, token), most)
    return Call(_core.unverified_issuer, args, check=check, secrets=(token,))
