"""What is no key, in every type that JSON has, is refused with the originals' errors.

The originals let TypeError, AttributeError and their like escape, which no application
catches.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from compat_kit import encoded
from fastbearer import Key
from fastbearer.compat import jwt
from fastbearer.compat.jose import jwe, jws
from fastbearer.compat.jose import jwk as jose_jwk
from fastbearer.compat.jose import jwt as jose
from fastbearer.compat.jose.constants import ALGORITHMS
from fastbearer.compat.jose.exceptions import JOSEError, JWKError, JWTError
from fastbearer.compat.jwt.algorithms import get_default_algorithms

KEYS = {
    "RSA": Key.generate("RS256").to_jwk(private=True),
    "a public RSA": Key.generate("RS256").to_jwk(),
    "EC": Key.generate("ES256").to_jwk(private=True),
    "OKP": Key.generate("EdDSA").to_jwk(private=True),
    "oct": {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
}
MEMBERS = [
    *("kty", "alg", "kid", "use", "key_ops", "crv", "x", "y", "k", "x5c", "oth"),
    *("n", "e", "d", "p", "q", "dp", "dq", "qi"),
]
ODD: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "a number below zero": -1,
    "a long number": 10**4000,  # of the digits that JSON may have
    "a real number": 1.5,
    "infinity": float("inf"),
    "no text": "",
    "a lone surrogate": "\ud800",
    "NUL": "\0",
    "no base64url": "!",
    "no ASCII": "\u00e9",
    "base64url": "AQABAQAB",
    "none": "none",
    "dir": "dir",
    "a wrapping algorithm": "A128KW",
    "an algorithm": "RS256",
    "no list": [],
    "a list": ["RS256"],
    "a list of lists": [[]],
    "an empty object": {},
    "an object": {"a": 1},
}
GOOD = {**Key.generate("ES256").to_jwk(), "kid": "good"}
HEADERS = sorted(ALGORITHMS.SUPPORTED | {"none", "x"})
BY_PYJWT = {
    name: one for name, one in get_default_algorithms().items() if name != "none"
}


def token(header: dict[str, Any]) -> str:
    """Return a token that nobody has signed."""
    parts = (json.dumps(header), '{"sub":"a"}', "x")
    return b".".join(map(encoded, parts)).decode()


def sealed(algorithm: str) -> bytes:
    """Return an encrypted token that holds nothing."""
    head = json.dumps({"alg": algorithm, "enc": "A128GCM"})
    return encoded(head) + b".AAAA" * 4


odd = pytest.mark.parametrize("odd", ODD.values(), ids=ODD)


@odd
@pytest.mark.parametrize("kind", KEYS)
def test_an_odd_member_is_no_error_that_nobody_catches(kind: str, odd: Any) -> None:
    for name in MEMBERS:
        jwk = {**KEYS[kind], name: odd}
        with suppress(jwt.PyJWTError):
            jwt.PyJWK(jwk)
        assert jwt.PyJWKSet([jwk, GOOD])["good"].algorithm_name == "ES256"
        for algorithm in BY_PYJWT.values():
            with suppress(jwt.PyJWTError):
                algorithm.from_jwk(jwk)
        with suppress(JOSEError):
            jose_jwk.construct(jwk)
        for alg in HEADERS:
            with suppress(JOSEError):
                jose_jwk.construct(jwk, alg)


@odd
@pytest.mark.parametrize("alg", HEADERS)
def test_an_odd_key_is_no_error_that_nobody_catches(alg: str, odd: Any) -> None:
    for key in (odd, {"keys": odd}, {"keys": [odd]}, [odd], {"a": odd}):
        with suppress(JOSEError):
            jose.decode(token({"alg": alg}), key, None)
        with suppress(JOSEError):
            jws.verify(token({"alg": alg}), key, None)
        with suppress(JOSEError):
            jws.sign({}, key, algorithm=alg)
        with suppress(JOSEError):
            jwe.decrypt(sealed(alg), key)
        with suppress(JOSEError):
            jwe.encrypt("text", key, "A128GCM", alg)


@odd
def test_an_odd_set_is_no_error_that_nobody_catches(odd: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: jwt.PyJWK(odd),
        lambda: jwt.PyJWK(GOOD, odd),
        lambda: jwt.PyJWKSet(odd),
        lambda: jwt.PyJWKSet.from_dict(odd),
        lambda: jwt.PyJWKSet.from_dict({"keys": odd}),
    ]
    for call in calls:
        with suppress(jwt.PyJWTError):
            call()
    assert jwt.PyJWKSet([odd, GOOD])["good"].algorithm_name == "ES256"


@pytest.mark.parametrize("text", ["1", "[]", '"a"', "null", "{", "[" * 100_000])
def test_a_text_that_is_no_object(text: str) -> None:
    for read in (jwt.PyJWK.from_json, jwt.PyJWKSet.from_json):
        with pytest.raises((ValueError, jwt.PyJWTError)):
            read(text)


@pytest.mark.parametrize("name", ["alg", "kid", "typ", "cty", "crit", "b64"])
@pytest.mark.parametrize("odd", [one for one in ODD if one != "a long number"])
def test_an_odd_header_is_no_error_that_nobody_catches(name: str, odd: str) -> None:
    made = token({"alg": "HS256", name: ODD[odd]})
    with pytest.raises(jwt.PyJWTError):
        jwt.decode(made, "s" * 32, ["HS256"])
    with pytest.raises(JOSEError):
        jose.decode(made, "s" * 32, None)


@pytest.mark.parametrize("alg", ["dir", "A128KW", "A128GCM", "RSA-OAEP"])
def test_what_encrypts_signs_no_token(alg: str) -> None:
    jwk = Key.generate("RS256").to_jwk(private=True)
    for key in (jwk, {"keys": [jwk]}, json.dumps({"keys": [jwk]}), "k" * 16):
        with pytest.raises(JWTError, match=alg):
            jose.decode(token({"alg": alg}), key, None)
        with pytest.raises(JOSEError):
            jws.sign({}, key, algorithm=alg)


def test_an_algorithm_of_ones_own_may_have_any_name() -> None:
    class Own(jose_jwk.Key):
        def verify(self, msg: bytes, sig: bytes) -> bool:
            return sig == b"x"

    before = set(ALGORITHMS.SUPPORTED)
    try:
        jose_jwk.register_key("dir", Own)
        assert jose.decode(token({"alg": "dir"}), "key", None) == {"sub": "a"}
    finally:
        del ALGORITHMS.KEYS["dir"]
        ALGORITHMS.SUPPORTED.clear()
        ALGORITHMS.SUPPORTED.update(before)


@pytest.mark.parametrize("keys", ["secret", {"secret": "secret"}, 7, None])
def test_the_letters_of_a_text_are_no_keys(keys: Any) -> None:
    for letter in ("s", "secret", "7"):
        signed = jws.sign({"a": 1}, letter)
        for several in ({"keys": keys}, json.dumps({"keys": keys})):
            with pytest.raises(JWKError, match="list"):
                jws.verify(signed, several, "HS256")
