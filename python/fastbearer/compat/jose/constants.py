"""The names of algorithms (RFC 7518)."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

__all__ = ["ALGORITHMS", "ZIPS", "Algorithms", "Zips"]


class Algorithms:
    """Names, and sets of them."""

    NONE = "none"
    HS256, HS384, HS512 = "HS256", "HS384", "HS512"
    RS256, RS384, RS512 = "RS256", "RS384", "RS512"
    ES256, ES384, ES512 = "ES256", "ES384", "ES512"

    A128CBC_HS256 = "A128CBC-HS256"
    A192CBC_HS384 = "A192CBC-HS384"
    A256CBC_HS512 = "A256CBC-HS512"
    A128GCM, A192GCM, A256GCM = "A128GCM", "A192GCM", "A256GCM"
    A128CBC, A192CBC, A256CBC = "A128CBC", "A192CBC", "A256CBC"

    DIR = "dir"
    RSA1_5 = "RSA1_5"
    RSA_OAEP, RSA_OAEP_256 = "RSA-OAEP", "RSA-OAEP-256"
    A128KW, A192KW, A256KW = "A128KW", "A192KW", "A256KW"
    ECDH_ES = "ECDH-ES"
    ECDH_ES_A128KW = "ECDH-ES+A128KW"
    ECDH_ES_A192KW = "ECDH-ES+A192KW"
    ECDH_ES_A256KW = "ECDH-ES+A256KW"
    A128GCMKW, A192GCMKW, A256GCMKW = "A128GCMKW", "A192GCMKW", "A256GCMKW"
    PBES2_HS256_A128KW = "PBES2-HS256+A128KW"
    PBES2_HS384_A192KW = "PBES2-HS384+A192KW"
    PBES2_HS512_A256KW = "PBES2-HS512+A256KW"

    DEF = "DEF"

    HMAC: ClassVar[set[str]] = {HS256, HS384, HS512}
    RSA_DS: ClassVar[set[str]] = {RS256, RS384, RS512}
    RSA_KW: ClassVar[set[str]] = {RSA1_5, RSA_OAEP, RSA_OAEP_256}
    RSA: ClassVar[set[str]] = RSA_DS | RSA_KW
    EC_DS: ClassVar[set[str]] = {ES256, ES384, ES512}
    EC_KW: ClassVar[set[str]] = {
        ECDH_ES,
        ECDH_ES_A128KW,
        ECDH_ES_A192KW,
        ECDH_ES_A256KW,
    }
    EC: ClassVar[set[str]] = EC_DS | EC_KW
    AES_PSEUDO: ClassVar[set[str]] = {
        A128CBC,
        A192CBC,
        A256CBC,
        A128GCM,
        A192GCM,
        A256GCM,
    }
    AES_JWE_ENC: ClassVar[set[str]] = {
        A128CBC_HS256,
        A192CBC_HS384,
        A256CBC_HS512,
        A128GCM,
        A192GCM,
        A256GCM,
    }
    AES_ENC: ClassVar[set[str]] = AES_JWE_ENC | AES_PSEUDO
    AES_KW: ClassVar[set[str]] = {A128KW, A192KW, A256KW}
    AES: ClassVar[set[str]] = AES_ENC | AES_KW
    GCM: ClassVar[set[str]] = {A128GCM, A192GCM, A256GCM}

    RSA_OAEP_ALL: ClassVar[set[str]] = {RSA_OAEP, RSA_OAEP_256}
    SUPPORTED: ClassVar[set[str]] = (
        HMAC | RSA_DS | EC_DS | {DIR} | AES_JWE_ENC | RSA_OAEP_ALL | AES_KW
    )
    """All but RSA1_5, whose padding tells too much; `register_key` adds to it."""
    ENCRYPTING: ClassVar[set[str]] = {DIR} | AES_JWE_ENC | RSA_OAEP_ALL | AES_KW
    """Those of `SUPPORTED` that sign nothing."""

    HASHES: ClassVar[dict[str, Any]] = {
        **dict.fromkeys((HS256, RS256, ES256), hashlib.sha256),
        **dict.fromkeys((HS384, RS384, ES384), hashlib.sha384),
        **dict.fromkeys((HS512, RS512, ES512), hashlib.sha512),
    }

    KEYS: ClassVar[dict[str, Any]] = {}
    """What `register_key` has registered."""


ALGORITHMS = Algorithms()


class Zips:
    """Compression of encrypted tokens."""

    DEF = "DEF"
    NONE = None
    SUPPORTED: ClassVar[set[str | None]] = {DEF, NONE}


ZIPS = Zips()

JWE_SIZE_LIMIT = 250 * 1024
"""Bytes of an encrypted token, and of what is in it."""
