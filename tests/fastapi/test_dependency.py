"""The dependencies in process: raw headers, identity, causes, log lines."""

import asyncio
import base64
import inspect
import json
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, FastAPI, HTTPException, WebSocket
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection
from starlette.testclient import WebSocketDenialResponse

import fastbearer.fastapi
from fastbearer.errors import (
    ConfigurationError,
    ExpiredTokenError,
    InvalidAlgorithmError,
    InvalidAudienceError,
    InvalidClaimError,
    InvalidIssuerError,
    MalformedTokenError,
    MissingClaimError,
    TokenError,
)
from fastbearer.fastapi import Auth, Settings, TokenUser
from fastbearer.fastapi.hint_places import filled
from fastbearer.fastapi.hints import HINTS, MISSING_CLAIMS, NOT_LISTED, OPAQUE
from project import ROOT, SECRET

DOCUMENT = ROOT / "docs" / "guide" / "fastapi.md"

auth = Auth(Settings(better_auth_secret=SECRET))
FLAVOURS = [
    auth.verify_jwt_token,
    auth.verify_user_id,
    auth.optional_user,
    auth.token_claims,
]


def sign(algorithm: str = "HS256", key: Any = SECRET, **claims: Any) -> str:
    payload = {"sub": "u1", "exp": int(time.time()) + 3600, **claims}
    present = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(present, key, algorithm)


def handmade(header: object) -> str:
    text = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{text}.e30.c2ln"


def connection(*values: bytes, name: bytes = b"authorization") -> HTTPConnection:
    headers = [(b"host", b"127.0.0.1"), *((name, value) for value in values)]
    return HTTPConnection(
        {"type": "http", "headers": headers, "path_params": {"user_id": "u1"}}
    )


def call(dependency: Any, *values: bytes) -> Any:
    return asyncio.run(dependency(connection(*values)))


def refused(dependency: Any, *values: bytes) -> HTTPException:
    with pytest.raises(HTTPException) as caught:
        call(dependency, *values)
    return caught.value


def bearer(token: str) -> bytes:
    return b"Bearer " + token.encode()


class FixedVerifier:
    def __init__(self, answer: dict[str, Any] | TokenError) -> None:
        self.answer = answer
        self.seen: list[str] = []

    def verify(self, token: str) -> dict[str, Any]:
        self.seen.append(token)
        if isinstance(self.answer, TokenError):
            raise self.answer
        return self.answer


# --- from the raw header to the token


@pytest.mark.parametrize(
    ("value", "token"),
    [
        (b"Bearer abc", "abc"),
        (b"bearer abc", "abc"),
        (b"BEARER abc", "abc"),
        (b"bEaReR    abc", "abc"),
        (b"Bearer a b", "a b"),
        (b"Bearer \xff\xfe", "\xff\xfe"),
        (b"Bearer \x00", "\x00"),
        (b"Bearer \ta", "\ta"),
        (b"Bearer a, Bearer b", "a, Bearer b"),
    ],
)
def test_the_verifier_gets_what_follows_the_scheme(value: bytes, token: str) -> None:
    verifier = FixedVerifier({"sub": "u1"})
    assert call(Auth(verifier=verifier).verify_jwt_token, value)["user_id"] == "u1"
    assert verifier.seen == [token]


NO_CREDENTIALS = [
    b"",
    b"Bearer",
    b"Bearer ",
    b"Bearer      ",
    b"Bearer\tabc",
    b"Bearerabc",
    b"Basic dTpw",
    b"abc",
    b" ",
    b"\x00Bearer abc",
    b"\xff",
]


@pytest.mark.parametrize("value", NO_CREDENTIALS)
def test_what_is_not_a_bearer_token_is_no_credentials(value: bytes) -> None:
    error = refused(auth.verify_jwt_token, value)
    assert (error.status_code, error.detail) == (401, "Not authenticated")
    assert error.headers == {"WWW-Authenticate": 'Bearer realm="fastbearer"'}
    assert call(auth.optional_user, value) is None


@given(st.lists(st.binary() | st.binary().map(b"Bearer ".__add__), max_size=3))
def test_no_header_makes_anything_but_a_refusal(values: list[bytes]) -> None:
    for dependency in FLAVOURS:
        try:
            assert call(dependency, *values) is None
        except HTTPException as error:
            assert error.status_code == (400 if len(values) > 1 else 401)  # noqa: PT017


