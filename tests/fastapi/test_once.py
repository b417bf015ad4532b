"""A request is judged once, however many dependencies look at its credentials."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import BaseModel
from starlette.testclient import TestClient

from fastbearer import Key, Signer
from fastbearer.better_auth.api_keys import APIKey
from fastbearer.errors import (
    APIKeyPermissionError,
    InvalidAPIKeyError,
    InvalidProofError,
    StoreUnavailableError,
    TooManyAttemptsError,
)
from fastbearer.fastapi import (
    Auth,
    BearerMiddleware,
    Settings,
    TokenUser,
    better_auth_api_key,
)
from fastbearer.fastapi.dpop import DPoP, Proofs
from fastbearer.fastapi.once import once
from fastbearer.fastapi.strict_routes import StrictRoute
from project import SECRET

KEY = ECKey.generate_key("P-256")
BOUND = {"cnf": {"jkt": KEY.thumbprint()}}
ORIGIN = "https://api.example.com"
NOW = 1_800_000_000
TOKEN = "a.b.c"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def proof(url: str, token: str, **more: Any) -> str:
    payload = {
        "jti": "one",
        "htm": "GET",
        "htu": url,
        "iat": int(time.time()),
        "ath": b64(hashlib.sha256(token.encode()).digest()),
        **more,
    }
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)}
    return jwt.encode(header, payload, KEY, algorithms=["ES256"])


class Task(BaseModel):
    title: str


def app_with(auth: Auth) -> FastAPI:
    """Routes that ask more than once who it is."""
    app = FastAPI()
    user = Depends(auth.verify_jwt_token)
    reader = Security(auth.requires, scopes=["tasks:read"])
    writer = Security(auth.requires, scopes=["tasks:write"])

    @app.get("/u1/path", dependencies=[user])
    @app.get("/u1/claims", dependencies=[user, Depends(auth.token_claims)])
    @app.get("/u1/maybe", dependencies=[user, Depends(auth.optional_user)])
    @app.get("/u1/scope", dependencies=[user, reader])
    @app.get("/u1/scopes", dependencies=[reader, writer])
    async def _() -> dict[str, str]:
        return {"user_id": "u1"}

    @app.get("/{user_id}/own", dependencies=[user])
    async def _(found: Annotated[TokenUser, Depends(auth.verify_user_id)]) -> TokenUser:
        return found

    @app.get("/u1/by-hand", dependencies=[user])
    async def _(request: Request) -> dict[str, Any]:
        several = [auth.authenticate(request) for _ in range(3)]
        return dict((await asyncio.gather(*several))[0])

    strict = APIRouter(route_class=StrictRoute)

    @strict.post("/u1/tasks")
    async def _(
        task: Task, found: Annotated[TokenUser, Depends(auth.verify_jwt_token)]
    ) -> TokenUser:
        return found

    app.include_router(strict)
    return app


ROUTES = [
    *(("GET", f"/u1/{name}") for name in ("path", "claims", "maybe", "scope")),
    *(("GET", f"/u1/{name}") for name in ("scopes", "own", "by-hand")),
    ("POST", "/u1/tasks"),
]


@pytest.mark.parametrize("is_behind", [False, True], ids=["alone", "behind"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_one_proof_does_for_all_that_look_at_one_request(
    method: str, path: str, is_behind: bool
) -> None:
    auth = Auth(Settings(better_auth_secret=SECRET), dpop=DPoP(required=True))
    app: Any = app_with(auth)
    if is_behind:
        app = BearerMiddleware(app, auth=auth)
    claims = {"sub": "u1", "exp": int(time.time()) + 600, **BOUND}
    token = Signer(Key.from_secret(SECRET)).sign(
        {**claims, "scope": "tasks:read tasks:write"}
    )
    headers = {
        "Authorization": f"DPoP {token}",
        "DPoP": proof(ORIGIN + path, token, htm=method),
    }
    client = TestClient(app, base_url=ORIGIN)

    def ask() -> httpx2.Response:
        body = {"title": "x"} if method == "POST" else None
        return client.request(method, path, headers=headers, json=body)

    answer = ask()
    assert (answer.status_code, answer.json()["user_id"]) == (200, "u1")
    again = ask()
    assert again.status_code == 401
    assert "invalid_dpop_proof" in again.headers["www-authenticate"]


class Replays:
    """Counts, and lets others run before it answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def is_first_use(self, proof: str, now: float, seconds: int) -> bool:
        self.asked.append(proof)
        await asyncio.sleep(0)
        return self.asked.count(proof) == 1


