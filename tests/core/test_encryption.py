"""Content encryption and key wrapping, beside cryptography's and the RFCs'."""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64encode
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fastbearer import InvalidSignatureError, Key
from fastbearer._core import (
    aead_open,
    aead_seal,
    aead_sizes,
    aes_unwrap,
    aes_wrap,
    rsa_oaep_open,
    rsa_oaep_seal,
)
from fastbearer.errors import FastbearerError

SIZES = {
    "A128CBC-HS256": (32, 16),
    "A192CBC-HS384": (48, 16),
    "A256CBC-HS512": (64, 16),
    "A128GCM": (16, 12),
    "A192GCM": (24, 12),
    "A256GCM": (32, 12),
}
TEXTS = [b"", b"x", b"y" * 15, b"z" * 16, b"a" * 17, os.urandom(100_000)]


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_there_and_back(name: str, text: bytes) -> None:
    assert aead_sizes(name) == SIZES[name]
    key, iv = map(os.urandom, SIZES[name])
    cipher, tag = aead_seal(name, key, iv, b"aad", text)
    assert aead_open(name, key, iv, b"aad", cipher, tag) == text
    if name.endswith("GCM"):
        assert cipher + tag == AESGCM(key).encrypt(iv, text, b"aad")
    else:
        half = len(key) // 2
        message = b"aad" + iv + cipher + (24).to_bytes(8, "big")
        expected = hmac.digest(key[:half], message, f"sha{half * 16}")
        assert tag == expected[:half]


def altered(parts: list[bytes], number: int, at: int) -> list[bytes]:
    """Return the parts with one bit of one of them turned over."""
    part = parts[number]
    wrong = list(parts)
    wrong[number] = part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :]
    return wrong


@pytest.mark.parametrize("name", SIZES)
def test_what_was_altered(name: str) -> None:
    key, iv = map(os.urandom, SIZES[name])
    cipher, tag = aead_seal(name, key, iv, b"aad", b"text" * 9)
    right = [key, iv, b"aad", cipher, tag]
    of_mac = len(key) // 2 if "CBC" in name else len(key)
    for number, part in enumerate(right):
        for at in {0, (of_mac if part is key else len(part)) - 1}:
            with pytest.raises(InvalidSignatureError):
                aead_open(name, *altered(right, number, at))
    for tags in (b"", tag[:-1], tag + b"\0"):
        with pytest.raises(InvalidSignatureError):
            aead_open(name, key, iv, b"aad", cipher, tags)
    for texts in (b"", cipher[:-1], cipher + b"\0"):
        with pytest.raises(InvalidSignatureError):
            aead_open(name, key, iv, b"aad", texts, tag)


