"""Session data that the server signs with a key agrees with its own claims."""

from __future__ import annotations

import json
from typing import Any

import pytest

from better_auth_samples import NOW, server
from fastbearer import Key, KeySet, TokenError, _core
from fastbearer.better_auth.session_data import DATA_BYTES_MAX

SIGNING = Key.generate("EdDSA", kid="k1")
KEYS = KeySet([SIGNING.public()])
TOKEN, DATE = "a" * 32, "2026-12-29T06:46:51.909Z"
SESSION = {"id": "s1", "token": TOKEN, "userId": "u1", "expiresAt": DATE}
USER = {"id": "u1", "name": "Ada", "email": "ada@example.com", "emailVerified": True}
CLAIMS: dict[str, Any] = {
    "session": SESSION | {"createdAt": DATE, "updatedAt": DATE},
    "user": USER | {"createdAt": DATE, "updatedAt": DATE, "image": None},
    "updatedAt": 1,
    "version": "1",
    "sid": TOKEN,
    "sub": "u1",
    "iss": "http://localhost:3000",
    "aud": "better-auth:session-cache",
    "exp": int(NOW) + 60,
}


def read(claims: dict[str, Any], typ: str = "better-auth.session-cache+jwt") -> Any:
    header = {"typ": typ, "kid": "k1"}
    value = _core.jws_sign(json.dumps(claims).encode(), SIGNING, header)
    return server(jwks=KEYS).read_session_data(value)


def without(name: str) -> dict[str, Any]:
    return {other: value for other, value in CLAIMS.items() if other != name}


def test_data_that_agrees_is_read() -> None:
    assert read(CLAIMS).user_id == "u1"


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        ({**CLAIMS, "sub": "u2"}, "sub"),
        ({**CLAIMS, "sub": None}, "sub"),
        (without("sub"), "sub"),
        ({**CLAIMS, "sid": "b" * 32}, "sid"),
        (without("sid"), "sid"),
        ({**CLAIMS, "user": {**CLAIMS["user"], "id": "u2"}}, "sub"),
        ({**CLAIMS, "user": ["u1"]}, "sub"),
        (without("user"), "sub"),
        ({**CLAIMS, "session": {**CLAIMS["session"], "token": "b" * 32}}, "sid"),
        ({**CLAIMS, "session": [TOKEN]}, "sid"),
        (without("session"), "sid"),
        (without("exp"), "exp"),
        ({**CLAIMS, "exp": True}, "exp"),
        ({**CLAIMS, "exp": NOW + 60.5}, "exp"),
        ({**CLAIMS, "iss": "http://localhost:3001"}, "iss"),
        ({**CLAIMS, "aud": "another"}, "aud"),
    ],
)
def test_data_that_disagrees_with_itself_is_refused(
    claims: dict[str, Any], claim: str
) -> None:
    with pytest.raises(TokenError) as caught:
        read(claims)
    assert getattr(caught.value, "claim", claim) == claim


def test_data_of_another_user_than_its_session_is_refused() -> None:
    session = {**CLAIMS["session"], "userId": "u2"}
    with pytest.raises(TokenError):
        read({**CLAIMS, "session": session})


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "better-auth.session+jwt"])
def test_another_type_of_token_is_no_session_data(typ: str) -> None:
    with pytest.raises(TokenError):
        read(CLAIMS, typ)


def test_data_beyond_reason_is_not_read() -> None:
    with pytest.raises(TokenError):
        read({**CLAIMS, "filling": "x" * DATA_BYTES_MAX})
