"""Strict base64url of any length: long texts take another way than short ones."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from random import Random
from string import ascii_letters, digits

import pytest

from fastbearer import FastbearerError, Key
from fastbearer._core import base64url_bytes as decode

ALPHABET = f"{ascii_letters}{digits}-_".encode()
LENGTHS = (4, 28, 32, 40, 44, 72, 108, 140)
"""Of what is decoded one by one, in a block, in several, and with a rest."""


def plain(length: int) -> bytes:
    """Return characters of the whole alphabet, in no order."""
    return bytes(Random(length).choices(ALPHABET, k=length))


@pytest.mark.parametrize("length", LENGTHS)
def test_no_other_byte_is_taken_anywhere(length: int) -> None:
    text = plain(length)
    taken = set()
    for place in range(length):
        for byte in range(256):
            try:
                decode(text[:place] + bytes([byte]) + text[place + 1 :])
            except FastbearerError:
                continue
            taken.add(byte)
    assert bytes(sorted(taken)) == bytes(sorted(ALPHABET))


@pytest.mark.parametrize("length", LENGTHS)
def test_every_character_has_its_value_everywhere(length: int) -> None:
    text = plain(length)
    for place in range(length):
        for byte in ALPHABET:
            changed = text[:place] + bytes([byte]) + text[place + 1 :]
            assert decode(changed) == urlsafe_b64decode(changed)


def test_every_length_is_written_and_read() -> None:
    random = Random(0)
    for length in range(32, 300):
        secret = random.randbytes(length)
        written = urlsafe_b64encode(secret).rstrip(b"=").decode()
        assert Key.from_secret(secret).to_jwk(private=True)["k"] == written
        assert decode(written) == secret


def test_every_byte_is_written_everywhere() -> None:
    for byte in range(256):
        for length in (32, 33, 34, 48, 96):
            secret = bytes([byte, 0xA5, 0x5A]) * length
            written = urlsafe_b64encode(secret).rstrip(b"=").decode()
            assert Key.from_secret(secret).to_jwk(private=True)["k"] == written
