"""Users of an identity provider beside ours: an issuer and its subject name one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    bearer,
    make_service,
    token_of,
    url_of,
)
from fastbearer import Key, Signer
from fastbearer.accounts import Accounts
from fastbearer.app import create_app
from fastbearer.fastapi import Auth, CurrentUser, Issuer, Settings
from fastbearer.fastapi import auth as default_auth
from key_server import KeyServer, serving
from project import OTHER_SECRET, SECRET

KEY = Key.generate("ES256", kid="theirs")
SHARED = Key.from_secret(OTHER_SECRET)
ISSUER = "https://id.example"


@pytest.fixture
def provider() -> Iterator[KeyServer]:
    with KeyServer(serving(KEY)) as server:
        yield server


ANY = {"jwt_any_issuer": True}
SETTINGS = [
    pytest.param(ANY, None, id="no issuer is asked for, and none is named"),
    pytest.param(ANY, ISSUER, id="no issuer is asked for"),
    pytest.param({"jwt_issuer": ISSUER}, ISSUER, id="both have one issuer"),
    pytest.param({"better_auth_url": ""}, "", id="Better Auth without its database"),
]


@pytest.mark.parametrize(("settings", "issuer"), SETTINGS)
def test_the_subject_of_another_issuer_is_not_our_user(
    tmp_path: Path, provider: KeyServer, settings: dict[str, Any], issuer: str | None
) -> None:
    settings = dict(settings)
    audience = None
    if "better_auth_url" in settings:
        settings["better_auth_url"] = issuer = audience = provider.origin
    else:
        settings["jwks_url"] = provider.url
    app = make_service(tmp_path / "a.db", send=lambda message: None, **settings)
    with TestClient(app) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        signed = client.post("/api/auth/signup", json=body)
        user = signed.json()["data"]["user"]
        ours = bearer(token_of(signed))
        signer = Signer(KEY, issuer=issuer, audience=audience, lifetime=900)
        theirs = bearer(signer.sign({"sub": user["id"], "email": EMAIL}))

        def status(method: str, route: str, headers: dict[str, str]) -> int:
            given = {"password": PASSWORD, "current_password": PASSWORD}
            given["new_password"] = "another horse battery"
            body = None if method == "GET" else given
            return client.request(
                method, f"/api/auth/{route}", headers=headers, json=body
            ).status_code

        assert status("GET", "me", ours) == 200
        assert status("GET", "me", theirs) == 401
        for route in ("change-password", "delete-account", "request-verification"):
            assert status("POST", route, theirs) == 401, route
        # What they end, they end for themselves alone.
        assert status("POST", "signout-everywhere", theirs) == 200
        assert status("GET", "me", ours) == 200
        assert status("POST", "signout-everywhere", ours) == 200
        assert status("GET", "me", ours) == 401


FOREIGN = [
    pytest.param({}, "https://id.example", KEY, id="keys, and no issuer of ours"),
    pytest.param({"jwt_issuer": "me"}, "me", KEY, id="keys, and our own issuer"),
    pytest.param({"jwt_issuer": "me"}, None, KEY, id="keys, and no iss"),
    pytest.param({}, "https://id.example", SHARED, id="another secret"),
    pytest.param(
        {"jwt_issuer": "me"}, "", SHARED, id="another secret, and an empty iss"
    ),
    pytest.param({"jwt_issuer": "me"}, None, SHARED, id="another secret, and no iss"),
]


@pytest.mark.parametrize(("settings", "issuer", "key"), FOREIGN)
def test_a_foreign_issuer_ends_and_changes_nothing_of_ours(
    tmp_path: Path, settings: dict[str, Any], issuer: str | None, key: Key
) -> None:
    """Its sub, jti and sid may be those of our users, tokens and sessions."""
    # An empty iss is nobody's.
    foreign = Issuer(issuer or None, keys=key, ignore_audience=True)
    own = Settings(
        better_auth_secret=SECRET, database_url=url_of(tmp_path / "a.db"), **settings
    )
    auth = Auth(own, issuers=[foreign])
    accounts = Accounts(auth, hasher=CHEAP, send=lambda message: None)
    with TestClient(create_app(auth, accounts=accounts)) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        signed = client.post("/api/auth/signup", json=body)
        ours = token_of(signed)
        named = auth.verifier.verify(ours)
        claims = {one: named[one] for one in ("sub", "user_id", "email", "jti", "sid")}
        signer = Signer(key, issuer=issuer, lifetime=900)
        theirs = signer.sign({**claims, "gen": 0})

        def status(method: str, route: str, token: str) -> int:
            given = {"password": PASSWORD, "current_password": PASSWORD}
            given["new_password"] = "another horse battery"
            return client.request(
                method,
                f"/api/auth/{route}",
                headers=bearer(token),
                json=None if method == "GET" else given,
            ).status_code

        is_issued = issuer != ""
        assert auth.scope_of(ours, named) == ""
        assert status("GET", "me", ours) == 200
        assert status("GET", "me", theirs) == 401
        for route in ("change-password", "delete-account", "request-verification"):
            assert status("POST", route, theirs) == 401, route
        # What was signed out has ended, so the other way is another session's.
        others = signer.sign({"sub": claims["sub"], "jti": "1", "sid": "1"})
        for route, token in (("signout", theirs), ("signout-everywhere", others)):
            assert status("POST", route, token) == (200 if is_issued else 401)
            assert status("POST", route, token) == 401
            assert status("GET", "me", ours) == 200, route
        assert status("POST", "signout", ours) == 200
        assert status("GET", "me", ours) == 401


def test_a_user_with_another_name_is_ended_by_that_name(tmp_path: Path) -> None:
    """Where the users of an issuer have no sub, they do not end one another."""
    foreign = Issuer("https://id.example", keys=KEY, user_claim="oid")
    own = Settings(better_auth_secret=SECRET, database_url=url_of(tmp_path / "a.db"))
    auth = Auth(own, issuers=[foreign])
    accounts = Accounts(auth, hasher=CHEAP, send=lambda message: None)
    app = create_app(auth, accounts=accounts)

    @app.get("/whoami")
    async def whoami(user: CurrentUser) -> Any:
        return user

    app.dependency_overrides[default_auth.verify_jwt_token] = auth.verify_jwt_token
    with TestClient(app) as client:
        signer = Signer(KEY, issuer="https://id.example", lifetime=900)
        one, two = (signer.sign({"oid": name}) for name in ("one", "two"))

        def who(token: str) -> Any:
            return client.get("/whoami", headers=bearer(token)).json().get("user_id")

        assert (who(one), who(two)) == ("one", "two")
        ended = client.post("/api/auth/signout-everywhere", headers=bearer(one))
        assert ended.status_code == 200
        assert (who(one), who(two)) == (None, "two")