@given(
    st.lists(
        st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()),
        max_size=5,
    )
)
def test_no_token_makes_anything_but_a_401(parts: list[str]) -> None:
    value = b"Bearer x" + ".".join(parts).encode("utf-8", "replace")
    for dependency in FLAVOURS:
        assert refused(dependency, value).detail == "Invalid token"


@pytest.mark.parametrize("dependency", FLAVOURS)
@pytest.mark.parametrize("second", [b"", b"Basic dTpw", bearer(sign())])
def test_two_headers_are_a_bad_request(dependency: Any, second: bytes) -> None:
    for values in ((bearer(sign()), second), (second, bearer(sign()))):
        error = refused(dependency, *values)
        assert error.status_code == 400
        assert error.detail == "More than one Authorization header"
        assert error.headers == {
            "WWW-Authenticate": 'Bearer realm="fastbearer", error="invalid_request", '
            'error_description="More than one Authorization header"'
        }


# --- from the claims to the user


@pytest.mark.parametrize(
    ("claims", "user"),
    [
        ({"sub": "u1", "email": "a@x"}, {"user_id": "u1", "email": "a@x"}),
        ({"sub": "u1", "user_id": "u2"}, {"user_id": "u1", "email": ""}),
        ({"user_id": "u2"}, {"user_id": "u2", "email": ""}),
        ({"sub": "", "user_id": "u2"}, {"user_id": "u2", "email": ""}),
        ({"sub": 1, "user_id": "u2"}, {"user_id": "u2", "email": ""}),
        ({"sub": "u1", "email": None}, {"user_id": "u1", "email": ""}),
        ({"sub": "u1", "email": ["a@x"]}, {"user_id": "u1", "email": ""}),
        ({"sub": "\x00é\n"}, {"user_id": "\x00é\n", "email": ""}),
    ],
)
def test_the_user_of_the_claims(claims: dict[str, Any], user: TokenUser) -> None:
    given_auth = Auth(verifier=FixedVerifier(claims))
    assert call(given_auth.verify_jwt_token, b"Bearer x") == user
    assert call(given_auth.optional_user, b"Bearer x") == user
    assert call(given_auth.token_claims, b"Bearer x") == claims


@pytest.mark.parametrize(
    "claims",
    [{}, {"sub": ""}, {"sub": None, "user_id": ""}, {"sub": 1}, {"user_id": ["u1"]}],
)
def test_a_token_without_a_user(claims: dict[str, Any]) -> None:
    is_there = any(claims.values())
    words = "user_id is not a string" if is_there else "missing user_id"
    given_auth = Auth(verifier=FixedVerifier(claims))
    for dependency in (
        given_auth.verify_jwt_token,
        given_auth.optional_user,
        given_auth.verify_user_id,
    ):
        error = refused(dependency, b"Bearer x")
        assert (error.status_code, error.detail) == (
            401,
            f"Invalid token: {words}",
        )
        kind = InvalidClaimError if is_there else MissingClaimError
        assert isinstance(error.__cause__, kind)
    assert call(given_auth.token_claims, b"Bearer x") == claims


def test_an_empty_path_parameter_is_nobodys() -> None:
    for user_id in ("u1", "None"):
        dependency = Auth(verifier=FixedVerifier({"sub": user_id})).verify_user_id
        conn = connection(b"Bearer x")
        conn.scope["path_params"] = {"user_id": ""}
        with pytest.raises(HTTPException) as caught:
            asyncio.run(dependency(conn))
        assert caught.value.status_code == 403


def test_a_converted_path_parameter_is_compared_by_its_text() -> None:
    dependency = Auth(verifier=FixedVerifier({"sub": "5"})).verify_user_id
    conn = connection(b"Bearer x")
    conn.scope["path_params"] = {"user_id": 5}
    assert asyncio.run(dependency(conn))["user_id"] == "5"


# --- causes and log lines


