"""Samples of a real Better Auth server, under a clock that stands still.

They are those of ../shared/facts/better-auth.md, section 8, and are read from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from fastbearer.better_auth import BetterAuth
from fastbearer.errors import TokenError
from project import ROOT

FACTS = ROOT.parent / "shared" / "facts" / "better-auth.md"
SECRET = "q7Zt3xKp9LwVb2NfRd6HsJc8YmGa4TuE"
OTHER = "Vb8Rk2Wn5Xq9Ct3Ez7Gy1Hu6Jp4Ls0Mf"
NOW = 1795330013.0
PASSWORD = "P\u00e2ssw0rd-\u212b-\ufb01"
HASH = (
    "4d6eb9be45585b382bf3422c14bfe292:27feb418865551ef330656f9df93f7a3c8bebf84c6c16b4e"
    "56779aa10c3166982254e28d34754a2a97d6eb7f7d9add98e048a4712409ff0b76224eece273f77c"
)
PLAIN = "idPlQqUQEV5q1ELDLrcOE5ZhQ561mwrX.4XYWZ4%2Fdbw77ygclq7JZQ5r1EP%2FLTlG8YYBG0nGgVEA%3D"  # noqa: E501
TOKEN, SIGNATURE = unquote(PLAIN).split(".")
STRATEGIES = ["compact", "jwt", "jwe"]

needs_samples = pytest.mark.skipif(
    not FACTS.exists(), reason=f"NO SAMPLES: {FACTS.name} is not beside the project"
)


def sample(pattern: str) -> str:
    found = re.search(f"`({pattern}[^`\\s]*)`", FACTS.read_text())
    assert found is not None, pattern
    return found[1]


def server(**options: Any) -> BetterAuth:
    return BetterAuth(options.pop("secret", SECRET), clock=lambda: NOW, **options)


def paired(strategy: str) -> tuple[str, str]:
    """Return the signed session token and the session data of one run."""
    start = {
        "compact": "eyJzZXNzaW9uIjp7",
        "jwt": r"eyJhbGciOiJIUzI1NiJ9\.eyJzZXNz",
        "jwe": r"eyJhbGciOiJkaXIi",
    }[strategy]
    token = {"compact": "hPs09e2W", "jwt": "ZaFMQ8YP", "jwe": "tgYWITZk"}[strategy]
    found = re.search(f"{token}[A-Za-z0-9]{{24}}\\.[A-Za-z0-9%]+", FACTS.read_text())
    assert found is not None
    return found[0], sample(start)


JWT = {"EdDSA": "eyJhbGciOiJFZERTQSIsImtpZCI6IjBudW8", "ES256": "eyJhbGciOiJFUzI1NiIs"}


def issued(algorithm: str) -> tuple[str, str]:
    """Return a token of the plugin, and the keys."""
    keys = {"EdDSA": "EdDSA", "ES256": "ES256"}[algorithm]
    return sample(JWT[algorithm]), sample(f'{{"keys":\\[{{"alg":"{keys}"')


def big(characters: int) -> tuple[dict[str, Any], dict[str, Any]]:
    read = server().read_session_data(paired("compact")[1])
    return read.session, {**read.user, "about": "x" * characters}


def refused(call: Callable[[], Any]) -> type[Exception]:
    with pytest.raises(TokenError) as caught:
        call()
    assert SECRET not in str(caught.value)
    return caught.type