def scope_of(text: str, path: str = "/tasks") -> dict[str, Any]:
    headers = [(b"host", b"api.example.com"), (b"dpop", text.encode())]
    return {
        "type": "http",
        "scheme": "https",
        "method": "GET",
        "headers": headers,
        "path": path,
    }


class Desk:
    """Judges a proof for ``/tasks`` that was made at ``NOW``."""

    def __init__(self) -> None:
        self.now = float(NOW)
        self.replays = Replays()
        self.proofs = self.another()
        self.scope = scope_of(proof(f"{ORIGIN}/tasks", TOKEN, iat=NOW))

    def another(self) -> Proofs:
        return Proofs(DPoP(replays=self.replays), clock=lambda: self.now)

    async def look(
        self, proofs: Proofs | None = None, scope: Any = None, **more: Any
    ) -> None:
        looking = proofs or self.proofs
        where = self.scope if scope is None else scope
        await looking.check(where, more.get("token", TOKEN), more.get("claims", BOUND))


def test_a_body_that_takes_its_time_does_not_make_a_proof_old() -> None:
    desk = Desk()
    asyncio.run(desk.look())
    desk.now += 3600
    asyncio.run(desk.look())
    assert len(desk.replays.asked) == 1


def test_those_who_look_at_once_wait_for_one_verdict() -> None:
    desk = Desk()

    async def several() -> None:
        await asyncio.gather(*(desk.look() for _ in range(5)))

    asyncio.run(several())
    assert len(desk.replays.asked) == 1


def test_another_request_with_the_same_proof_is_refused() -> None:
    desk = Desk()
    asyncio.run(desk.look())
    for _ in range(2):
        with pytest.raises(InvalidProofError, match="has been used"):
            asyncio.run(desk.look(scope=scope_of(desk.scope["headers"][1][1].decode())))
    with pytest.raises(InvalidProofError, match="has been used"):
        asyncio.run(desk.look(desk.another()))


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "DELETE"},
        {"path": "/admin"},
        {"headers": [(b"host", b"b.example"), None]},
    ],
    ids=str,
)
def test_a_verdict_opens_no_other_url(changed: dict[str, Any]) -> None:
    """Something in between may send one request to several places."""
    desk = Desk()
    asyncio.run(desk.look())
    if "headers" in changed:
        changed = {"headers": [changed["headers"][0], desk.scope["headers"][1]]}
    with pytest.raises(InvalidProofError, match=r"another (method|URL)"):
        asyncio.run(desk.look(scope={**desk.scope, **changed}))


def test_a_verdict_opens_nothing_for_another_token_or_key() -> None:
    desk = Desk()
    asyncio.run(desk.look())
    with pytest.raises(InvalidProofError, match="another token"):
        asyncio.run(desk.look(token="x.y.z"))
    other = {"cnf": {"jkt": ECKey.generate_key("P-256").thumbprint()}}
    with pytest.raises(Exception, match="bound to another key"):
        asyncio.run(desk.look(claims=other))
    with pytest.raises(Exception, match="bound to no key"):
        asyncio.run(desk.look(claims={}))


# --- API keys -----------------------------------------------------------------------


class Keys:
    """A store that counts what it is asked.

    Attributes:
        asked: The permissions of each question.
        failure: What it answers in place of a key.
    """

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[Mapping[str, Iterable[str]] | None] = []
        self.failure = failure

    async def verify(
        self,
        key: str,
        *,
        permissions: Mapping[str, Iterable[str]] | None = None,
        now: float | None = None,
    ) -> APIKey:
        self.asked.append(permissions)
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        may = {"files": frozenset(("read", "write"))}
        found = APIKey("k1", "u1", "user", "default", None, may, None)
        if permissions and not found.allows(permissions):
            raise APIKeyPermissionError("it does not allow this")
        return found