ALG = "invalid_algorithm: alg_not_keys"
JWT_PLUGIN = (
    f"{ALG}; alg is EdDSA, this verifier has only HS256; "
    "Better Auth's jwt() plugin? Set BETTER_AUTH_URL."
)
AUD = filled(HINTS["aud_unexpected"], auth)
LISTED = NOT_LISTED.format("JWT_ALGORITHMS")
ED25519 = Ed25519PrivateKey.generate()
REFUSED_TOKENS = [
    (sign(exp=1), ExpiredTokenError, "expired_token: exp_passed (exp)"),
    (
        sign(exp=None),
        MissingClaimError,
        f"missing_claim: claim_missing (exp); {MISSING_CLAIMS['exp']}",
    ),
    (
        sign(aud="other"),
        InvalidAudienceError,
        f"invalid_audience: aud_unexpected (aud); {AUD}",
    ),
    (
        "abc",
        MalformedTokenError,
        f"malformed_token: token_not_compact; {filled(OPAQUE, auth)}",
    ),
    (
        "x" * 1_000_000,
        MalformedTokenError,
        f"malformed_token: token_too_long; {filled(HINTS['token_too_long'], auth)}",
    ),
    (sign("EdDSA", ED25519), InvalidAlgorithmError, JWT_PLUGIN),
    (
        sign("HS512", SECRET * 2),
        InvalidAlgorithmError,
        f"{ALG}; alg is HS512, this verifier has only HS256; {LISTED}",
    ),
    (
        sign("none", None),
        InvalidAlgorithmError,
        f"{ALG}; alg is none: nothing signs such a token, and it is never accepted",
    ),
    (
        handmade({"alg": "HS256\n2026-01-01 ERROR forged line"}),
        InvalidAlgorithmError,
        f"{ALG}; {HINTS['alg_not_keys']}",
    ),
]


@pytest.mark.parametrize("dependency", FLAVOURS)
@pytest.mark.parametrize(("token", "cause", "line"), REFUSED_TOKENS)
def test_a_refusal_can_be_diagnosed(
    caplog: pytest.LogCaptureFixture,
    dependency: Any,
    token: str,
    cause: type[TokenError],
    line: str,
) -> None:
    error = refused(dependency, bearer(token))
    assert error.status_code == 401
    assert type(error.__cause__) is cause
    assert caplog.record_tuples == [
        ("fastbearer", logging.WARNING, f"token refused: {line}")
    ]


@pytest.mark.parametrize("alg", [None, 1, [], {}, ["HS256"], "\x1b[31m", "x" * 9000])
def test_no_header_value_reaches_the_log(
    caplog: pytest.LogCaptureFixture, alg: object
) -> None:
    refused(auth.verify_jwt_token, bearer(handmade({"alg": alg})))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages[0].removeprefix("token refused: ") in {
        f"{ALG}; {HINTS['alg_not_keys']}",
        "malformed_token: header_type",
    }


def test_the_log_names_a_missing_user(caplog: pytest.LogCaptureFixture) -> None:
    refused(auth.verify_jwt_token, bearer(sign(sub=None)))
    line = (
        "token refused: missing_claim: no_user (sub); the token names no user: set "
        "JWT_USER_CLAIM, or user_claim=... of the issuer, if another claim does"
    )
    assert caplog.messages == [line]


def test_good_tokens_and_requests_without_any_are_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    call(auth.verify_jwt_token, bearer(sign()))
    refused(auth.verify_jwt_token)
    assert call(auth.optional_user, b"Basic dTpw") is None
    assert caplog.messages == []


def test_a_custom_verifier_is_not_said_to_be_hs256(
    caplog: pytest.LogCaptureFixture,
) -> None:
    verifier = FixedVerifier(InvalidAlgorithmError("not this one"))
    dependency = Auth(verifier=verifier).verify_jwt_token
    refused(dependency, bearer(sign("HS512", SECRET * 2)))
    refused(dependency, b"Bearer not-a-jws")
    assert caplog.messages == [
        "token refused: invalid_algorithm; alg is HS512",
        "token refused: invalid_algorithm",
    ]


def test_each_refusal_is_an_exception_of_its_own() -> None:
    first = refused(auth.verify_jwt_token)
    assert refused(auth.verify_jwt_token) is not first


# --- identity, overrides, several configurations


@pytest.mark.parametrize("dependency", FLAVOURS)
def test_a_dependency_runs_on_the_event_loop(dependency: Any) -> None:
    assert inspect.iscoroutinefunction(dependency.__call__)


