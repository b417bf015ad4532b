"""Calls of what reads and writes a Better Auth server's cookies."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from random import Random
from typing import Any

from fastbearer import InvalidKeyError, MalformedTokenError, TokenError, _core

from .calls import Call, Check, calls, holds, raises, returns
from .fixed_keys import SECRET
from .json_texts import mutated, payload, read_strictly
from .odd_values import odd
from .token_calls import as_given
from .token_model import b64

SESSION = _core.SessionSecret(SECRET)
OTHER = _core.SessionSecret("another-secret-of-nobody-0123456")
TOKENS = ("aB3" * 10 + "xy", "0" * 32, "Z" * 32)
WRONG_TOKENS = ("", "a" * 31, "a" * 33, "a" * 31 + "-", "\u00e9" * 32, "a" * 31 + "\0")


def mac(data: bytes) -> bytes:
    return hmac.digest(SECRET.encode(), data, "sha256")


@calls("SessionSecret", InvalidKeyError)
def session_secret(dice: Random) -> Call:
    secret = dice.choice(
        (SECRET, SECRET.encode(), "", "x", "\u00e9" * 99, b"\xff" * 200)
    )
    return Call(_core.SessionSecret, (secret,), secrets=(SECRET,))


# --- session_token --------------------


def is_one(value: Any) -> bool:
    plain = isinstance(value, str) and value.isascii() and value.isalnum()
    return plain and len(value) == 32


@calls("SessionSecret.is_token")
def is_token(dice: Random) -> Call:
    value = dice.choice((*TOKENS, *WRONG_TOKENS, b"a" * 32, None, 5))
    return Call(_core.SessionSecret.is_token, (value,), check=returns(is_one(value)))


def signed(token: str) -> str:
    return f"{token}.{base64.b64encode(mac(token.encode())).decode()}"


@calls("SessionSecret.sign_token", ValueError)
def sign_token(dice: Random) -> Call:
    token = dice.choice((*TOKENS, *WRONG_TOKENS))
    check = returns(signed(token)) if is_one(token) else raises(ValueError)
    return Call(SESSION.sign_token, (token,), {}, check, (SECRET,))


def escaped(dice: Random, text: str) -> str:
    """Return the value as a browser may send it."""
    for plain, forms in (("+", ("%2B", "%2b")), ("/", ("%2F", "/")), ("=", ("%3D",))):
        text = text.replace(plain, dice.choice((plain, *forms)))
    return f'"{text}"' if dice.random() < 0.3 else text


def unescaped(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    for plain, form in (("+", "%2B"), ("/", "%2F"), ("=", "%3D")):
        text = text.replace(form, plain).replace(form.lower(), plain)
    return text


@calls("SessionSecret.read_token", TokenError, weight=4)
def read_token(dice: Random) -> Call:
    token = dice.choice(TOKENS)
    value = escaped(dice, signed(token)).encode()
    value = mutated(dice, value) if dice.random() < 0.6 else value
    plain = unescaped(value.decode("latin-1"))
    right = plain[:32] if plain == signed(plain[:32]) and is_one(plain[:32]) else None
    check = raises(TokenError) if right is None else returns(right)
    given = as_given(dice, value)
    return Call(SESSION.read_token, (given,), {}, check, (value, SECRET))


# --- session_data --------------------


def envelope(dice: Random, body: bytes) -> tuple[bytes, bytes, int]:
    """Return the JSON that is signed, that which carries it, and its milliseconds."""
    expires = dice.choice((0, 5, 1_700_000_000_000, 10**15))
    comma = b"" if body == b"{}" else b","
    signed_text = body[:-1] + comma + b'"expiresAt":%d}' % expires
    signature = b64(mac(signed_text))
    made = b'{"session":%b,"expiresAt":%d,"signature":"%b"}'
    return signed_text, made % (body, expires, signature), expires


@calls("SessionSecret.read_compact", TokenError, weight=5)
def read_compact(dice: Random) -> Call:
    body = payload(dice) if dice.random() < 0.5 else b'{"x":1}'
    _, text, expires = envelope(dice, body)
    is_whole = dice.random() < 0.5
    value = b64(text if is_whole else mutated(dice, text))
    value = value if is_whole or dice.random() < 0.5 else mutated(dice, value)
    right = read_strictly(body)

    def check(answer: Any, error: BaseException | None) -> str | None:
        if not is_whole:
            same = error is not None or answer == (right, expires)
            return None if same else f"accepts {answer!r:.200}"
        if right is None or body == b"{}" or not body.endswith(b"}"):
            return None
        same = error is None and repr(answer) == repr((right, expires))
        return None if same else "should be read"

    given = as_given(dice, value)
    return Call(SESSION.read_compact, (given,), {}, check, (SECRET, value))


def sealed(dice: Random, body: bytes) -> bytes:
    return dice.choice((SESSION, SESSION, SESSION, OTHER)).seal(body).encode()


@calls("SessionSecret.seal")
def seal(dice: Random) -> Call:
    body = (
        payload(dice) if dice.random() < 0.7 else dice.randbytes(dice.choice((0, 900)))
    )
    right = read_strictly(body)

    def is_right(value: str) -> bool:
        return right is None or repr(SESSION.open(value)) == repr(right)

    return Call(SESSION.seal, (body,), {}, holds(is_right), (SECRET,))


@calls("SessionSecret.open", TokenError, weight=4)
def open_sealed(dice: Random) -> Call:
    body = payload(dice)
    value = sealed(dice, body)
    original = value
    value = mutated(dice, value) if dice.random() < 0.5 else value
    right = read_strictly(body)

    def check(answer: Any, error: BaseException | None) -> str | None:
        if error is not None:
            ours = value == original and SESSION.is_sealed_with(value)
            return "should be opened" if ours and right is not None else None
        is_same = repr(answer) == repr(right) and value == original
        return None if is_same else f"opens as {answer!r:.200}"

    given = as_given(dice, value)
    return Call(SESSION.open, (given,), {}, check, (SECRET, value))


@calls("SessionSecret.is_sealed_with", TokenError)
def is_sealed_with(dice: Random) -> Call:
    value = sealed(dice, b"{}")
    start = SESSION.seal(b"").partition("..")[0].encode() + b".."
    value = mutated(dice, value) if dice.random() < 0.5 else value
    answer = value.startswith(start) and len(value) > len(start)
    given = as_given(dice, value)
    is_text = isinstance(given, bytes) or given.isascii()
    check: Check = returns(answer) if is_text else raises(MalformedTokenError)
    return Call(SESSION.is_sealed_with, (given,), {}, check, (SECRET, value))


# --- members --------------------

DATE = "2026-11-22T06:46:51.909Z"
GOOD: tuple[dict[str, Any], dict[str, Any]] = (
    {"expiresAt": DATE, "token": TOKENS[0], "userId": "u", "ipAddress": None},
    {"id": "u", "email": "a@b.c", "emailVerified": True, "image": None},
)
KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "id": lambda value: isinstance(value, str) and value != "",
    "flag": lambda value: isinstance(value, bool),
    "token": is_one,
}
MEMBERS = (
    {
        "token": "token",
        "userId": "id",
        "id": "id",
        "ipAddress": "text",
        "userAgent": "text",
    },
    {
        "id": "id",
        "name": "text",
        "email": "text",
        "emailVerified": "flag",
        "image": "text",
    },
)
MAY_BE_NULL = {"ipAddress", "userAgent", "image"}
NEEDED = ({"expiresAt", "token", "userId"}, {"id"})
VALUES = ("", "x", None, True, 5, b"x", [], "\u00e9", TOKENS[1], DATE)


def is_misfit(sides: tuple[dict[str, Any], dict[str, Any]], is_row: bool) -> bool:
    """Tell whether a member, but for the dates, is not as Better Auth writes it."""
    for side, kinds, needed in zip(sides, MEMBERS, NEEDED, strict=True):
        if needed - {*side}:
            return True
        for name, kind in kinds.items():
            value = side.get(name, "absent")
            may = name in MAY_BE_NULL or (is_row and name not in needed)
            if name in side and not (value is None and may) and not KINDS[kind](value):
                return True
    return False


@calls("session_misfit", weight=4)
def session_misfit(dice: Random) -> Call:
    sides = (dict(GOOD[0]), dict(GOOD[1]))
    for _ in range(dice.choice((0, 1, 2))):
        at = dice.randrange(2)
        name = dice.choice([*MEMBERS[at], "other", *NEEDED[at] - {"expiresAt"}])
        if dice.random() < 0.3:
            sides[at].pop(name, None)
        else:
            sides[at][name] = dice.choice((*VALUES, odd()))
    is_row = dice.random() < 0.5
    values = [*sides[0].values(), *sides[1].values()]
    plain = all(
        type(one) in (str, bytes, bool, int, list, type(None)) for one in values
    )
    wrong = plain and is_misfit(sides, is_row)

    def check(answer: Any, error: BaseException | None) -> str | None:
        if error is not None or not plain or (answer is not None) is wrong:
            return None
        return f"answers {answer!r}"

    return Call(_core.session_misfit, (*sides, is_row), check=check)
