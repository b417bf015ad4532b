"""Signing out with tokens that are no JWTs, have no name, or say of no end."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from accounts_kit import CHEAP, bearer, url_of
from fastbearer import InvalidSignatureError, Key, Signer
from fastbearer.accounts import Accounts
from fastbearer.app import create_app
from fastbearer.fastapi import Auth, Settings
from fastbearer.revocation import revocation_id
from introspection_server import CLIENT_ID, CLIENT_SECRET
from project import SECRET

NOW = 1_900_000_000
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

TOKENS = [
    "one-text",
    "v4.local.b25l",  # PASETO: what stands before the second dot is the same for all
    "v2.public.b25l.Zm9v",
    "e30.e30.e30.e30.b25l",  # with the dots of an encrypted JWT
    ".b25l",
    "..b25l",
    "b25l..",
    "e30.b25l",
]


class FixedTokens:
    """A verifier of opaque tokens: token -> claims."""

    def __init__(self, tokens: dict[str, dict[str, Any]]) -> None:
        self.tokens = tokens

    def verify(self, token: str) -> dict[str, Any]:
        if token not in self.tokens:
            raise InvalidSignatureError("unknown")
        return dict(self.tokens[token])


def app_of(folder: Path, auth: Auth) -> FastAPI:
    return create_app(auth, accounts=Accounts(auth, hasher=CHEAP))


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(
        better_auth_secret=SECRET,
        database_url=url_of(folder / "a.db"),
        throttle=False,
        **more,
    )


# --- what a token is known by ---------------------------------------------------------


@pytest.mark.parametrize("token", TOKENS)
def test_the_tokens_of_two_users_have_two_names(token: str) -> None:
    other = token.replace("one", "two").replace("b25l", "dHdv")
    assert other != token
    assert revocation_id(token, {}) != revocation_id(other, {})


def test_a_second_signature_of_one_jwt_is_the_same_token() -> None:
    signer = Signer(Key.generate("ES256"))
    one, two = (signer.sign({"sub": "ada"}) for _ in range(2))
    assert one != two
    assert revocation_id(one, {}) == revocation_id(two, {})


def test_a_token_of_any_text_has_a_name() -> None:
    names = {revocation_id(one, {}) for one in ("\udc80", "ä", "€.€.€", "", ".")}
    assert len(names) == 5


@pytest.mark.parametrize("token", TOKENS)
def test_one_user_signs_out_and_another_stays(tmp_path: Path, token: str) -> None:
    other = token.replace("one", "two").replace("b25l", "dHdv")
    verifier = FixedTokens(
        {token: {"sub": "ada", "exp": NOW}, other: {"sub": "bob", "exp": NOW}}
    )
    auth = Auth(settings(tmp_path, revocation="memory"), verifier=verifier)
    with TestClient(app_of(tmp_path, auth)) as client:

        def status(user: str, token: str) -> int:
            return client.get(f"/{user}/tasks", headers=bearer(token)).status_code

        assert (status("ada", token), status("bob", other)) == (200, 200)
        ended = client.post("/api/auth/signout", headers=bearer(token))
        assert ended.status_code == 200
        assert (status("ada", token), status("bob", other)) == (401, 200)