def test_dependencies_are_stable_and_hashable() -> None:
    assert auth.verify_jwt_token is auth.verify_jwt_token
    assert len({*FLAVOURS, *FLAVOURS}) == 4
    other = Auth(Settings(better_auth_secret=SECRET))
    assert other.verify_jwt_token != auth.verify_jwt_token


def test_the_module_names_are_those_of_the_default() -> None:
    default = fastbearer.fastapi.auth
    assert isinstance(default, Auth)
    assert fastbearer.fastapi.verify_jwt_token is default.verify_jwt_token
    assert fastbearer.fastapi.verify_user_id is default.verify_user_id
    assert fastbearer.fastapi.generate_jwt_token == default.generate_jwt_token


def test_a_dependency_can_be_overridden() -> None:
    app = FastAPI()

    @app.get("/me")
    async def me(user: Annotated[TokenUser, Depends(auth.verify_jwt_token)]) -> object:
        return user

    client = TestClient(app)
    assert client.get("/me").status_code == 401
    app.dependency_overrides[auth.verify_jwt_token] = lambda: {"user_id": "u9"}
    assert client.get("/me").json() == {"user_id": "u9"}
    app.dependency_overrides.clear()
    assert client.get("/me").status_code == 401


def test_several_configurations_live_side_by_side() -> None:
    one = Auth(Settings(better_auth_secret="1" * 32, jwt_issuer="one"))
    two = Auth(Settings(better_auth_secret="2" * 32, jwt_audience="two"))
    for mine, other in ((one, two), (two, one)):
        token = mine.generate_jwt_token("u1", "a@x")
        assert call(mine.verify_jwt_token, bearer(token))["user_id"] == "u1"
        assert refused(other.verify_jwt_token, bearer(token)).detail == "Invalid token"


def test_issuer_and_audience_are_checked() -> None:
    strict = Auth(
        Settings(better_auth_secret=SECRET, jwt_issuer="me", jwt_audience="tasks")
    )
    good = sign(iss="me", aud="tasks")
    assert call(strict.verify_jwt_token, bearer(good))["user_id"] == "u1"
    for token, cause in (
        (sign(aud="tasks"), TokenError),
        (sign(iss="you", aud="tasks"), InvalidIssuerError),
        (sign(iss="me"), TokenError),
        (sign(iss="me", aud="notes"), InvalidAudienceError),
    ):
        error = refused(strict.verify_jwt_token, bearer(token))
        assert error.detail == "Invalid token"
        assert isinstance(error.__cause__, cause)


def test_another_header() -> None:
    other = Auth(Settings(better_auth_secret=SECRET), header="X-Authorization")
    conn = connection(bearer(sign()), name=b"x-authorization")
    assert asyncio.run(other.verify_jwt_token(conn))["user_id"] == "u1"
    assert refused(other.verify_jwt_token, bearer(sign())).status_code == 401
    twice = connection(bearer(sign()), bearer(sign()), name=b"x-authorization")
    with pytest.raises(HTTPException, match="More than one X-Authorization header"):
        asyncio.run(other.verify_jwt_token(twice))


@pytest.mark.parametrize("header", ["", "a b", "a:", 'a"', "ä", "a\n", "a\x00"])
def test_what_is_not_a_header_name_is_refused(header: str) -> None:
    with pytest.raises(ConfigurationError, match="header"):
        Auth(header=header)


# --- signing


def claims_of(token: str, **options: Any) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, SECRET, ["HS256"], **options)
    return claims


def test_the_claims_of_a_signed_token() -> None:
    before = int(time.time())
    token = auth.generate_jwt_token("u1", "a@x")
    claims = claims_of(token)
    issued = claims.pop("iat")
    assert type(issued) is int
    assert before <= issued <= time.time()
    assert type(claims["exp"]) is int
    assert claims == {
        "sub": "u1",
        "user_id": "u1",
        "email": "a@x",
        "requestType": 0,  # no link of Better Auth's
        "exp": issued + 7 * 86400,
    }
    assert jwt.get_unverified_header(token)["alg"] == "HS256"