@pytest.mark.parametrize("name", [name for name in SIZES if "CBC" in name])
def test_another_key_of_the_cipher_alone_gives_another_text(name: str) -> None:
    """The MAC agrees (RFC 7518 5.2.2.1), and by chance the padding may as well."""
    key, iv = map(os.urandom, SIZES[name])
    cipher, tag = aead_seal(name, key, iv, b"aad", b"text" * 9)
    right = [key, iv, b"aad", cipher, tag]
    for at in range(len(key) // 2, len(key)):
        with suppress(InvalidSignatureError):
            assert aead_open(name, *altered(right, 0, at)) != b"text" * 9


@pytest.mark.parametrize("name", SIZES)
def test_wrong_sizes(name: str) -> None:
    key, iv = map(os.urandom, SIZES[name])
    for keys, ivs in ((key[:-1], iv), (key + b"a", iv), (key, iv[:-1]), (b"", b"")):
        with pytest.raises(ValueError, match="bytes"):
            aead_seal(name, keys, ivs, b"", b"")
        with pytest.raises(ValueError, match="bytes"):
            aead_open(name, keys, ivs, b"", b"", b"x" * 16)


def test_the_example_of_rfc_7516_b() -> None:
    """RFC 7516, appendix B: A128CBC-HS256."""
    key = bytes.fromhex(
        "04d31fc5549dfcfe0b649dfa3faa6ace6b7cd42d6f6b09dbc8b100f08f9c2ccf"
    )
    iv = bytes.fromhex("03163c0c2b4368696c6c69636f746865")
    aad = b"eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0"
    cipher, tag = aead_seal("A128CBC-HS256", key, iv, aad, b"Live long and prosper.")
    assert cipher.hex() == (
        "283953b577218594c6b9f31898e6064b81df7f13d252b7e6a821d7688f703866"
    )
    assert urlsafe_b64encode(tag) == b"U0m_YmjN04DJvceFICbCVQ=="


@pytest.mark.parametrize("kek_size", [16, 24, 32])
@pytest.mark.parametrize("size", [16, 24, 32, 64, 4096])
def test_keys_are_wrapped(kek_size: int, size: int) -> None:
    kek, key = os.urandom(kek_size), os.urandom(size)
    wrapped = aes_wrap(kek, key)
    assert wrapped == aes_key_wrap(kek, key)
    assert aes_unwrap(kek, wrapped) == aes_key_unwrap(kek, wrapped) == key
    if size < 4096:
        for at in range(len(wrapped)):
            spoiled = bytearray(wrapped)
            spoiled[at] ^= 128
            with pytest.raises(InvalidSignatureError):
                aes_unwrap(kek, bytes(spoiled))


@pytest.mark.parametrize("kek", [b"", b"x" * 15, b"x" * 33])
@pytest.mark.parametrize("size", [0, 8, 15, 17, 4104, 100_000])
def test_what_cannot_be_wrapped(kek: bytes, size: int) -> None:
    for one in (kek, b"k" * 16):
        with pytest.raises(FastbearerError):
            aes_wrap(one, b"x" * size)
        with pytest.raises(FastbearerError):
            aes_unwrap(one, b"x" * size)


@pytest.mark.slow
@pytest.mark.parametrize("is_sha256", [False, True])
def test_rsa_oaep(is_sha256: bool) -> None:
    key = Key.generate("RS256")
    theirs: Any = load_pem_private_key(key.to_pem(private=True).encode(), None)
    digest = SHA256() if is_sha256 else SHA1()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    for text in (b"", b"x", b"k" * 64):
        sealed = rsa_oaep_seal(key.public(), is_sha256, text)
        assert theirs.decrypt(sealed, oaep) == text
        opened = theirs.public_key().encrypt(text, oaep)
        assert rsa_oaep_open(key, is_sha256, opened) == text
    while sealed[0] != 0:
        sealed = rsa_oaep_seal(key.public(), is_sha256, b"k" * 64)
    assert rsa_oaep_open(key, is_sha256, sealed) == b"k" * 64
    # RFC 8017 7.1.2: as long as the modulus, also where it begins with zeros
    for wrong in (b"", b"x", sealed[:-1], sealed + b"x", bytes(256), sealed[1:]):
        with pytest.raises(InvalidSignatureError):
            rsa_oaep_open(key, is_sha256, wrong)
    with pytest.raises(InvalidSignatureError):
        rsa_oaep_open(key, not is_sha256, sealed)
    with pytest.raises(FastbearerError):
        rsa_oaep_open(key.public(), is_sha256, sealed)
    with pytest.raises(FastbearerError):
        rsa_oaep_seal(key, is_sha256, b"x" * 300)


CALLS: list[tuple[Any, tuple[Any, ...]]] = [
    (aead_seal, ()),
    (aead_seal, ("A128GCM", "k", b"", b"", b"")),
    (aead_open, ("A128GCM", b"", b"", b"", b"", None)),
    (aes_wrap, (b"k" * 16,)),
    (aes_wrap, ("k", b"")),
    (rsa_oaep_seal, (Key.generate("HS256"), True, b"")),
    (rsa_oaep_seal, ("key", True, b"")),
    (rsa_oaep_open, (Key.generate("ES256"), True, b"")),
]


@pytest.mark.parametrize(("call", "arguments"), CALLS)
def test_wrong_arguments(call: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        call(*arguments)


@pytest.mark.parametrize("name", ["", "A128", "a128gcm", "A128GCM\0", 1, None])
def test_unknown_names(name: Any) -> None:
    with pytest.raises(ValueError, match="no such content encryption"):
        aead_sizes(name)
