"""Issuers that the code names, beside the secret of the settings."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from fastbearer import Key, Signer
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, Issuer, Settings
from project import OTHER_SECRET, ROOT, SECRET

PAGE = (ROOT / "docs" / "guide" / "fastapi.md").read_text()
SNIPPET = next(
    one.partition("```")[0] for one in PAGE.split("```python\n") if "jobs" in one
)
JOBS = "a secret of the batch jobs, 32 bytes"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_SECRET", *map(str.upper, Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


def token(secret: str, **more: Any) -> str:
    claims = {"sub": "u1", "exp": int(time.time()) + 60, **more}
    return Signer(Key.from_secret(secret)).sign(claims)


def statuses(auth: Auth, *tokens: str) -> list[int]:
    """Start an application, and return its answers."""
    app = FastAPI(lifespan=auth.lifespan)

    @app.get("/me", dependencies=[Depends(auth.verify_jwt_token)])
    async def me() -> str:
        return ""

    with TestClient(app) as client:
        sent = [{"Authorization": f"Bearer {one}"} for one in tokens]
        return [client.get("/me", headers=one).status_code for one in sent]


@pytest.mark.parametrize(
    ("environment", "own"),
    [
        ({}, None),
        ({"BETTER_AUTH_SECRET": SECRET}, {}),
        ({"BETTER_AUTH_SECRET": SECRET, "JWT_ISSUER": "me"}, {"iss": "me"}),
        ({"BETTER_AUTH_SECRETS": f"1:{SECRET}"}, {"iss": "whoever"}),
    ],
)
def test_the_snippet_beside_the_settings_secret(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], own: Any
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    exec(SNIPPET, names)
    jobs, ours = token(JOBS, iss="jobs"), token(SECRET, **(own or {}))
    swapped = token(JOBS), token(SECRET, iss="jobs"), token(JOBS, iss="me")
    found = statuses(names["auth"], jobs, ours, *swapped)
    assert found == [200, 401 if own is None else 200, 401, 401, 401]


def test_a_second_secret_without_a_name_stops_the_start() -> None:
    for second in (
        Issuer.secret(OTHER_SECRET),
        Issuer.secret(OTHER_SECRET, ("jobs", None)),
    ):
        auth = Auth(Settings(better_auth_secret=SECRET), issuers=[second])
        with pytest.raises(ConfigurationError, match=r"without iss.*\"name\""):
            statuses(auth)
    settings = Settings(better_auth_secret=SECRET, jwt_issuer="me")
    auth = Auth(settings, issuers=[Issuer.secret(OTHER_SECRET)])
    assert statuses(auth, token(SECRET, iss="me"), token(OTHER_SECRET)) == [200, 200]
