"""Bound tokens over real HTTP, with a client of npm and proofs made here."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Security, WebSocket
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.testclient import TestClient, WebSocketDenialResponse

from asgi import ASGIApp, running
from dpop_client import DPoPClient, dpop_client
from fastbearer import Key, Signer
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, BearerMiddleware, Settings, TokenUser
from fastbearer.fastapi.dpop import DPoP
from fastbearer.fastapi.replays import RedisReplays
from fastbearer.fastapi.resource import Resource
from fastbearer.issuers import Issuer
from fastbearer.revocation import MemoryRevocations
from fastbearer.testing import stopped_clock
from project import SECRET
from servers import redis

KEY = ECKey.generate_key("P-256")
BOUND = {"cnf": {"jkt": KEY.thumbprint()}}
OTHERS = [
    *({"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}},),
    *({"cnf": {"kid": "x"}}, {"cnf": {}}, {"cnf": None}, {"cnf": "x"}, {"cnf": []}),
]
NAMED = "https://a.example"
SIGNING, OTHER_KEY = Key.from_secret(SECRET), Key.generate("HS256")
ALGS = "ES256 ES384 ES512 EdDSA Ed25519 PS256 RS256"


def sign(**claims: Any) -> str:
    usual = {"sub": "u1", "exp": int(time.time()) + 600, "scope": "tasks:read"}
    return Signer(Key.from_secret(SECRET)).sign({**usual, **claims})


def proof(url: str, token: str, key: Any = KEY, **more: Any) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    payload = {
        "jti": base64.urlsafe_b64encode(hashlib.sha256(repr(more).encode()).digest())
        .decode()
        .rstrip("="),
        "htm": "GET",
        "htu": url,
        "iat": int(time.time()),
        "ath": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        **more,
    }
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, payload, key, algorithms=["ES256"])


def auth_with(**options: Any) -> Auth:
    return Auth(Settings(better_auth_secret=SECRET), **options)


def app_with(auth: Auth) -> FastAPI:
    app = FastAPI(lifespan=auth.lifespan)

    @app.api_route("/me", methods=["GET", "POST"])
    async def me(
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> TokenUser:
        return user

    @app.get("/maybe")
    async def maybe(
        user: Annotated[TokenUser | None, Depends(auth.optional_user)],
    ) -> TokenUser | None:
        return user

    @app.get("/write")
    async def write(
        user: Annotated[TokenUser, Security(auth.requires, scopes=["tasks:write"])],
    ) -> TokenUser:
        return user

    @app.websocket("/ws")
    async def talk(
        websocket: WebSocket,
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> None:
        await websocket.accept()
        await websocket.send_json(user)
        await websocket.close()

    return app


def middleware_app(auth: Auth) -> Any:
    app = FastAPI()
    app.add_middleware(BearerMiddleware, auth=auth)

    @app.get("/me")
    async def me() -> dict[str, str]:
        return {"user_id": "u1", "email": ""}

    return app


def get(client: TestClient, path: str, *headers: tuple[str, str]) -> httpx2.Response:
    return client.get(path, headers=list(headers))


def bearer(token: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {token}")


def dpop(token: str) -> tuple[str, str]:
    return ("Authorization", f"DPoP {token}")


def client_of(auth: Auth, make: Callable[[Auth], Any] = app_with) -> TestClient:
    return TestClient(make(auth), base_url="https://api.example.com")


URL = "https://api.example.com/me"
DOORS = {"dependency": app_with, "middleware": middleware_app}


@pytest.fixture(params=DOORS.values(), ids=DOORS)
def door(request: pytest.FixtureRequest) -> Callable[[Auth], Any]:
    found: Callable[[Auth], Any] = request.param
    return found


@pytest.mark.parametrize("claims", [BOUND, *OTHERS])
def test_a_bound_token_is_no_bearer_token(
    door: Callable[[Auth], Any], claims: dict[str, Any]
) -> None:
    client = client_of(auth_with(), door)
    refused = get(client, "/me", bearer(sign(**claims)))
    assert refused.status_code == 401
    challenge = refused.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="fastbearer", error="invalid_token"')
    assert "DPoP" not in challenge


@pytest.mark.parametrize("claims", [BOUND, *OTHERS])
@pytest.mark.parametrize(
    "issuers",
    [
        [Issuer(NAMED, keys=SIGNING), Issuer("https://b.example", keys=OTHER_KEY)],
        [Issuer(NAMED, keys=SIGNING, user_claim="uid")],
        [Issuer(NAMED, keys=SIGNING, require=["a.b"])],
    ],
    ids=["two", "another user_claim", "a path"],
)
@pytest.mark.parametrize("revocations", [None, MemoryRevocations()])
def test_nor_where_issuers_have_their_keys_at_hand(
    door: Callable[[Auth], Any],
    claims: dict[str, Any],
    issuers: list[Issuer],
    revocations: MemoryRevocations | None,
) -> None:
    usual = {"iss": NAMED, "uid": "u1", "a": {"b": 1}}
    auth = Auth(issuers=issuers, revocations=revocations)
    client = client_of(auth, door)
    good = get(client, "/me", bearer(sign(**usual)))
    assert good.status_code == 200
    assert get(client, "/me", bearer(sign(**usual, **claims))).status_code == 401


@pytest.mark.parametrize("claims", [BOUND, *OTHERS])
def test_bound_tokens_as_bearer_tokens_where_that_is_said(
    claims: dict[str, Any],
) -> None:
    for auth in (
        auth_with(bound_tokens="bearer"),
        Auth(Settings(better_auth_secret=SECRET, bound_tokens="bearer")),
    ):
        assert get(client_of(auth), "/me", bearer(sign(**claims))).status_code == 200


def test_the_scheme_dpop_means_nothing_without_dpop() -> None:
    token = sign(**BOUND)
    refused = get(
        client_of(auth_with()), "/me", dpop(token), ("DPoP", proof(URL, token))
    )
    assert refused.status_code == 401
    assert refused.json() == {"detail": "Not authenticated"}


@pytest.mark.parametrize("required", [False, True])
def test_a_bound_token_with_its_proof(
    door: Callable[[Auth], Any], *, required: bool
) -> None:
    client = client_of(auth_with(dpop=DPoP(required=required)), door)
    token = sign(**BOUND)
    answer = get(client, "/me", dpop(token), ("DPoP", proof(URL, token)))
    assert (answer.status_code, answer.json()["user_id"]) == (200, "u1")
    again = get(client, "/me", dpop(token), ("DPoP", proof(URL, token)))
    assert again.status_code == 401
    assert 'error="invalid_dpop_proof"' in again.headers["www-authenticate"]


def test_settings_ask_for_proofs() -> None:
    settings = Settings(better_auth_secret=SECRET, dpop="required")
    client = client_of(Auth(settings))
    token = sign(**BOUND)
    assert get(client, "/me", bearer(sign())).status_code == 401
    answer = get(client, "/me", dpop(token), ("DPoP", proof(URL, token)))
    assert answer.status_code == 200


def test_other_tokens_where_a_proof_is_optional() -> None:
    client = client_of(auth_with(dpop=DPoP()))
    assert get(client, "/me", bearer(sign())).status_code == 200
    nobody = get(client, "/me")
    assert nobody.headers["www-authenticate"] == (
        f'Bearer realm="fastbearer", DPoP realm="fastbearer", algs="{ALGS}"'
    )
    downgraded = get(client, "/me", bearer(sign(**BOUND)))
    assert downgraded.headers["www-authenticate"] == (
        'Bearer realm="fastbearer", error="invalid_token",'
        ' error_description="Invalid token",'
        f' DPoP realm="fastbearer", algs="{ALGS}"'
    )


def test_other_tokens_where_a_proof_is_required() -> None:
    client = client_of(auth_with(dpop=DPoP(required=True)))
    for headers in ([], [bearer(sign())], [bearer(sign(**BOUND))], [bearer("x")]):
        refused = get(client, "/me", *headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("DPoP ")
        assert "Bearer" not in refused.headers["www-authenticate"]


def test_a_token_that_is_bound_to_no_key_after_dpop() -> None:
    client, token = client_of(auth_with(dpop=DPoP())), sign()
    refused = get(client, "/me", dpop(token), ("DPoP", proof(URL, token)))
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == (
        'Bearer realm="fastbearer", DPoP realm="fastbearer", error="invalid_token",'
        f' error_description="Invalid token", algs="{ALGS}"'
    )


@pytest.mark.parametrize(
    "token", [sign(**BOUND, exp=1), sign(**BOUND) + "x", "x", "a.b.c", "x" * 20_000]
)
def test_a_bad_token_with_a_proof(token: str) -> None:
    client = client_of(auth_with(dpop=DPoP()))
    refused = get(client, "/me", dpop(token), ("DPoP", proof(URL, token)))
    assert refused.status_code == 401
    assert (
        'DPoP realm="fastbearer", error="invalid_token"'
        in (refused.headers["www-authenticate"])
    )


def test_two_credentials_at_once() -> None:
    client, token = client_of(auth_with(dpop=DPoP())), sign(**BOUND)
    refused = get(
        client, "/me", dpop(token), bearer(sign()), ("DPoP", proof(URL, token))
    )
    assert refused.status_code == 400


def test_two_proofs_at_once() -> None:
    client, token = client_of(auth_with(dpop=DPoP())), sign(**BOUND)
    proofs = [("DPoP", proof(URL, token, jti=name)) for name in ("a", "b")]
    assert get(client, "/me", dpop(token), *proofs).status_code == 401
    assert get(client, "/me", dpop(token)).status_code == 401


@pytest.mark.parametrize("scheme", ["dpop", "DPOP", "DPoP "])
def test_the_scheme_in_another_case(scheme: str) -> None:
    client, token = client_of(auth_with(dpop=DPoP())), sign(**BOUND)
    headers = (("Authorization", f"{scheme} {token}"), ("dpop", proof(URL, token)))
    assert get(client, "/me", *headers).status_code == 200


@pytest.mark.parametrize("value", ["DPoP", "DPoP ", "DPoPx y", "Basic eDp5"])
def test_no_token_after_the_scheme(value: str) -> None:
    client = client_of(auth_with(dpop=DPoP()))
    refused = get(client, "/me", ("Authorization", value), ("DPoP", "x"))
    assert refused.json() == {"detail": "Not authenticated"}
    assert get(client, "/maybe", ("Authorization", value)).json() is None


def test_the_optional_user_is_not_the_user_of_a_bad_proof() -> None:
    client, token = client_of(auth_with(dpop=DPoP())), sign(**BOUND)
    headers = dpop(token), ("DPoP", proof(URL, token))
    assert get(client, "/maybe", *headers).status_code == 401  # htu is /me
    assert get(client, "/maybe", bearer(token)).status_code == 401


def test_a_proven_token_that_lacks_a_scope() -> None:
    client, token = client_of(auth_with(dpop=DPoP())), sign(**BOUND)
    url = "https://api.example.com/write"
    refused = get(client, "/write", dpop(token), ("DPoP", proof(url, token)))
    assert refused.status_code == 403
    assert (
        'DPoP realm="fastbearer", error="insufficient_scope"'
        in (refused.headers["www-authenticate"])
    )


def test_a_websocket_with_a_proof() -> None:
    client, token = client_of(auth_with(dpop=DPoP())), sign(**BOUND)
    url = "https://api.example.com/ws"
    headers = dict((dpop(token), ("DPoP", proof(url, token))))
    with client.websocket_connect("wss://api.example.com/ws", headers=headers) as found:
        assert found.receive_json()["user_id"] == "u1"
    for again in (headers, dict((bearer(token),))):
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            client.websocket_connect("wss://api.example.com/ws", headers=again),
        ):
            pass
        assert refused.value.status_code == 401


def test_a_session_that_has_ended_is_ended_for_proven_tokens() -> None:
    settings = Settings(better_auth_secret=SECRET, revocation="memory")
    auth = Auth(settings, dpop=DPoP())
    client, token = client_of(auth), sign(**BOUND, jti="t1")
    first = get(client, "/me", dpop(token), ("DPoP", proof(URL, token, jti="a")))
    assert first.status_code == 200
    assert auth.revocations is not None
    asyncio.run(auth.revocations.revoke("t1", int(time.time()) + 600))
    ended = get(client, "/me", dpop(token), ("DPoP", proof(URL, token, jti="b")))
    assert ended.status_code == 401
    assert "revoked" in ended.json()["detail"]


def test_the_resource_s_own_url_is_what_is_signed() -> None:
    """Behind a proxy that hands on neither scheme nor host."""
    auth = auth_with(dpop=DPoP(), resource=Resource("https://api.example.com/mcp"))
    client = TestClient(app_with(auth), base_url="http://10.0.0.7:8000")
    token = sign(**BOUND, aud="https://api.example.com/mcp")
    answer = get(client, "/me", dpop(token), ("DPoP", proof(URL, token)))
    assert answer.status_code == 200
    other = proof("http://10.0.0.7:8000/me", token, jti="x")
    assert get(client, "/me", dpop(token), ("DPoP", other)).status_code == 401


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"bound_tokens": "bearer"}, {"dpop": DPoP()}),
        ({"dpop": "optional"}, {"bound_tokens": "bearer"}),
        ({"dpop": "optional"}, {"dpop": DPoP()}),
        ({"dpop": "required", "auth_cookie": True}, {}),
        ({"resource_url": "https://a.example"}, {"resource": Resource("https://b.c")}),
        ({"resource_url": "http://a.example"}, {}),
        ({"dpop": "optional", "dpop_base_url": "a.example"}, {}),
        ({"dpop": "optional", "dpop_nonce_secret": "short"}, {}),
    ],
)
def test_what_contradicts_itself_stops_the_start(
    settings: dict[str, Any], options: dict[str, Any]
) -> None:
    auth = Auth(Settings(better_auth_secret=SECRET, **settings), **options)
    with (
        pytest.raises(ConfigurationError),
        TestClient(FastAPI(lifespan=auth.lifespan)),
    ):
        pass
    with pytest.raises(ConfigurationError):
        get(client_of(auth), "/me", bearer(sign()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dpop_nonce_secret": "n" * 32},
        {"dpop_base_url": "https://a.example"},
        {"dpop_replays": "redis", "redis_url": "redis://localhost"},
        {"resource_scopes": "a b"},
        {"resource_name": "Tasks"},
        {"dpop": "maybe"},
        {"bound_tokens": "accept"},
    ],
)
def test_a_setting_that_would_be_ignored_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Settings(better_auth_secret=SECRET, **wrong)


def test_a_clock_that_stands_still() -> None:
    auth = auth_with(dpop=DPoP())
    with stopped_clock(1_800_000_000, auth=auth):
        client = client_of(auth)
        token = sign(**BOUND, exp=1_800_000_060)
        for iat, status in ((1_800_000_000, 200), (int(time.time()), 401)):
            header = ("DPoP", proof(URL, token, iat=iat))
            assert get(client, "/me", dpop(token), header).status_code == status


# --- a client of npm


@pytest.fixture(scope="module")
def node() -> Iterator[DPoPClient]:
    with dpop_client() as client:
        yield client


@pytest.mark.node
@pytest.mark.http
@pytest.mark.parametrize(
    "alg", ["ES256", "ES384", "ES512", "PS256", "RS256", "Ed25519"]
)
def test_a_client_of_npm(
    node: DPoPClient, serve: Callable[[ASGIApp], str], alg: str
) -> None:
    url = serve(app_with(auth_with(dpop=DPoP())))
    key = node.key(alg)
    token = sign(cnf={"jkt": key.thumbprint})
    for path in ("/me", "/me?a=b", "/maybe"):
        assert node.ask(url + path, token, key)["body"]["user_id"] == "u1"
    assert node.ask(f"{url}/me", token, key, "POST")["status"] == 200


@pytest.mark.node
@pytest.mark.http
def test_how_a_client_of_npm_reads_the_challenges(
    node: DPoPClient, serve: Callable[[ASGIApp], str]
) -> None:
    url = serve(app_with(auth_with(dpop=DPoP())))
    key, other = node.key("ES256"), node.key("ES256")
    token = sign(cnf={"jkt": key.thumbprint})
    as_bearer = node.ask(f"{url}/me", token, None)
    assert [one["scheme"] for one in as_bearer["challenges"]] == ["bearer", "dpop"]
    bearer_s, dpop_s = (one["parameters"] for one in as_bearer["challenges"])
    assert bearer_s["error"] == "invalid_token"
    assert "error" not in dpop_s and dpop_s["algs"] == ALGS
    stolen = node.ask(f"{url}/me", token, other)
    bearer_s, dpop_s = (one["parameters"] for one in stolen["challenges"])
    assert dpop_s["error"] == "invalid_token" and "error" not in bearer_s


@pytest.mark.node
@pytest.mark.http
def test_a_client_of_npm_is_asked_for_a_nonce(
    node: DPoPClient, serve: Callable[[ASGIApp], str]
) -> None:
    url = serve(app_with(auth_with(dpop=DPoP(required=True, nonce_secret="n" * 32))))
    key = node.key("ES256")
    token = sign(cnf={"jkt": key.thumbprint})
    assert [node.ask(f"{url}/me", token, key) for _ in range(2)] == [
        {"status": 200, "times": times, "body": {"user_id": "u1", "email": ""}}
        for times in (2, 1)
    ]


# --- several processes


@pytest.mark.redis
@pytest.mark.http
def test_a_proof_is_good_once_for_all_processes() -> None:
    settings = Settings(
        better_auth_secret=SECRET,
        dpop="required",
        dpop_replays="redis",
        dpop_base_url="https://api.example.com",
        redis_url=redis(),
    )
    token = sign(**BOUND)
    once = proof(URL, token, jti=f"{time.time_ns()}")
    headers = [dpop(token), ("DPoP", once)]
    with (
        running(app_with(Auth(settings))) as one,
        running(app_with(Auth(settings))) as two,
    ):
        statuses = [
            httpx2.get(f"{url}/me", headers=headers).status_code
            for url in (one, two, one)
        ]
    assert statuses == [200, 401, 401]


@pytest.mark.redis
def test_of_proofs_that_come_at_once_one_is_the_first() -> None:
    async def race() -> list[bool]:
        store = RedisReplays(redis())
        name, now = f"race-{time.time_ns()}", time.time()
        try:
            uses = (store.is_first_use(name, now, 60) for _ in range(20))
            return await asyncio.gather(*uses)
        finally:
            await store.aclose()

    assert sum(asyncio.run(race())) == 1


def test_a_redis_that_is_away_is_a_503() -> None:
    away = RedisReplays("redis://127.0.0.1:1/0")
    client = client_of(auth_with(dpop=DPoP(replays=away)))
    token = sign(**BOUND)
    answer = get(client, "/me", dpop(token), ("DPoP", proof(URL, token)))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


def test_nothing_of_token_or_proof_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    client, token = client_of(auth_with(dpop=DPoP())), sign(**BOUND)
    text = proof(URL, token, htm="PUT")
    get(client, "/me", dpop(token), ("DPoP", text))
    (line,) = [record.getMessage() for record in caplog.records]
    assert "invalid_proof" in line and "proof_htm" in line
    for secret in (*token.split("."), *text.split("."), json.dumps(BOUND)):
        assert secret not in line
