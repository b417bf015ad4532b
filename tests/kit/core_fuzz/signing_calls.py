"""Calls of what signs, with claims and headers of any kind."""

from __future__ import annotations

import datetime as dt
import json
import math
from random import Random
from typing import Any

from fastbearer import ConfigurationError, InvalidKeyError, Signer, _core, jws

from .calls import Call, Check, calls, holds, raises
from .fixed_keys import KEYS, NAMED, SECRET
from .json_texts import DEPTH_MAX, NOW, read_strictly
from .odd_values import SCALARS, OddDate, Twin, odd
from .token_model import Options, header_reasons, split, unb64

SIGNERS = ("HS256", "HS256", "HS512", "ES256", "EdDSA")
NUMBERS = (*(0, -1, 5, NOW, 2**53, 2**63, -(2**63) - 1, 10**4299), 0.5, 1e308, -0.0)


def plain(dice: Random, depth: int = 0) -> Any:
    """Return a value that JSON has."""
    roll = dice.random()
    if roll < 0.25 or depth > dice.choice((3, 4, 33)):
        return dice.choice((None, True, *NUMBERS))
    if roll < 0.5:
        return dice.choice(
            ("", "a", "\u00e9\n", '"\\\b\f\t\x1f', "\x7f", "\U0001f600" * 3, "z" * 1100)
        )
    if roll < 0.7:
        items = [plain(dice, depth + 1) for _ in range(dice.choice((0, 1, 3)))]
        return tuple(items) if roll < 0.55 else items
    names = dice.sample(
        ("a", "", "exp", "\u00e9", 'q"', "x" * 40), dice.choice((0, 1, 3))
    )
    return {name: plain(dice, depth + 1) for name in names}


CLAIM_NAMES = ("exp", "nbf", "iat", "sub", "iss", "aud", "a", "\u00e9", "jti")


def claims_of(dice: Random) -> dict[str, Any]:
    names = dice.sample(CLAIM_NAMES, dice.choice((0, 1, 2, 4)))
    claims = {name: plain(dice, 1) for name in names}
    for name in ("exp", "nbf", "iat"):
        if name in claims:
            date = dt.datetime(2030, 1, dice.randint(1, 28), dice.randrange(24))
            aware = date.replace(tzinfo=dt.timezone(dt.timedelta(hours=5)))
            claims[name] = dice.choice((NOW, NOW + 0.5, date, aware))
    return claims


def depth_of(value: Any, depth: int = 1) -> int:
    if not isinstance(value, (dict, list, tuple)) or depth > DEPTH_MAX:
        return depth - 1
    inner = value.values() if isinstance(value, dict) else value
    return max([depth, *(depth_of(one, depth + 1) for one in inner)])


def seconds(value: Any) -> Any:
    if not isinstance(value, dt.datetime):
        return value
    aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    return math.floor(aware.timestamp())


def written(claims: dict[str, Any], *, ascii_only: bool) -> str:
    """Return what json writes: the names in their order, and no spaces."""
    dates = ("exp", "nbf", "iat")
    settled = {k: seconds(v) if k in dates else v for k, v in claims.items()}
    return json.dumps(settled, separators=(",", ":"), ensure_ascii=ascii_only)


def parts_of(token: str) -> tuple[dict[str, Any] | None, bytes | None]:
    """Return header and payload of a token that was signed."""
    parts = split(token.encode(), Options())
    header, payload = unb64(parts.header), unb64(parts.payload)
    return read_strictly(header or b""), payload


@calls("Signer.sign", ValueError, weight=14)
def sign(dice: Random) -> Call:
    name = dice.choice(SIGNERS)
    claims = claims_of(dice)
    added: dict[str, Any] = {}
    issuer = dice.choice((None, "i", "\u00e9"))
    audience = dice.choice((None, "a", ["a", "b"]))
    lifetime = dice.choice((None, 5, 0.5, dt.timedelta(minutes=1)))
    if issuer is not None:
        added["iss"] = issuer
    if audience is not None:
        added["aud"] = audience
    if lifetime is not None:
        spent = lifetime.seconds if isinstance(lifetime, dt.timedelta) else lifetime
        added |= {"iat": NOW, "exp": math.floor(NOW + spent)}
    ascii_only = dice.random() < 0.3
    expected = {**claims, **{k: v for k, v in added.items() if k not in claims}}
    signer = Signer(
        KEYS[name],
        issuer=issuer,
        audience=audience,
        lifetime=lifetime,
        ascii=ascii_only,
        clock=lambda: NOW,
    )

    def is_right(token: str) -> bool:
        header, payload = parts_of(token)
        text = written(expected, ascii_only=ascii_only)
        return header == {"alg": name, "typ": "JWT"} and payload == text.encode()

    check: Check = holds(is_right)
    if depth_of(expected) > DEPTH_MAX:
        check = raises(ValueError)
    return Call(signer.sign, (claims,), check=check, secrets=(SECRET,))


