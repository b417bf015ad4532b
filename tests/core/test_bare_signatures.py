"""Bare signatures, beside those of tokens."""

from __future__ import annotations

from typing import Any

import pytest

from fastbearer import InvalidKeyError, Key
from fastbearer._core import algorithms, jws_sign, raw_sign, raw_verify


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", algorithms)
def test_a_signature_is_that_of_a_token(algorithm: str) -> None:
    key = Key.generate(algorithm)
    public = key if algorithm.startswith("HS") else key.public()
    signature = raw_sign(b"message", key)
    assert raw_verify(b"message", signature, public)
    assert not raw_verify(b"messagf", signature, public)
    for at in (0, len(signature) - 1):
        spoiled = bytearray(signature)
        spoiled[at] ^= 1
        assert not raw_verify(b"message", bytes(spoiled), public)
    for wrong in (b"", signature[:-1], signature + b"\0", b"\0" * len(signature)):
        assert not raw_verify(b"message", wrong, public)
    assert not raw_verify(b"message", b"x" * 100_000, public)
    text, _, _ = jws_sign(b"{}", key, None).rpartition(".")
    assert raw_verify(text.encode(), raw_sign(text.encode(), key), public)
    if public is not key:
        with pytest.raises((InvalidKeyError, ValueError)):
            raw_sign(b"message", public)


SECRET = Key.generate("HS256")


@pytest.mark.parametrize(
    "arguments", [(), (b"a",), ("a", SECRET), (b"a", "key"), (b"a", b"k", b"x")]
)
def test_signing_what_is_none(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        raw_sign(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [(), (b"a", b"b"), ("a", b"b", SECRET), (b"a", "b", SECRET), (b"a", b"b", "key")],
)
def test_verifying_what_is_none(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        raw_verify(*arguments)
