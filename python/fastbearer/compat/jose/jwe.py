"""Encrypted tokens (RFC 7516)."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from typing import Any

from fastbearer._core import aead_sizes, base64url_bytes, json_object
from fastbearer.compat.jose import constants, jwk
from fastbearer.compat.jose.backends import native
from fastbearer.compat.jose.backends._aes import ALTERED, AESKey
from fastbearer.compat.jose.backends.base import DIRKey
from fastbearer.compat.jose.constants import ALGORITHMS, ZIPS
from fastbearer.compat.jose.exceptions import JWEError, JWEParseError, JWKError
from fastbearer.compat.jose.utils import base64url_encode, ensure_binary
from fastbearer.errors import MalformedTokenError

__all__ = ["decrypt", "encrypt", "get_unverified_header"]

# zlib's names for its own frame, and for bare RFC 1951, which RFC 7516 4.1.3 wants.
FRAMED, RAW_DEFLATE = 15, -15
WRAPPERS = ALGORITHMS.AES_KW | ALGORITHMS.RSA_OAEP_ALL | {ALGORITHMS.DIR}


def encrypt(
    plaintext: str | bytes,
    key: Any,
    encryption: str = ALGORITHMS.A256GCM,
    algorithm: str = ALGORITHMS.DIR,
    zip: str | None = None,
    cty: str | None = None,
    kid: str | None = None,
) -> bytes:
    """Return an encrypted token.

    Args:
        plaintext: What to encrypt.
        key: A secret, PEM, JWK or Key for the algorithm.
        encryption: A*GCM or A*CBC-HS*.
        algorithm: ``dir``, A*KW or RSA-OAEP*.
        zip: ``DEF`` to compress it first.
        cty: For the header.
        kid: For the header.

    Raises:
        JWEError: An algorithm is not supported.
        JWKError: The key does not suit it.
    """
    text = ensure_binary(plaintext)
    _check(algorithm, encryption)
    header = {"alg": algorithm, "enc": encryption, "zip": zip, "cty": cty, "kid": kid}
    given = {name: value for name, value in header.items() if value}
    encoded = base64url_encode(
        json.dumps(given, separators=(",", ":"), sort_keys=True).encode()
    )
    wrapped, content_key = _content_key(key, algorithm, encryption)
    iv, cipher, tag = content_key.encrypt(_compressed(text, zip), encoded)
    parts = (wrapped, iv, cipher, tag)
    return b".".join([encoded, *map(base64url_encode, parts)])


def decrypt(jwe_str: str | bytes, key: Any) -> bytes:
    """Return the plaintext of an encrypted token.

    Args:
        jwe_str: The text.
        key: A secret, PEM, JWK or Key for its algorithm.

    Raises:
        JWEParseError: The text is not an encrypted token.
        JWEError: The text was altered, was encrypted with another key, or is too long.
    """
    size = len(jwe_str) if isinstance(jwe_str, (str, bytes)) else 0
    if size > constants.JWE_SIZE_LIMIT:
        raise JWEError(
            f"JWE string {size} bytes exceeds {constants.JWE_SIZE_LIMIT} bytes"
        )
    encoded, *rest = _segments(jwe_str)
    header = _header(encoded)
    try:
        wrapped, iv, cipher, tag = map(base64url_bytes, rest)
    except MalformedTokenError:
        raise JWEParseError("Invalid encrypted text: not base64url") from None
    try:
        algorithm, encryption = header["alg"], header["enc"]
    except KeyError:
        raise JWEParseError("alg and enc headers are required!") from None
    _check(algorithm, encryption)
    if "crit" in header:
        raise JWEError("Critical extensions are not supported")  # RFC 7516 4.1.13
    try:
        outer = jwk.construct(key, algorithm)
        if isinstance(outer, DIRKey):
            if wrapped:
                raise JWEError(ALTERED)  # RFC 7516 5.2, step 10
            content_key = AESKey(outer.secret, encryption)
        else:
            content_key = AESKey(outer.unwrap_key(wrapped), encryption)
    except (JWKError, TypeError) as error:
        raise JWEError(error) from None
    text = content_key.decrypt(cipher, iv, encoded, tag)
    return _decompressed(text, header.get("zip"))


def get_unverified_header(jwe_str: str | bytes) -> dict[str, Any]:
    """Return the header as anybody could have written it.

    Raises:
        JWEParseError: The text is not an encrypted token.
    """
    return _header(_segments(jwe_str)[0])


def _check(algorithm: Any, encryption: Any) -> None:
    for name, known in ((algorithm, WRAPPERS), (encryption, ALGORITHMS.AES_JWE_ENC)):
        if not isinstance(name, str) or name not in known:
            raise JWEError(f"Algorithm {name} not supported.")


def _content_key(key: Any, algorithm: str, encryption: str) -> tuple[bytes, AESKey]:
    outer = jwk.construct(key, algorithm)
    if isinstance(outer, DIRKey):
        return b"", AESKey(outer.secret, encryption)
    secret = native.get_random_bytes(aead_sizes(encryption)[0])
    return outer.wrap_key(secret), AESKey(secret, encryption)


def _segments(text: Any) -> list[bytes]:
    segments: list[bytes] = []
    with suppress(TypeError, ValueError):
        segments = ensure_binary(text).split(b".", 5)
    if len(segments) != 5:
        raise JWEParseError("Not enough segments")
    return segments


def _header(segment: bytes) -> dict[str, Any]:
    try:
        return json_object(base64url_bytes(segment))
    except MalformedTokenError as error:
        raise JWEParseError(f"Invalid header string: {error}") from None


def _compressed(text: bytes, zip: str | None) -> bytes:
    if zip not in ZIPS.SUPPORTED:
        raise NotImplementedError(f"ZIP {zip} is not supported!")
    if zip is None:
        return text
    return zlib.compress(text)  # with zlib's frame, as python-jose has it


def _decompressed(text: bytes, zip: Any) -> bytes:
    if zip is None:
        return text
    if zip != ZIPS.DEF:
        raise JWEError("Such a zip is not supported")
    for window in (FRAMED, RAW_DEFLATE):
        inflate = zlib.decompressobj(wbits=window)
        try:
            # A byte more tells a text that is too long from one that just fits.
            found = inflate.decompress(text, constants.JWE_SIZE_LIMIT + 1)
        except zlib.error:
            continue
        if len(found) > constants.JWE_SIZE_LIMIT:
            raise JWEError(
                f"Decompressed JWE string exceeds {constants.JWE_SIZE_LIMIT} bytes"
            )
        if inflate.eof and not inflate.unused_data:
            return found
    raise JWEError("The content is not compressed rightly")
