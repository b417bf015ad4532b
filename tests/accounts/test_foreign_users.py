"""Users of an identity provider beside ours: an issuer and its subject name one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from accounts_kit import EMAIL, PASSWORD, bearer, make_service, token_of
from fastbearer import Key, Signer
from key_server import KeyServer, serving

KEY = Key.generate("ES256", kid="theirs")
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
