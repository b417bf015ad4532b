"""HMAC tokens and password hashes, there and back with the usual libraries."""

from __future__ import annotations

from typing import Any

import argon2
import bcrypt
import jose.jwt
import joserfc.jwk
import joserfc.jwt
import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jws import JWSRegistry

from fastbearer import Key, PasswordHash, Signer, Verifier

SECRET = "0123456789abcdef" * 4
ALGORITHMS = ("HS256", "HS384", "HS512")

text = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | text,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3)
    ),
    max_leaves=8,
)
claims = st.dictionaries(text.map("x".__add__), values, max_size=5).map(
    lambda members: {**members, "exp": 2**33, "sub": "user"}
)


def keys(algorithm: str) -> tuple[Signer, Verifier]:
    key = Key.from_secret(SECRET, algorithm)
    return Signer(key), Verifier(key)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=40, deadline=None)
@given(payload=claims)
def test_python_jose(algorithm: str, payload: dict[str, Any]) -> None:
    signer, verifier = keys(algorithm)
    ours = signer.sign(payload)
    assert jose.jwt.decode(ours, SECRET, algorithms=[algorithm]) == payload
    theirs = jose.jwt.encode(payload, SECRET, algorithm=algorithm)
    assert verifier.verify(theirs) == payload


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=40, deadline=None)
@given(payload=claims)
def test_pyjwt(algorithm: str, payload: dict[str, Any]) -> None:
    signer, verifier = keys(algorithm)
    assert jwt.decode(signer.sign(payload), SECRET, algorithms=[algorithm]) == payload
    assert verifier.verify(jwt.encode(payload, SECRET, algorithm)) == payload


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=40, deadline=None)
@given(payload=claims)
def test_joserfc(algorithm: str, payload: dict[str, Any]) -> None:
    signer, verifier = keys(algorithm)
    key = joserfc.jwk.OctKey.import_key(SECRET)
    registry = JWSRegistry(algorithms=[algorithm])
    decoded = joserfc.jwt.decode(signer.sign(payload), key, registry=registry)
    assert decoded.claims == payload
    header = {"alg": algorithm}
    theirs = joserfc.jwt.encode(header, payload, key, registry=registry)
    assert verifier.verify(theirs) == payload


@pytest.mark.parametrize("secret", ["s" * 32, "s" * 64, "s" * 65, "s" * 300])
def test_secrets_on_both_sides_of_the_block(secret: str) -> None:
    key = Key.from_secret(secret)
    token = jwt.encode({"exp": 2**33}, secret, "HS256")
    assert Verifier(key).verify(token) == {"exp": 2**33}


passwords = st.text(st.characters(codec="utf-8"), max_size=40) | st.binary(max_size=40)


@settings(max_examples=30, deadline=None)
@given(password=passwords)
def test_argon2_cffi(password: str | bytes) -> None:
    theirs = argon2.PasswordHasher(time_cost=1, memory_cost=16, parallelism=2)
    ours = PasswordHash("argon2id", time_cost=1, memory_cost=16, parallelism=2)
    assert theirs.verify(ours.hash(password), password)
    stored = theirs.hash(password)
    assert ours.verify(password, stored)
    assert not ours.verify(b"other", stored)
    assert not ours.needs_rehash(stored)
    assert not theirs.check_needs_rehash(ours.hash(password))


@settings(max_examples=15, deadline=None)
@given(password=passwords.map(lambda p: p.encode() if isinstance(p, str) else p))
def test_bcrypt(password: bytes) -> None:
    password = password.replace(b"\0", b"")[:72]
    ours = PasswordHash("bcrypt", rounds=4)
    assert bcrypt.checkpw(password, ours.hash(password).encode())
    for prefix in (b"2a", b"2b"):
        stored = bcrypt.hashpw(password, bcrypt.gensalt(4, prefix))
        if prefix == b"2a" and b"\xff" in password:
            continue  # crypt_blowfish's safety measure: security facts on $2a$
        assert ours.verify(password, stored)
    assert ours.verify(password, stored.replace(b"$2b$", b"$2y$"))
    assert not ours.verify(password + b"x", stored) or len(password) == 72
