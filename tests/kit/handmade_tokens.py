"""Tokens made by hand, with the standard library only."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from fastbearer import Key, Verifier
from project import SECRET

HEADER = {"alg": "HS256", "typ": "JWT"}
NOW = 1_000_000
KEY = Key.from_secret(SECRET)
DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(signing_input: str, secret: str = SECRET, digest: str = "sha256") -> str:
    """Return the signing input with its HMAC, whatever it is."""
    mac = hmac.digest(secret.encode(), signing_input.encode("latin-1"), digest)
    return f"{signing_input}.{b64(mac)}"


def raw_token(header: bytes, payload: bytes) -> str:
    """Return a rightly signed token of any two texts."""
    return signed(f"{b64(header)}.{b64(payload)}")


def token(claims: Any, header: Any = HEADER) -> str:
    return raw_token(json.dumps(header).encode(), json.dumps(claims).encode())


def verifier(**options: Any) -> Verifier:
    """Return a verifier whose clock stands at NOW, which asks for no claim."""
    return Verifier(KEY, **{"require": (), "clock": lambda: NOW, **options})
