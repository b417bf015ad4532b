"""A link that Better Auth mails is nobody's credential, whatever names users.

No ``from __future__ import annotations``: FastAPI has to see local names.
"""

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, Security
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from fastbearer import Key, Signer
from fastbearer.fastapi import Auth, BearerMiddleware, Issuer, Settings
from fastbearer.mcp import TokenVerifier
from fastbearer.testing import bearer as bearer_of
from project import SECRET

EMAIL = "a@b.example"
DOORS = ("/user", f"/{EMAIL}/rows", "/maybe", "/scopes", "/claims", "/authenticate")
LINKS: list[dict[str, Any]] = [
    {"email": EMAIL},
    {"email": EMAIL, "updateTo": "new@b.example"},
    {"email": EMAIL, "updateTo": "n@b.example", "requestType": "change-email"},
    {"email": EMAIL, "userId": "u1"},
    {"email": EMAIL, "requestType": "email-verification", "scope": "x"},
]
NAMES = ["email", "userId", "updateTo", "requestType", "sub,email", "oid,email"]


def sign(claims: dict[str, Any], key: Key | None = None) -> dict[str, str]:
    text = Signer(key or Key.from_secret(SECRET), lifetime=3600).sign(claims)
    return {"Authorization": f"Bearer {text}"}


def auth_of(user_claim: str, **more: Any) -> Auth:
    return Auth(Settings(better_auth_secret=SECRET, jwt_user_claim=user_claim), **more)


def api(auth: Auth) -> TestClient:
    app = FastAPI()

    @app.get("/user")
    async def user(user: Annotated[Any, Depends(auth.verify_jwt_token)]) -> Any:
        return user

    @app.get("/{user_id}/rows")
    async def rows(user: Annotated[Any, Depends(auth.verify_user_id)]) -> Any:
        return user

    @app.get("/maybe")
    async def maybe(user: Annotated[Any, Depends(auth.optional_user)]) -> Any:
        return user

    @app.get("/scopes")
    async def scopes(user: Annotated[Any, Security(auth.requires, scopes=[])]) -> Any:
        return user

    @app.get("/claims")
    async def claims(found: Annotated[Any, Depends(auth.token_claims)]) -> Any:
        return found

    @app.get("/authenticate")
    async def authenticate(request: Request) -> Any:
        return (await auth.authenticate(request))["user_id"]

    return TestClient(app)


def wrapped(auth: Auth, **options: Any) -> TestClient:
    async def who(request: Any) -> JSONResponse:
        return JSONResponse(request.user["user_id"])

    return TestClient(
        Starlette(
            routes=[Route("/", who)],
            middleware=[Middleware(BearerMiddleware, auth=auth, **options)],
        )
    )


@pytest.mark.parametrize("user_claim", NAMES)
@pytest.mark.parametrize("link", LINKS)
def test_no_door_takes_a_link(user_claim: str, link: dict[str, Any]) -> None:
    auth = auth_of(user_claim)
    client, headers = api(auth), sign(link)
    assert {client.get(door, headers=headers).status_code for door in DOORS} == {401}
    for options in ({}, {"optional": True}):
        assert wrapped(auth, **options).get("/", headers=headers).status_code == 401
    text = headers["Authorization"].removeprefix("Bearer ")
    with pytest.raises(HTTPException):
        asyncio.run(auth.authenticate_token(text))
    assert asyncio.run(TokenVerifier(auth).verify_token(text)) is None


@pytest.mark.parametrize("user_claim", NAMES[:1] + NAMES[-2:])
def test_every_door_takes_our_own(user_claim: str) -> None:
    auth = auth_of(user_claim)
    headers = bearer_of(EMAIL, EMAIL, auth=auth)
    client = api(auth)
    assert {client.get(door, headers=headers).status_code for door in DOORS} == {200}
    assert wrapped(auth).get("/", headers=headers).json() == EMAIL


def test_what_a_link_never_has_names_a_user() -> None:
    client = api(auth_of("oid,email"))
    headers = sign({"oid": "u1", "email": EMAIL})
    assert client.get("/user", headers=headers).json()["user_id"] == "u1"


def test_an_issuer_that_names_users_by_their_email() -> None:
    """Its tokens have an iss, as no link has."""
    keys = Key.generate("ES256")
    issuer = Issuer("https://id.example", keys=keys, user_claim="email")
    client = api(auth_of("email", issuers=[issuer]))
    headers = sign({"iss": "https://id.example", "email": EMAIL}, keys)
    assert client.get("/user", headers=headers).json()["user_id"] == EMAIL
