"""Verifying with any source of keys, and when it is asked again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fastbearer import (
    ConfigurationError,
    InvalidAlgorithmError,
    InvalidSignatureError,
    Key,
    KeySet,
    KeySourceError,
    Signer,
    UnknownKeyError,
)
from fastbearer.jwks import DiscoveredKeys, JWKSClient, JWKSVerifier, KeySource
from key_server import KeyServer, answer

RSA_KEY = Key.generate("RS256", kid="rsa")
ED_KEY = Key.generate("EdDSA", kid="ed")
RSA_FAMILY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


def without_alg(key: Key) -> dict[str, Any]:
    """Return a JWK as Entra and others publish it: RFC 7517 4.4 lets alg be absent."""
    entry = key.public().to_jwk()
    del entry["alg"]
    return entry


def signed(key: Key, alg: str | None = None, kid: str | None = None) -> str:
    """Return a token of a key, under another algorithm or key ID where told."""
    changes = {"alg": alg or key.algorithm} | ({} if kid is None else {"kid": kid})
    return Signer(Key.from_jwk(key.to_jwk(private=True) | changes), lifetime=600).sign(
        {"sub": "u1"}
    )


class Source:
    """A source of keys of somebody's own."""

    def __init__(self, *sets: KeySet | KeySourceError) -> None:
        self.sets = list(sets)
        self.asked: list[bool] = []

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        self.asked.append(unknown_kid)
        if unknown_kid and len(self.sets) > 1:
            del self.sets[0]
        found = self.sets[0]
        if isinstance(found, KeySourceError):
            raise found
        return found

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        return self.keys(unknown_kid=unknown_kid)


def in_a_thread(verifier: JWKSVerifier, token: str) -> dict[str, Any]:
    return verifier.verify(token)


def on_a_loop(verifier: JWKSVerifier, token: str) -> dict[str, Any]:
    return asyncio.run(verifier.averify(token))


Verify = Callable[[JWKSVerifier, str], dict[str, Any]]
both_ways = pytest.mark.parametrize("verify", [in_a_thread, on_a_loop])


# --- keys without alg --------------------


@pytest.fixture
def server() -> Iterator[KeyServer]:
    body = json.dumps({"keys": [without_alg(RSA_KEY), without_alg(ED_KEY)]})
    with KeyServer(answer(body.encode())) as server:
        yield server


@pytest.mark.http
@pytest.mark.parametrize("alg", RSA_FAMILY)
@both_ways
def test_a_key_without_alg_verifies_its_family(
    server: KeyServer, verify: Verify, alg: str
) -> None:
    token = signed(RSA_KEY, alg)
    assert verify(JWKSVerifier(server.url), token)["sub"] == "u1"
    assert verify(JWKSVerifier(server.url, algorithms=[alg]), token)["sub"] == "u1"
    assert verify(JWKSVerifier(server.url, algorithms=alg), token)["sub"] == "u1"
    others = [other for other in RSA_FAMILY if other != alg]
    with pytest.raises(InvalidAlgorithmError):
        verify(JWKSVerifier(server.url, algorithms=others), token)


@pytest.mark.http
@pytest.mark.parametrize("named", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_either_name_of_an_edwards_curve(
    server: KeyServer, named: str, alg: str
) -> None:
    """RFC 9864 gave the curves names of their own, which not all use yet."""
    token = signed(ED_KEY, alg)
    verifier = JWKSVerifier(server.url, algorithms=[named])
    assert verifier.verify(token)["sub"] == "u1"
    unknown = JWKSVerifier(
        Source(KeySet([RSA_KEY]), KeySet([ED_KEY])), algorithms=named
    )
    assert unknown.verify(token)["sub"] == "u1"


def test_algorithms_that_can_be_read_once(server: KeyServer) -> None:
    verifier = JWKSVerifier(
        server.url, algorithms=iter(["PS384"]), require=iter(["sub"])
    )
    assert verifier.verify(signed(RSA_KEY, "PS384"))
    with pytest.raises(InvalidAlgorithmError):
        verifier.verify(signed(RSA_KEY, "PS256"))


@pytest.mark.parametrize(
    "algorithms", ["HS256", ["HS256", "HS512"], [], ["none"], ["RS257"], [None]]
)
def test_algorithms_that_no_fetched_key_has(algorithms: Any) -> None:
    with pytest.raises((ConfigurationError, TypeError), match="algorithms"):
        JWKSVerifier("https://id.example/keys", algorithms=algorithms)


# --- when a source is asked again --------------------


@both_ways
def test_an_unknown_kid_of_an_allowed_algorithm(verify: Verify) -> None:
    source = Source(KeySet([ED_KEY]), KeySet([ED_KEY, RSA_KEY]))
    verifier = JWKSVerifier(source, algorithms=["RS256", "EdDSA"])
    assert verify(verifier, signed(RSA_KEY))["sub"] == "u1"
    assert source.asked == [False, True]


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (signed(RSA_KEY, "RS512", kid="x"), InvalidAlgorithmError),
        (signed(ED_KEY, kid="x"), InvalidAlgorithmError),
        (signed(Key.generate("HS256"), kid="x"), InvalidAlgorithmError),
        (signed(Key.generate("RS256")), InvalidSignatureError),
        (signed(Key.generate("RS256"), kid="rsa"), InvalidSignatureError),
    ],
)
@both_ways
def test_tokens_that_no_newer_key_could_make_good(
    verify: Verify, token: str, error: type[Exception]
) -> None:
    source = Source(KeySet([RSA_KEY]))
    with pytest.raises(error):
        verify(JWKSVerifier(source, algorithms=["RS256"]), token)
    assert source.asked == [False]


@both_ways
def test_none_of_the_keys_is_of_an_allowed_algorithm(verify: Verify) -> None:
    """Which is a refusal of the token, and never an InvalidKeyError."""
    verifier = JWKSVerifier(Source(KeySet([ED_KEY])), algorithms=["RS256"])
    with pytest.raises((InvalidAlgorithmError, UnknownKeyError)):
        verify(verifier, signed(RSA_KEY))


@both_ways
def test_a_source_that_fails_says_nothing_of_the_token(verify: Verify) -> None:
    away = KeySourceError("no keys: away", 7)
    with pytest.raises(KeySourceError, match="away"):
        verify(JWKSVerifier(Source(away)), signed(RSA_KEY))
    with pytest.raises(KeySourceError, match="away"):
        verify(JWKSVerifier(Source(KeySet([ED_KEY]), away)), signed(RSA_KEY))


# --- what a source is --------------------


def test_sources_of_ours_are_sources() -> None:
    assert isinstance(JWKSClient("https://id.example/keys"), KeySource)
    assert isinstance(DiscoveredKeys("https://id.example"), KeySource)
    assert isinstance(Source(), KeySource)


@pytest.mark.parametrize(
    "source", [None, 7, RSA_KEY, KeySet([RSA_KEY]), b"https://a.b"]
)
def test_what_is_no_source_is_said_at_the_start(source: Any) -> None:
    with pytest.raises(TypeError, match="source of keys"):
        JWKSVerifier(source)
