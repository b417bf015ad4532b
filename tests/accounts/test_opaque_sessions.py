"""Signing out with tokens that are no JWTs, have no name, or say of no end."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from accounts_kit import CHEAP, EMAIL, PASSWORD, bearer, url_of
from fastbearer import InvalidSignatureError, Key, Signer, Verifier
from fastbearer.accounts import Accounts
from fastbearer.accounts.sessions import NEVER
from fastbearer.app import create_app
from fastbearer.fastapi import Auth, Introspection, Issuer, Settings
from fastbearer.revocation import MemoryRevocations, revocation_id
from fastbearer.testing import FrozenClock
from introspection_server import CLIENT_ID, CLIENT_SECRET, IntrospectionServer
from project import SECRET
from servers import own_redis

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


class NotedRevocations(MemoryRevocations):
    """Notes until when something is remembered."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(clock)
        self.until: list[float] = []

    async def revoke(self, token_id: str, until: float) -> None:
        self.until.append(until)
        await super().revoke(token_id, until)

    async def end_session(self, session: str, until: float) -> None:
        self.until.append(until)
        await super().end_session(session, until)


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


# --- tokens without an end ------------------------------------------------------------


@contextmanager
def store_of(kind: str) -> Iterator[dict[str, Any]]:
    if kind != "redis":
        yield {"revocation": kind}
        return
    with own_redis() as server:
        yield {"revocation": kind, "redis_url": server.url}


@pytest.mark.parametrize("kind", ["memory", "database", "redis"])
@pytest.mark.parametrize(
    "more", [{}, {"sid": "s"}, {"exp": None}, {"exp": "soon"}, {"exp": 10.0**30}]
)
def test_a_token_without_an_end_is_signed_out(
    tmp_path: Path, kind: str, more: dict[str, Any]
) -> None:
    claims = {"sub": "ada", **more}
    auth_of = {"one": claims, "two": {**claims, "sid": "t"}, "three": claims}
    with store_of(kind) as chosen:
        auth = Auth(settings(tmp_path, **chosen), verifier=FixedTokens(auth_of))
        with TestClient(app_of(tmp_path, auth)) as client:

            def status(token: str) -> int:
                return client.get("/ada/tasks", headers=bearer(token)).status_code

            def end(route: str, token: str) -> int:
                path = f"/api/auth/{route}"
                return client.post(path, headers=bearer(token)).status_code

            assert status("one") == 200
            assert end("signout", "one") == 200
            assert (status("one"), status("two")) == (401, 200)
            assert end("signout-everywhere", "two") == 200
            assert (status("two"), status("three")) == (401, 401)


@pytest.mark.parametrize("session", [{}, {"sid": "s"}])
@pytest.mark.parametrize(
    ("exp", "least"),
    [
        ({}, NEVER),
        ({"exp": None}, NEVER),
        ({"exp": True}, NEVER),
        ({"exp": "1900000060"}, NEVER),
        ({"exp": math.nan}, NEVER),
        ({"exp": math.inf}, NEVER),
        ({"exp": 10**40}, NEVER),
        ({"exp": -1}, NEVER),
        # It was accepted all the same, and nobody knows for how long it will be.
        ({"exp": NOW - 5}, NEVER),
        ({"exp": NOW + 60}, NOW + 60),
        ({"exp": NOW + 60.5}, NOW + 60.5),
    ],
)
def test_what_has_ended_is_remembered_for_as_long_as_the_token_is_good(
    tmp_path: Path, exp: dict[str, Any], least: float, session: dict[str, Any]
) -> None:
    clock = FrozenClock(NOW)
    store = NotedRevocations(clock)
    auth = Auth(
        settings(tmp_path),
        verifier=FixedTokens({"one": {"sub": "ada", **exp, **session}}),
        revocations=store,
        clock=clock,
    )
    with TestClient(app_of(tmp_path, auth)) as client:
        ended = client.post("/api/auth/signout", headers=bearer("one"))
        assert ended.status_code == 200
    (until,) = store.until
    assert least <= until <= NEVER
    if least < NEVER:
        assert until < NOW + 40 * 86_400


def test_a_jwt_without_exp_ends_with_its_account(tmp_path: Path) -> None:
    verifier = Verifier(Key.from_secret(SECRET), require=())
    auth = Auth(settings(tmp_path, revocation="memory"), verifier=verifier)
    with TestClient(app_of(tmp_path, auth)) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        signed = client.post("/api/auth/signup", json=body).json()["data"]
        claims = {"sub": signed["user"]["id"], "email": EMAIL}
        token = Signer(Key.from_secret(SECRET)).sign(claims)
        path = f"/{claims['sub']}/tasks"
        assert client.get(path, headers=bearer(token)).status_code == 200
        gone = client.post(
            "/api/auth/delete-account",
            json={"password": PASSWORD},
            headers=bearer(token),
        )
        assert gone.status_code == 200
        assert client.get(path, headers=bearer(token)).status_code == 401


def test_introspected_tokens_without_exp_are_signed_out_one_by_one(
    tmp_path: Path,
) -> None:
    tokens = {"opaque-of-ada": {"sub": "ada"}, "opaque-of-bob": {"sub": "bob"}}
    with IntrospectionServer(tokens) as provider:
        issuer = Issuer(provider.issuer, introspect=Introspection(**CLIENT))
        auth = Auth(settings(tmp_path, revocation="memory"), issuers=[issuer])
        with TestClient(app_of(tmp_path, auth)) as client:

            def end(route: str, token: str) -> int:
                path = f"/api/auth/{route}"
                return client.post(path, headers=bearer(token)).status_code

            assert end("signout", "opaque-of-ada") == 200
            assert end("signout", "opaque-of-ada") == 401
            assert end("signout-everywhere", "opaque-of-bob") == 200
            assert end("signout-everywhere", "opaque-of-bob") == 401
