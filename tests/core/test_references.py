"""The core lets go of what it was given, and of what it made of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from fastbearer import FastbearerError, Key, KeySet, Signer, Verifier, _core, jws
from project import SECRET
from sanitized import IS_SANITIZED

TIMES = 200
ROUNDS = 3
KEY = Key.from_secret(SECRET)
RSA, EC, ED = (Key.generate(name) for name in ("RS256", "ES256", "EdDSA"))
CLAIMS = {"sub": "u1", "exp": 4e9, "aud": ["a", "b"], "own": {"deep": ["x", 1.5, None]}}
TOKEN = Signer(KEY).sign(CLAIMS)
OF_FIVE = Signer(KEY, issuer="i", audience="a", lifetime=60, clock=lambda: 5).sign({})
VERIFIER = Verifier(KEY, audience="a", require=("sub", "own"))
HASH = _core.password_hash("pw", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l")
SESSIONS = _core.SessionSecret(SECRET)
SESSION = SESSIONS.sign_token("aB3" + "x" * 29)
HEADERS = [(b"authorization", b"Bearer abc"), [b"cookie", b"a.x=1; a.y=2; a.x=3"]]
SEALED = _core.aead_seal("A256GCM", b"k" * 32, b"i" * 12, b"aad", b"text")
HALF = TOKEN[: len(TOKEN) // 2]


class Name(str):
    """A name with a class of its own."""

    __slots__ = ()


def named(jwk: dict[str, Any]) -> dict[str, Any]:
    return {Name(name): value for name, value in jwk.items()}


def signer(key: Key, issuer: str, audience: list[str], clock: Any) -> str:
    """Make a signer, and let it go."""
    made = Signer(key, issuer=issuer, audience=audience, lifetime=60, clock=clock)
    return made.sign({})


def verifier(key: Key, issuer: str, audience: list[str], clock: Any) -> None:
    """Make a verifier that has remembered a token, and let it go."""
    made = Verifier(key, issuer=issuer, audience=audience, clock=clock, cache=4)
    made.verify(OF_FIVE)


CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "verify": (VERIFIER.verify, (TOKEN,)),
    "verify bytes": (VERIFIER.verify, (TOKEN.encode(),)),
    "verify all": (VERIFIER.verify_complete, (TOKEN,)),
    "verify half": (VERIFIER.verify, (HALF,)),
    "verify forged": (VERIFIER.verify, (TOKEN[:-2] + "AA",)),
    "verify nothing": (VERIFIER.verify, (b"\xff",)),
    "sign": (Signer(KEY, issuer="i", lifetime=60).sign, (CLAIMS,)),
    "sign with headers": (
        lambda claims, headers: Signer(KEY).sign(claims, headers=headers),
        (CLAIMS, {"typ": "at+jwt", "own": ["x"]}),
    ),
    "sign what cannot be": (Signer(KEY).sign, ({"own": object(), "sub": "u1"},)),
    "sign no date": (Signer(KEY).sign, ({"exp": "soon"},)),
    "signer": (signer, (KEY, Name("i"), [Name("a")], lambda: 5.0)),
    "verifier": (verifier, (KEY, Name("i"), [Name("a")], lambda: 5.0)),
    "jws": (jws.sign, (b"payload", KEY)),
    "jws verify": (jws.verify, (TOKEN, [KEY, RSA])),
    "header": (_core.unverified_header, (TOKEN,)),
    "issuer": (_core.unverified_issuer, (Signer(KEY, issuer="i").sign({}),)),
    "json": (_core.json_object, (json.dumps(CLAIMS),)),
    "json twice": (_core.json_object, ('{"a": 1, "a": 2}',)),
    "json secrets": (lambda text: _core.json_secrets(text, []), (json.dumps(CLAIMS),)),
    "json secrets twice": (
        lambda text: _core.json_secrets(text, []),
        ('{"a": "secret", "a": 2}',),
    ),
    "json wipe": (_core.json_wipe, ([{"a": "text"}, "text"],)),
    "jwk set text": (
        lambda text: KeySet.from_jwks(text, private=True),
        (json.dumps({"keys": [EC.to_jwk(private=True)]}),),
    ),
    "jwk text": (Key.from_jwk, (json.dumps(EC.to_jwk(private=True)),)),
    "jwk names": (Key.from_jwk, (named(EC.to_jwk()),)),
    "jwk alone": (_core.jwk_set_key, (ED.to_jwk(), True)),
    "jwk spoilt": (Key.from_jwk, ({**EC.to_jwk(), "x": "A"},)),
    "jwk set": (KeySet.from_jwks, ({"keys": [EC.to_jwk(), ED.to_jwk()]},)),
    "secret": (Key.from_secret, (SECRET,)),
    "secret that is short": (Key.from_secret, ("short",)),
    "pem": (Key.from_pem, (EC.to_pem(private=True),)),
    "pem spoilt": (Key.from_pem, (EC.to_pem()[:60],)),
    "bearer": (_core.bearer_token, (HEADERS, b"authorization")),
    "cookies": (_core.cookie_values, (HEADERS, b"a.")),
    "one cookie": (_core.cookie_values, (HEADERS, b"a.x", True)),
    "session": (SESSIONS.read_token, (SESSION,)),
    "session spoilt": (SESSIONS.read_token, (SESSION[:-3],)),
    "sealed session": (SESSIONS.open, (SESSIONS.seal(b'{"a": [1, "x"]}'),)),
    "misfit": (_core.session_misfit, ({"token": "x"}, {"id": "u1"}, False)),
    "seal": (_core.aead_seal, ("A256GCM", b"k" * 32, b"i" * 12, b"aad", b"text")),
    "open": (_core.aead_open, ("A256GCM", b"k" * 32, b"i" * 12, b"aad", *SEALED)),
    "password": (_core.password_verify, ("pw", HASH)),
    "password wrong": (_core.password_verify, ("no", HASH)),
    "password new": (_core.password_hash, ("pw", HASH)),
    "parts": (_core.password_parts, (HASH,)),
    "no hash": (_core.password_verify, ("pw", "$none$")),
    **{
        f"jwk {one.algorithm}": (Key.from_jwk, (one.to_jwk(),)) for one in (RSA, EC, ED)
    },
    **{f"private {one.algorithm}": (one.to_jwk, (True,)) for one in (KEY, EC, ED)},
    "thumbprint": (EC.thumbprint, ()),
}
"""What is done -> a call of the core, and its arguments."""


def everything_in(value: Any) -> Iterator[Any]:
    """Yield an object, and what it holds."""
    yield value
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from everything_in(one)


def counts(objects: list[Any]) -> list[int]:
    return [sys.getrefcount(each) for each in objects]


def grown(call: Callable[..., Any], args: tuple[Any, ...]) -> list[Any]:
    """Return what is held more often after many calls: arguments, or blocks.

    Python's own lists of blocks grow now and then, and what leaks grows each time.
    """
    for _ in range(ROUNDS):
        found = grown_once(call, args)
        if not found:
            break
    return found


def grown_once(call: Callable[..., Any], args: tuple[Any, ...]) -> list[Any]:
    def often() -> None:
        for _ in range(TIMES):
            with suppress(FastbearerError, TypeError, ValueError):
                call(*args)

    often()
    objects = [*everything_in(args)]
    blocks, before = sys.getallocatedblocks(), counts(objects)
    often()
    after, blocks = counts(objects), sys.getallocatedblocks() - blocks
    held = [
        each
        for each, old, new in zip(objects, before, after, strict=True)
        if new >= old + TIMES
    ]
    return [*held, *([f"{blocks} blocks"] if blocks >= TIMES else [])]


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_nothing_is_held(name: str) -> None:
    call, args = CALLS[name]
    assert grown(call, args) == []


def test_what_is_held_is_seen() -> None:
    kept: list[object] = []
    name = Name("x")
    assert grown(kept.append, ({name: 1},))


@pytest.mark.skipif(
    IS_SANITIZED, reason="Python counts no blocks where malloc() takes its place"
)
def test_blocks_that_are_held_are_seen() -> None:
    kept: list[object] = []
    assert grown(lambda: kept.append(bytes(9)), ()) != []