def test_issuer_and_audience_of_a_signed_token() -> None:
    settings = Settings(better_auth_secret=SECRET, jwt_issuer="i", jwt_audience="a")
    token = Auth(settings).generate_jwt_token("u1", "")
    claims = claims_of(token, issuer="i", audience="a")
    assert (claims["iss"], claims["aud"], claims["email"]) == ("i", "a", "")


@pytest.mark.parametrize(("days", "seconds"), [(0.5, 43200), (1e-9, 1), (36500, None)])
def test_the_lifetime_of_a_signed_token(days: float, seconds: int | None) -> None:
    given_auth = Auth(Settings(better_auth_secret=SECRET, jwt_expiration_days=days))
    claims = claims_of(given_auth.generate_jwt_token("u1", ""))
    expected = int(days * 86400) if seconds is None else seconds
    assert claims["exp"] - claims["iat"] == expected
    assert type(claims["exp"]) is int


@pytest.mark.parametrize(
    ("user_id", "email"), [("", ""), (None, ""), (1, ""), (b"u1", ""), ("u1", None)]
)
def test_a_token_needs_a_user(user_id: Any, email: Any) -> None:
    with pytest.raises(ValueError, match="must be a"):
        auth.generate_jwt_token(user_id, email)


# --- the environment


@pytest.fixture
def no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BETTER_AUTH_SECRET", raising=False)
    monkeypatch.delenv("AUTH_SECRET", raising=False)


async def start(given_auth: Auth) -> None:
    async with given_auth.lifespan(FastAPI()):
        pass


@pytest.mark.usefixtures("no_secret")
def test_a_missing_secret_stops_the_start() -> None:
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(start(Auth()))
    assert str(caught.value) == "BETTER_AUTH_SECRET environment variable is required"


@pytest.mark.usefixtures("no_secret")
def test_a_custom_verifier_needs_no_secret() -> None:
    asyncio.run(start(Auth(verifier=FixedVerifier({}))))


@pytest.mark.usefixtures("no_secret")
def test_the_environment_is_read_late_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lazy = Auth()
    assert refused(lazy.verify_jwt_token).status_code == 401
    with pytest.raises(ConfigurationError):
        call(lazy.verify_jwt_token, bearer(sign()))
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    assert call(lazy.verify_jwt_token, bearer(sign()))["user_id"] == "u1"
    monkeypatch.setenv("BETTER_AUTH_SECRET", "2" * 32)
    assert call(lazy.verify_jwt_token, bearer(sign()))["user_id"] == "u1"
    assert lazy.settings is lazy.settings


# --- WebSockets and the document


def websocket_app() -> FastAPI:
    app = FastAPI()

    @app.websocket("/ws/{user_id}")
    async def talk(
        websocket: WebSocket,
        user: Annotated[TokenUser, Depends(auth.verify_user_id)],
    ) -> None:
        await websocket.accept()
        await websocket.send_json(user)
        await websocket.close()

    return app


def test_a_websocket_has_a_user() -> None:
    headers = {"Authorization": f"Bearer {sign(email='a@x')}"}
    with TestClient(websocket_app()).websocket_connect("/ws/u1", headers=headers) as ws:
        assert ws.receive_json() == {"user_id": "u1", "email": "a@x"}


@pytest.mark.parametrize(
    ("path", "headers", "status", "detail"),
    [
        ("/ws/u1", {}, 401, "Not authenticated"),
        ("/ws/u1", {"Authorization": "Bearer x"}, 401, "Invalid token"),
        (
            "/ws/u2",
            {"Authorization": f"Bearer {sign()}"},
            403,
            "User ID mismatch: You can only access your own data",
        ),
    ],
)
def test_a_websocket_is_denied_before_it_is_accepted(
    path: str, headers: dict[str, str], status: int, detail: str
) -> None:
    client = TestClient(websocket_app())
    with pytest.raises(WebSocketDenialResponse) as caught:
        client.websocket_connect(path, headers=headers).__enter__()
    assert caught.value.status_code == status
    assert caught.value.json() == {"detail": detail}
    assert caught.value.headers["www-authenticate"].startswith("Bearer realm=")


def blocks() -> list[str]:
    parts = DOCUMENT.read_text().split("```python\n")[1:]
    return [part.split("```")[0] for part in parts]


@pytest.mark.parametrize("block", blocks())
def test_the_document_runs(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True)