def is_strict(token: str) -> bool:
    """Whatever was given, what is signed is strict JSON, under a fit header."""
    header, payload = parts_of(token)
    if header is None or payload is None or read_strictly(payload) is None:
        return False
    return not header_reasons(header, Options())


def strict_or_refused(result: Any, error: BaseException | None) -> str | None:
    return None if error is not None or is_strict(result) else f"signs {result!r:.300}"


@calls("Signer.sign", ValueError, weight=10)
def sign_odd_claims(dice: Random) -> Call:
    """Claims that hold anything, at any depth, under any name."""
    claims: dict[Any, Any] = claims_of(dice)
    for _ in range(dice.choice((1, 1, 2))):
        name = dice.choice((*CLAIM_NAMES, Twin("sub"), Twin("exp"), 5, None, "\ud800"))
        value = odd() if dice.random() < 0.8 else [{"a": odd()}]
        claims[name] = OddDate(2030, 1, 1) if dice.random() < 0.1 else value
    signer = Signer(
        KEYS["HS256"],
        lifetime=dice.choice((None, 5)),
        ascii=dice.random() < 0.3,
        clock=lambda: NOW,
    )
    return Call(signer.sign, (claims,), check=strict_or_refused, secrets=(SECRET,))


HEADERS: tuple[Any, ...] = (
    *({"typ": None}, {"typ": "at+jwt"}, {"kid": "x"}, {"x": {"y": [1]}}, {}),
    *(
        {"crit": ["b64"]},
        {"alg": "none"},
        {"zip": "DEF"},
        {"b64": False},
        {"b64": True},
    ),
    *({5: 6}, {Twin("typ"): 1}, {Twin("alg"): "none"}, {"kid": 5}, {"typ": 5}),
    *({"x": float("nan")}, {"x": "\ud800"}, {f"m{n}": n for n in range(70)}),
)


@calls("Signer.sign", ValueError, weight=4)
def sign_with_headers(dice: Random) -> Call:
    headers = dice.choice((*HEADERS, {"x": odd()}, {dice.choice(SCALARS[-20:]): 1}))
    key = dice.choice((KEYS["HS256"], KEYS["EdDSA"], NAMED["h"]))
    sign = Signer(key).sign
    named = {"headers": headers}
    return Call(sign, ({"sub": "a"},), named, strict_or_refused, secrets=(SECRET,))


@calls("Signer", ConfigurationError, InvalidKeyError)
def signer(dice: Random) -> Call:
    names = ("issuer", "audience", "lifetime", "clock", "ascii")
    named = {name: odd() for name in dice.sample(names, dice.choice((0, 1, 1, 2)))}
    key = dice.choice((KEYS["HS256"], KEYS["ES256"], KEYS["ES256"].public()))
    return Call(Signer, (key,), named, secrets=(SECRET,))


@calls("Signer.sign", ValueError, weight=3)
def sign_with_odd_options(dice: Random) -> Call:
    names = ("issuer", "audience", "lifetime", "clock")
    named = {name: odd() for name in dice.sample(names, 2)}
    try:
        made = Signer(KEYS["HS256"], **named)
    except Exception:
        made = Signer(KEYS["HS256"], lifetime=5)
    return Call(made.sign, ({"a": 1},), check=strict_or_refused)


def jws_of(payload: bytes, name: str) -> Check:
    def is_right(token: str) -> bool:
        return parts_of(token) == ({"alg": name}, payload)

    return holds(is_right)


def some_bytes(dice: Random) -> bytes:
    return dice.randbytes(dice.choice((0, 1, 2, 3, 40, 1000)))


@calls("jws_sign", ValueError, InvalidKeyError)
def core_sign(dice: Random) -> Call:
    name, text = dice.choice(SIGNERS), some_bytes(dice)
    if dice.random() < 0.7:
        return Call(_core.jws_sign, (text, KEYS[name], None), check=jws_of(text, name))
    headers = dice.choice((*HEADERS, {"x": odd()}))
    return Call(_core.jws_sign, (text, KEYS[name], headers), check=fit_header)


@calls("jws.sign", ValueError, InvalidKeyError)
def module_sign(dice: Random) -> Call:
    name, text = dice.choice(SIGNERS), some_bytes(dice)
    if dice.random() < 0.7:
        return Call(jws.sign, (text, KEYS[name]), check=jws_of(text, name))
    named = {"headers": dice.choice(HEADERS)}
    return Call(jws.sign, (text, KEYS[name]), named, fit_header)


def fit_header(result: Any, error: BaseException | None) -> str | None:
    if error is not None:
        return None
    header, _ = parts_of(result)
    is_fit = header is not None and not header_reasons(header, Options())
    return None if is_fit else f"signs {result!r:.300}"
