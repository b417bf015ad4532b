"""A token with ``cnf`` is no bearer token, whatever verifies it, and at every door."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, WebSocket
from starlette.testclient import TestClient, WebSocketDenialResponse

from fastbearer import Key, KeySet, Signer, Verifier
from fastbearer.fastapi import (
    Auth,
    BearerMiddleware,
    Issuer,
    Settings,
    TokenUser,
)
from fastbearer.fastapi.dpop import DPoP
from fastbearer.issuers import IssuersVerifier
from fastbearer.issuers.binding import is_dpop
from fastbearer.mcp import TokenVerifier
from fastbearer.revocation import MemoryRevocations
from key_server import KeyServer, serving
from project import SECRET

ISSUER = "https://id.example"
KEY = Key.generate("ES256", kid="a")
BOUND = {"cnf": {"jkt": "x"}}
MARKS: list[dict[str, Any]] = [BOUND, {"typ": "DPoP"}, {"token_type": "dpop"}]
"""What says that a token is bound: RFC 7800 3.1, and the type of RFC 9449 5."""


def with_secret(**options: Any) -> dict[str, Any]:
    return {"settings": Settings(better_auth_secret=SECRET, **options)}


def of_keys(keys: Any = None, **options: Any) -> Issuer:
    return Issuer(ISSUER, keys=keys or KEY.public(), **options)


WAYS: dict[str, Callable[[KeyServer], dict[str, Any]]] = {
    "the secret": lambda _: with_secret(),
    "another user claim": lambda _: with_secret(jwt_user_claim="sub"),
    "roles": lambda _: with_secret(jwt_role_claims="roles"),
    "a claim that is required": lambda _: with_secret(jwt_required='{"sub": "u1"}'),
    "a key": lambda _: {"issuers": [of_keys()]},
    "a key set": lambda _: {"issuers": [of_keys(KeySet([KEY.public()]))]},
    "two issuers": lambda _: {
        "issuers": [of_keys(), Issuer("https://b", keys=KEY.public())]
    },
    "beside the secret": lambda _: {**with_secret(), "issuers": [of_keys()]},
    "keys from a URL": lambda server: {"issuers": [of_keys(server.url)]},
    "a verifier": lambda _: {"verifier": Verifier(KEY.public(), issuer=ISSUER)},
    "the verifier of issuers": lambda _: {"verifier": IssuersVerifier([of_keys()])},
}
FURTHER: dict[str, Callable[[], dict[str, Any]]] = {
    "alone": dict,
    "with revocations": lambda: {"revocations": MemoryRevocations()},
    "where proofs are optional": lambda: {"dpop": DPoP()},
}


@pytest.fixture(scope="module")
def server() -> Iterator[KeyServer]:
    with KeyServer(serving(KEY)) as running:
        yield running


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, server: KeyServer) -> dict[str, Any]:
    return WAYS[request.param](server)


@pytest.fixture(params=FURTHER)
def auth(way: dict[str, Any], request: pytest.FixtureRequest) -> Auth:
    return Auth(**way, **FURTHER[request.param](), cookies=["token"])


def token_for(auth: Auth, way: dict[str, Any], **claims: Any) -> str:
    is_secret = "settings" in way and "issuers" not in way
    key = Key.from_secret(SECRET) if is_secret else KEY
    names = {} if is_secret else {"iss": ISSUER}
    usual = {"sub": "u1", "exp": int(time.time()) + 600, **names}
    return Signer(key).sign({**usual, **claims})


def app_with(auth: Auth) -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    async def me(
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> TokenUser:
        return user

    @app.websocket("/ws")
    async def talk(
        websocket: WebSocket,
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> None:
        await websocket.accept()
        await websocket.send_json(user)

    return app


def doors(auth: Auth, token: str) -> dict[str, bool]:
    """Return whether each door opens."""
    bearer = {"Authorization": f"Bearer {token}"}
    client, behind = TestClient(app_with(auth)), FastAPI()
    behind.add_middleware(BearerMiddleware, auth=auth)

    @behind.get("/me")
    async def mine() -> dict[str, str]:
        return {}

    return {
        "a request": client.get("/me", headers=bearer).status_code == 200,
        "the middleware": TestClient(behind).get("/me", headers=bearer).status_code
        == 200,
        "a WebSocket": socket_opens(client, headers=bearer),
        "a subprotocol": socket_opens(client, subprotocols=["bearer", token]),
        "a cookie": has_user(client, f"token={token}"),
        "a cookie of two": has_user(client, f"token={token}; token=x.y.z"),
        "a token by itself": authenticates(auth, token),
        "a tool's server": asyncio.run(TokenVerifier(auth).verify_token(token))
        is not None,
    }


def has_user(client: TestClient, cookies: str) -> bool:
    return client.get("/me", headers={"Cookie": cookies}).status_code == 200


def socket_opens(client: TestClient, **options: Any) -> bool:
    with ExitStack() as stack:
        try:
            socket = stack.enter_context(client.websocket_connect("/ws", **options))
        except WebSocketDenialResponse:
            return False
        return socket.receive_json() is not None


def authenticates(auth: Auth, token: str) -> bool:
    try:
        asyncio.run(auth.authenticate_token(token))
    except HTTPException:
        return False
    return True


@pytest.mark.parametrize("mark", MARKS, ids=str)
def test_it_is_refused_at_every_door(
    auth: Auth, way: dict[str, Any], mark: dict[str, Any]
) -> None:
    unbound = token_for(auth, way, typ="Bearer", token_type="Bearer")
    assert set(doors(auth, unbound).values()) == {True}
    assert set(doors(auth, token_for(auth, way, **mark)).values()) == {False}


@pytest.mark.parametrize("name", ["token_type", "typ"])
@pytest.mark.parametrize("kind", ["DPoP", "dpop", "DPOP"])
def test_a_type_that_says_dpop(name: str, kind: str) -> None:
    assert is_dpop({name: kind})
    assert is_dpop({"token_type": "Bearer", "typ": "Bearer", name: kind})


@pytest.mark.parametrize("kind", ["Bearer", "", "DPoP ", None, 1, ["DPoP"]])
def test_a_type_that_does_not_say_dpop(kind: Any) -> None:
    assert not is_dpop({"token_type": kind, "typ": kind})
    assert not is_dpop({})
