"""Keys of nobody: the same in every run, so that a call can be repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastbearer import Key

SECRET = "Xq7-secret-of-nobody-0123456789-abcdefghij-0123456789-ABCDEFGHIJ"
"""64 bytes: enough for each HMAC."""

JWKS: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("fixed_keys.json").read_text()
)
"""Private JWKs, by the name of the algorithm."""

KEYS = {name: Key.from_jwk(jwk) for name, jwk in JWKS.items()}
KEYS |= {name: Key.from_secret(SECRET, name) for name in ("HS256", "HS384", "HS512")}
NAMED = {name: Key.from_secret(SECRET, kid=name) for name in ("h", '\u00e9"\n', "")}
"""HS256 keys by their ids."""

ASYMMETRIC = tuple(JWKS)
PEMS = {name: KEYS[name].to_pem(private=True) for name in ASYMMETRIC}
PUBLIC_PEMS = {name: KEYS[name].to_pem() for name in ASYMMETRIC}
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "k")


def secrets_of(name: str) -> tuple[str, ...]:
    """Return what no error may show of a key."""
    if name not in JWKS:
        return (SECRET,)
    return tuple(JWKS[name][one] for one in PRIVATE_MEMBERS if one in JWKS[name])
