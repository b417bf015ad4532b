"""Signing: claims, headers, dates, and payloads of any kind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from fastbearer import (
    ConfigurationError,
    InvalidKeyError,
    Key,
    KeySet,
    Signer,
    TokenError,
    jws,
    unverified_header,
)
from handmade_tokens import KEY, NOW, b64, token, verifier


def claims_of(text: str) -> Any:
    return json.loads(jws.verify(text, KEY))


def test_the_text_of_a_token() -> None:
    text = Signer(KEY).sign({"sub": "é"})
    header, payload, _ = text.split(".")
    assert header == b64(b'{"alg":"HS256","typ":"JWT"}')
    assert payload == b64('{"sub":"é"}'.encode())
    named = Key.generate("HS512", kid='a"b')
    assert unverified_header(Signer(named).sign({})) == {
        "alg": "HS512",
        "kid": 'a"b',
        "typ": "JWT",
    }
    assert unverified_header(jws.sign(b"", named)) == {"alg": "HS512", "kid": 'a"b'}


def test_what_a_signer_adds_never_replaces_a_claim() -> None:
    signer = Signer(
        KEY, issuer="i", audience=["a", "b"], lifetime=60, clock=lambda: NOW + 0.9
    )
    added = {"iss": "i", "aud": ["a", "b"], "iat": NOW, "exp": NOW + 60}
    assert claims_of(signer.sign({})) == added
    assert claims_of(signer.sign({"sub": "1"})) == {"sub": "1", **added}
    own = {"iss": "x", "aud": "y", "iat": 1, "exp": 2}
    assert claims_of(signer.sign(own)) == own
    assert claims_of(signer.sign({"exp": 5})) == {**added, "exp": 5}
    minute = Signer(KEY, lifetime=timedelta(minutes=1), clock=lambda: NOW)
    assert claims_of(minute.sign({})) == {"iat": NOW, "exp": NOW + 60}
    assert claims_of(Signer(KEY, audience="a").sign({})) == {"aud": "a"}


def test_datetimes() -> None:
    utc = datetime(2030, 1, 1, tzinfo=UTC)
    seconds = int(utc.timestamp())
    east = utc.astimezone(timezone(timedelta(hours=5, minutes=30)))
    claims = {"exp": utc, "nbf": utc.replace(tzinfo=None), "iat": east, "sub": "1"}
    before = dict(claims)
    assert claims_of(Signer(KEY).sign(claims)) == {
        "exp": seconds,
        "nbf": seconds,
        "iat": seconds,
        "sub": "1",
    }
    assert claims == before
    for name in ("exp", "nbf", "iat"):
        for value in (True, "1", None, [1], {}, object()):
            with pytest.raises(TypeError, match=name):
                Signer(KEY).sign({name: value})
    with pytest.raises(TypeError):
        Signer(KEY).sign({"birthday": utc})


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


def test_subclasses_are_written_as_what_they_are() -> None:
    claims = {"a": Colour.RED, "b": Level.HIGH, "c": (1, "x"), Colour.RED: 1.0}
    assert claims_of(Signer(KEY).sign(claims)) == {
        "a": "red",
        "b": 3,
        "c": [1, "x"],
        "red": 1.0,
    }


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


HOLDS_ITSELF: dict[str, Any] = {}
HOLDS_ITSELF["a"] = [HOLDS_ITSELF]


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        (None, TypeError),
        ([], TypeError),
        ("{}", TypeError),
        ({1: 2}, TypeError),
        ({"a": {1: 2}}, TypeError),
        ({None: 1}, TypeError),
        ({"a": {1, 2}}, TypeError),
        ({"a": b"x"}, TypeError),
        ({"a": object()}, TypeError),
        ({"a": 1j}, TypeError),
        ({"a": float("nan")}, ValueError),
        ({"a": float("inf")}, ValueError),
        ({"a": ["x", -float("inf")]}, ValueError),
        ({"a": "\ud800"}, ValueError),
        ({"\udc00": 1}, ValueError),
        ({"a": 10**4300}, ValueError),
        (deep(33), ValueError),
        (HOLDS_ITSELF, ValueError),
    ],
)
def test_what_is_not_json(claims: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        Signer(KEY).sign(claims)
    assert type(caught.value) is error  # not UnicodeEncodeError, which holds the text


def test_the_limits_of_the_reader_are_those_of_the_writer() -> None:
    for claims in (deep(32), {"a": 10**4300 - 1}, {"a": -(10**4300) + 1}):
        assert verifier(max_bytes=10**5).verify(Signer(KEY).sign(claims)) == claims


def test_more_headers() -> None:
    signer = Signer(Key.from_secret(b"k" * 32, kid="k"))
    assert unverified_header(signer.sign({}, headers={"x": [1], "typ": "at+jwt"})) == {
        "alg": "HS256",
        "kid": "k",
        "typ": "at+jwt",
        "x": [1],
    }
    assert unverified_header(signer.sign({}, headers={"typ": None})) == {
        "alg": "HS256",
        "kid": "k",
    }
    same = {"alg": "HS256", "kid": "k"}
    assert unverified_header(signer.sign({}, headers=same))["alg"] == "HS256"
    assert unverified_header(signer.sign({}, headers=None)) == {**same, "typ": "JWT"}
    given = {"kid": "fresh"}
    assert unverified_header(Signer(KEY).sign({}, headers=given))["kid"] == "fresh"
    assert given == {"kid": "fresh"}


@pytest.mark.parametrize(
    "headers",
    [
        {"alg": "none"},
        {"alg": "HS512"},
        {"alg": None},
        {"kid": "other"},
        {"kid": 5},
        {"typ": 5},
        {"crit": ["x"], "x": 1},
        {"crit": []},
        {"b64": False},
        {"zip": "DEF"},
        {f"x{n}": n for n in range(64)},
    ],
    ids=repr,
)
def test_headers_that_a_verifier_would_refuse(headers: dict[str, Any]) -> None:
    key = Key.from_secret(b"k" * 32, kid="k")
    with pytest.raises(ValueError, match="header"):
        Signer(key).sign({}, headers=headers)
    with pytest.raises(ValueError, match="header"):
        jws.sign(b"", key, headers=headers)


def test_wrong_calls() -> None:
    for arguments in ((), ({}, {}), ({}, None, None)):
        with pytest.raises(TypeError):
            Signer(KEY).sign(*arguments)
    with pytest.raises(TypeError):
        Signer(KEY).sign({}, header={})  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Signer(KEY).sign({}, headers=[1])  # type: ignore[arg-type]
    for options in (
        {"lifetime": -1},
        {"lifetime": "x"},
        {"issuer": 5},
        {"audience": 5},
        {"audience": []},
        {"clock": 1},
    ):
        with pytest.raises((ConfigurationError, TypeError)):
            Signer(KEY, **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Signer("secret")  # type: ignore[arg-type]


def test_any_payload() -> None:
    other = Key.generate("HS384")
    for payload in (b"", b"x", b"\0\xff" * 1000, b"." * 70_000):
        text = jws.sign(payload, KEY)
        assert jws.verify(text, KEY) == payload
        assert jws.verify(text.encode(), KeySet([other, KEY])) == payload
        with pytest.raises(TokenError):
            jws.verify(text, other)
    for wrong in ("text", bytearray(b"x"), None):
        with pytest.raises(TypeError):
            jws.sign(wrong, KEY)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        jws.verify(token({}), "secret")  # type: ignore[arg-type]
    with pytest.raises((InvalidKeyError, TypeError)):
        jws.sign(b"", KeySet([KEY]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"lifetime": 10**400},
        {"lifetime": 1e300},
        {"lifetime": 2**52 + 1},
        {"issuer": "\ud800"},
        {"audience": "\ud800"},
        {"audience": ["a", "\ud800"]},
    ],
    ids=ascii,
)
def test_what_no_verifier_would_take_is_refused_at_once(
    options: dict[str, Any],
) -> None:
    with pytest.raises(ConfigurationError):
        Signer(KEY, **options)
    longest = Signer(KEY, lifetime=2**52)
    assert verifier().verify(longest.sign({}))["exp"] > 2**52
