"""Samples of a real Better Auth server, under a clock that stands still.

``better_auth_samples.json`` has what our own runs of a pinned server gave; the users
in it are made up.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from fastbearer import Key, _core
from fastbearer.better_auth import BetterAuth
from fastbearer.errors import TokenError

SAMPLES: dict[str, Any] = json.loads(
    Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
)
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


def server(**options: Any) -> BetterAuth:
    return BetterAuth(options.pop("secret", SECRET), clock=lambda: NOW, **options)


def paired(strategy: str) -> tuple[str, str]:
    """Return the signed session token and the session data of one run."""
    run = SAMPLES["session_data"][strategy]
    return run["session_token"], run["session_data"]


def issued(algorithm: str) -> tuple[str, str]:
    """Return a token of the plugin ``jwt()``, and the text of its keys."""
    run = SAMPLES["tokens_of_the_jwt_plugin"][algorithm]
    return run["token"], run["jwks"]


def big(characters: int) -> tuple[dict[str, Any], dict[str, Any]]:
    read = server().read_session_data(paired("compact")[1])
    return read.session, {**read.user, "about": "x" * characters}


def refused(call: Callable[[], Any]) -> type[Exception]:
    with pytest.raises(TokenError) as caught:
        call()
    assert SECRET not in str(caught.value)
    return caught.type


# --- session data that says anything, rightly signed ---------------------------------


def enveloped(text: str) -> str:
    """Return compact session data whose signature is right, whatever it says."""
    inner, _, expires = text.rpartition(',"expiresAt":')
    message = inner.removeprefix('{"session":')[:-1] + f',"expiresAt":{expires}'
    mac = _core.raw_sign(message.encode(), Key.from_secret(SECRET))
    signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    whole = f'{inner},"expiresAt":{expires[:-1]},"signature":"{signature}"}}'
    return base64.urlsafe_b64encode(whole.encode()).rstrip(b"=").decode()


def compact(content: Any, expires: Any = 1795330400000) -> str:
    inner = json.dumps(content, separators=(",", ":"))
    return enveloped(f'{{"session":{inner},"expiresAt":{expires}}}')


def signed_data(claims: dict[str, Any], **headers: Any) -> str:
    key = Key.from_secret(SECRET)
    return _core.jws_sign(json.dumps(claims).encode(), key, headers or None)


def sealed_data(claims: dict[str, Any]) -> str:
    return _core.SessionSecret(SECRET).seal(json.dumps(claims).encode())