def keys_asked(store: Keys, *needed: dict[str, list[str]] | None) -> httpx2.Response:
    """Ask a route with a dependency for each of the permissions."""
    several = [better_auth_api_key(store, permissions=one) for one in needed]
    app = FastAPI()

    @app.get("/", dependencies=list(map(Depends, several)))
    async def _() -> None: ...

    return TestClient(app).get("/", headers={"x-api-key": "key"})


READ, WRITE, DROP = ({"files": [name]} for name in ("read", "write", "drop"))


def test_a_request_with_an_api_key_is_counted_once() -> None:
    store = Keys()
    assert keys_asked(store, None, WRITE, READ, None).status_code == 200
    assert len(store.asked) == 1


def test_each_dependency_asks_for_its_own_permissions() -> None:
    store = Keys()
    assert keys_asked(store, READ, DROP).status_code == 403
    assert keys_asked(store, DROP, READ).status_code == 403
    assert store.asked == [{"files": ("read",)}, {"files": ("drop",)}]


def test_keys_of_two_stores_are_two() -> None:
    first, second = Keys(), Keys()
    app = FastAPI()
    several = [Depends(better_auth_api_key(store)) for store in (first, second)]

    @app.get("/", dependencies=several)
    async def _() -> None: ...

    client = TestClient(app)
    for times in (1, 2):
        assert client.get("/", headers={"x-api-key": "key"}).status_code == 200
        assert len(first.asked) == len(second.asked) == times


REFUSALS: list[tuple[Exception, int]] = [
    (InvalidAPIKeyError("it is used up"), 1),
    (TooManyAttemptsError("it has reached its limit", 9), 1),
    # These have counted nothing, and the next may be told more.
    (APIKeyPermissionError("it does not allow this"), 2),
    (StoreUnavailableError("it is away"), 2),
]


@pytest.mark.parametrize(
    ("failure", "times"), REFUSALS, ids=lambda one: type(one).__name__
)
def test_a_refused_api_key_is_not_counted_again(failure: Exception, times: int) -> None:
    """A handler may catch what a dependency that it calls has raised."""
    store = Keys(failure)
    several = [better_auth_api_key(store), better_auth_api_key(store)]
    app = FastAPI()

    @app.get("/")
    async def _(request: Request) -> list[int]:
        statuses = []
        for one in several:
            try:
                await one(request)
            except HTTPException as refused:
                statuses.append(refused.status_code)
        return statuses

    answer = TestClient(app).get("/", headers={"x-api-key": "key"}).json()
    assert len(answer) == 2 and len(set(answer)) == 1
    assert len(store.asked) == times


# --- what is done once --------------------------------------------------------------


def test_what_was_not_finished_is_begun_again() -> None:
    """Whoever is cancelled, or fails, takes nobody along who waits."""
    begun: list[str] = []

    async def look(scope: dict[str, Any], name: str, gate: asyncio.Event) -> str:
        async def work() -> str:
            begun.append(name)
            await gate.wait()
            if name == "bad":
                raise ValueError(name)
            return name

        return await once(scope, "what", work)

    async def run() -> list[Any]:
        scope: dict[str, Any] = {}
        shut, opened = asyncio.Event(), asyncio.Event()
        opened.set()
        gone = asyncio.create_task(look(scope, "gone", shut))
        await asyncio.sleep(0)
        names = ("bad", "good", "late")
        others = [asyncio.create_task(look(scope, name, opened)) for name in names]
        await asyncio.sleep(0)
        gone.cancel()
        return await asyncio.gather(*others, return_exceptions=True)

    found = asyncio.run(run())
    assert isinstance(found[0], ValueError)
    assert found[1:] == ["good", "good"]
    assert begun == ["gone", "bad", "good"]
