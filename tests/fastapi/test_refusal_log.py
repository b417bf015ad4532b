"""What the log says of a refusal: one line, the cause, a hint, and nothing of a token.

No ``from __future__ import annotations``: FastAPI has to see local names.
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, FastAPI, Security, WebSocket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient, WebSocketDenialResponse

from fastbearer import Key, KeySet, Signer, Verifier, jws
from fastbearer.errors import (
    ClaimError,
    RevokedTokenError,
    TokenError,
)
from fastbearer.fastapi import Auth, BearerMiddleware, Settings, TokenHeader, TokenUser
from fastbearer.fastapi.hints import HINTS, HINTS_OF_OTHERS, hint_for
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.revocation import MemoryRevocations
from project import OTHER_SECRET, ROOT, SECRET

REASONS = (ROOT / "tests" / "core" / "reasons.txt").read_text().split()
NOW = 1_800_000_000

SOURCES = "".join(
    path.read_text()
    for path in (ROOT / "python").rglob("*.py")
    if path.name != "hints.py"
)
"""Where the reasons are that the core does not have."""

NOT_OF_TOKENS = ("hash_", "key_", "jwk_", "password_", "session_", "crypto_failed")
"""Reasons that no token causes: those of keys, passwords and Better Auth's cookies."""


def now() -> float:
    return NOW


def auth_with(verifier: Any = None, **options: Any) -> Auth:
    given = options.pop("settings", {})
    chosen = Settings(better_auth_secret=SECRET, **given)
    return Auth(chosen, verifier=verifier, clock=now, **options)


def segment(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed(claims: object, header: dict[str, Any] | None = None) -> str:
    """Return a token of the secret, whatever its payload is."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jws.sign(payload, Key.from_secret(SECRET), headers=header)


def claims(**more: Any) -> dict[str, Any]:
    every = {"sub": "u1", "exp": NOW + 3600, **more}
    return {name: value for name, value in every.items() if value is not None}


def strict(**options: Any) -> Verifier:
    return Verifier(Key.from_secret(SECRET), clock=now, **options)


def headed(header: object) -> str:
    return f"{segment(header)}.{segment(claims())}.{segment(b'x' * 32)}"


HS = {"alg": "HS256"}
TWO_KEYS = KeySet(
    [Key.from_secret(SECRET, kid="a"), Key.from_secret(OTHER_SECRET, kid="b")]
)
TWO_ALGORITHMS = KeySet([Key.from_secret(SECRET), Key.generate("HS512")])
MANY_KEYS = KeySet([Key.generate("HS256", kid=f"k{one}") for one in range(60)])
DEEP = b'{"a":' * 40 + b"1" + b"}" * 40


CAUSES: dict[str, tuple[str, Verifier | None]] = {
    "age_passed": (signed(claims(iat=NOW - 100)), strict(max_age=10)),
    "alg_not_allowed": (
        signed(claims()),
        Verifier(TWO_ALGORITHMS, algorithms=["HS512"], clock=now),
    ),
    "alg_not_keys": (headed({"alg": "RS256"}), None),
    "aud_shape": (signed(claims(aud=7)), strict(audience="a")),
    "aud_unexpected": (signed(claims(aud="a")), None),
    "aud_wrong": (signed(claims(aud="b")), strict(audience="a")),
    "claim_missing": (signed(claims(exp=None)), None),
    "exp_invalid": (signed(claims(exp="soon")), None),
    "exp_passed": (signed(claims(exp=NOW - 9999)), None),
    "header_b64": (headed({**HS, "b64": False}), None),
    "header_crit": (headed({**HS, "crit": ["x"], "x": 1}), None),
    "header_members": (headed({**HS, **dict.fromkeys(map(str, range(80)), 1)}), None),
    "header_type": (headed({**HS, "kid": 7}), None),
    "header_zip": (headed({**HS, "zip": "DEF"}), None),
    "iat_invalid": (signed(claims(iat="now")), None),
    "iss_wrong": (signed(claims(iss="b")), strict(issuer="a")),
    "json_depth": (signed(DEEP), None),
    "json_duplicate": (signed(b'{"exp":1,"exp":2}'), None),
    "json_not_object": (signed(b"[]"), None),
    "json_number": (signed(b'{"a":1e999}'), None),
    "json_surrogate": (signed(b'{"a":"\\ud800"}'), None),
    "json_syntax": (signed(b"{"), None),
    "json_utf8": (signed(b'{"a":"\xff"}'), None),
    "kid_needed": (headed(HS), Verifier(MANY_KEYS, clock=now)),
    "kid_unknown": (headed({**HS, "kid": "c"}), Verifier(TWO_KEYS, clock=now)),
    "nbf_ahead": (signed(claims(nbf=NOW + 9999)), None),
    "nbf_invalid": (signed(claims(nbf="now")), None),
    "signature_wrong": (headed(HS), None),
    "token_base64": (headed(HS) + "=", None),
    "token_encrypted": ("a.b.c.d.e", None),
    "token_not_compact": ("a.b", None),
    "token_too_long": ("x" * 20_000, None),
    "typ_wrong": (signed(claims(), {"typ": "JWT"}), strict(typ="at+jwt")),
}
"""A token for each reason that a token can cause, and its verifier if that counts."""


def client_of(auth: Auth) -> TestClient:
    app = FastAPI()
    user = Depends(auth.verify_jwt_token)

    @app.get("/me")
    @app.post("/me")
    async def me(user: Annotated[TokenUser, user]) -> TokenUser:
        return user

    @app.get("/users/{user_id}")
    async def mine(user: Annotated[TokenUser, Depends(auth.verify_user_id)]) -> Any:
        return user

    @app.get("/write")
    async def write(
        user: Annotated[TokenUser, Security(auth.requires, scopes=["read", "write"])],
    ) -> Any:
        return user

    @app.get("/claims")
    async def all_claims(
        found: Annotated[dict[str, Any], Depends(auth.token_claims)],
    ) -> Any:
        return found

    return TestClient(app, base_url="https://api.example")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    def read() -> list[str]:
        found = [one.message for one in caplog.records if one.name == "fastbearer"]
        assert all(one.startswith("token refused: ") for one in found)
        caplog.clear()
        return [one.removeprefix("token refused: ") for one in found]

    return read


def told(auth: Auth, token: str, lines: Callable[[], list[str]]) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    response = client_of(auth).get("/me", headers=headers)
    assert response.status_code == 401
    (line,) = lines()
    return line


# --- each cause has its line


def test_every_reason_that_a_token_can_cause_is_tried() -> None:
    of_tokens = {one for one in REASONS if not one.startswith(NOT_OF_TOKENS)}
    assert of_tokens == CAUSES.keys()


@pytest.mark.parametrize("reason", CAUSES)
def test_the_log_says_the_code_and_the_reason(
    reason: str, lines: Callable[[], list[str]]
) -> None:
    token, verifier = CAUSES[reason]
    code, _, rest = told(auth_with(verifier), token, lines).partition(": ")
    assert code in {
        *("malformed_token", "invalid_algorithm", "unknown_key", "invalid_signature"),
        *("expired_token", "immature_token", "missing_claim", "invalid_claim"),
        *("invalid_issuer", "invalid_audience"),
    }
    assert rest.replace(";", " ").split()[0] == reason


def test_no_two_causes_have_the_same_line(lines: Callable[[], list[str]]) -> None:
    found = [
        told(auth_with(verifier), token, lines) for token, verifier in CAUSES.values()
    ]
    for claim in ("iss", "aud", "sub"):
        wanted: dict[str, Any] = {"sub": {"require": ("exp", "sub")}}.get(
            claim, {{"iss": "issuer", "aud": "audience"}.get(claim, ""): "a"}
        )
        token = signed(claims(sub=None))
        found.append(told(auth_with(strict(**wanted)), token, lines))
    assert len(set(found)) == len(found)


def test_every_hint_is_of_a_reason_that_there_is() -> None:
    elsewhere = {reason for reason in HINTS if f'"{reason}"' in SOURCES}
    assert {*REASONS, *elsewhere} >= HINTS.keys()


HINTED = [
    (signed(claims(exp=None)), None, "(exp); tokens must expire"),
    (
        signed(claims()),
        strict(audience="a"),
        "(see audience=... of the verifier)",
    ),
    (
        signed(claims()),
        strict(issuer="a"),
        "(see the verifier), and the",
    ),
    (signed(claims(aud="x")), None, "(aud); set JWT_AUDIENCE"),
    (signed(claims(iss="x")), strict(issuer="a"), "see the verifier for those"),
    ("Bearer a.b.c", None, 'the header says "Bearer" twice'),
    ("bearer", None, 'the header says "Bearer" twice'),
    (f"{signed(claims())}, Bearer {signed(claims())}", None, "joined two headers"),
    ("7b1f0e2c9d", None, "introspection"),
    ("a.b.c.d.e", None, "(JWE)"),
    ("x" * 20_000, None, "JWT_MAX_BYTES"),
    ('"a.b"', None, "quotation marks"),
    ("undefined", None, "the name of an empty value"),
    ("[object Object]", None, "the name of an empty value"),
    (
        signed(claims(nbf=NOW + 3)),
        None,
        "clocks differ by about 3 s, or more: set JWT_LE",
    ),
    (signed(claims(exp=NOW - 3)), None, "it expired about 3 s ago: if clocks differ"),
    (signed(claims(exp=NOW)), None, "it expired about 1 s ago"),
    (signed(claims(aud="x", nonce="n")), None, "the claims of an ID token"),
    (
        signed(claims(aud="client", at_hash="h")),
        strict(audience="api"),
        "the claims of an ID token",
    ),
    (signed(claims(), {"typ": "JWT"}), strict(typ="at+jwt"), "is it an ID token"),
    (headed(HS), None, "compare the secrets of both sides"),
    (headed({"alg": "EdDSA"}), None, "Set BETTER_AUTH_URL."),
]


@pytest.mark.parametrize(("token", "verifier", "hint"), HINTED)
def test_a_hint_says_what_to_do(
    token: str, verifier: Verifier | None, hint: str, lines: Callable[[], list[str]]
) -> None:
    assert hint in told(auth_with(verifier), token, lines)


@pytest.mark.parametrize(
    "token",
    [
        signed(claims(exp=NOW - 301)),
        signed(claims(exp=1)),
        signed(claims(nbf=NOW + 301)),
        signed(claims(nbf=2**53)),
    ],
)
def test_clocks_that_differ_by_hours_are_no_explanation(
    token: str, lines: Callable[[], list[str]]
) -> None:
    assert ";" not in told(auth_with(), token, lines)


# --- what is refused for other reasons than the token's

NEEDED = 'the header Authorization needs "Bearer " before the token'


def asked(
    client: TestClient, path: str = "/me", method: str = "GET", **headers: Any
) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, path, headers=named).status_code


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("", "token_empty; the header Authorization has no token in it"),
        ("Bearer", "token_empty; the header Authorization has no token in it"),
        ("Bearer  ", "token_empty; the header Authorization has no token in it"),
        (signed(claims()), f"scheme_missing; {NEEDED}"),
        ("Basic dTpw", f"scheme_other; {NEEDED}, not Basic"),
        ("Token abc", f"scheme_other; {NEEDED}, not Token"),
        ("Secret123 abc", f"scheme_other; {NEEDED}"),
    ],
)
@pytest.mark.parametrize("way", ["dependency", "middleware"])
def test_a_header_without_a_bearer_token(
    way: str, value: str, line: str, lines: Callable[[], list[str]]
) -> None:
    client = client_of(auth_with())
    if way == "middleware":
        client = TestClient(BearerMiddleware(FastAPI(), auth=auth_with()))
    assert asked(client, Authorization=value) == 401
    assert lines() == [f"not_authenticated: {line}"]


@pytest.mark.parametrize("offered", [["bearer"], ["chat", "bearer"]])
def test_a_subprotocol_without_a_token(
    offered: list[str], lines: Callable[[], list[str]]
) -> None:
    auth = auth_with()
    app = FastAPI()

    @app.websocket("/ws")
    async def socket(
        websocket: WebSocket,
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> None:
        raise AssertionError("nobody comes here")

    with (
        pytest.raises(WebSocketDenialResponse) as refusal,
        TestClient(app).websocket_connect("/ws", subprotocols=offered),
    ):
        pass
    assert refusal.value.status_code == 401
    told = "token_empty; the subprotocol bearer is followed by no token"
    assert lines() == [f"not_authenticated: {told}"]


def test_nobody_is_told_of_requests_without_credentials(
    lines: Callable[[], list[str]],
) -> None:
    assert asked(client_of(auth_with())) == 401
    assert lines() == []


def test_two_headers(
    lines: Callable[[], list[str]], serve: Callable[[Any], str]
) -> None:
    url = serve(client_of(auth_with()).app)
    twice = [("Authorization", "Bearer a.b.c")] * 2
    assert httpx2.get(f"{url}/me", headers=twice).status_code == 400
    (line,) = lines()
    assert line.startswith("invalid_request: two_headers; ")
    assert line.endswith(" more than one header Authorization")


def test_a_missing_scope_names_what_is_missing(
    lines: Callable[[], list[str]],
) -> None:
    token = signed(claims(scope="read other"))
    client = client_of(auth_with())
    assert asked(client, "/write", Authorization=f"Bearer {token}") == 403
    assert lines() == ["insufficient_scope: scope_missing; the token lacks write"]


def test_another_users_path(lines: Callable[[], list[str]]) -> None:
    client = client_of(auth_with())
    bearer = f"Bearer {signed(claims())}"
    assert asked(client, "/users/u2", Authorization=bearer) == 403
    assert lines() == [
        "insufficient_scope: other_user; the path parameter user_id names another user"
    ]


def test_a_token_without_a_user(lines: Callable[[], list[str]]) -> None:
    line = told(auth_with(), signed(claims(sub=None)), lines)
    assert line.startswith("missing_claim: no_user (sub); ")
    assert "JWT_USER_CLAIM" in line


def test_the_link_of_a_message(lines: Callable[[], list[str]]) -> None:
    token = signed({"email": "a@b.example", "exp": NOW + 60})
    client = client_of(auth_with())
    assert asked(client, "/claims", Authorization=f"Bearer {token}") == 401
    (line,) = lines()
    assert line.startswith("invalid_claim: link_of_a_message (email); ")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "origin_missing"),
        ({"Origin": "https://evil.example"}, "origin_untrusted"),
        ({"Origin": "null"}, "origin_untrusted"),
        ({"Sec_Fetch_Site": "cross-site"}, "origin_untrusted"),
    ],
)
def test_a_cookie_from_another_site(
    headers: dict[str, str], reason: str, lines: Callable[[], list[str]]
) -> None:
    client = client_of(auth_with(cookies=["access_token"]))
    cookie = f"access_token={signed(claims())}"
    assert asked(client, method="POST", Cookie=cookie, **headers) == 403
    (line,) = lines()
    assert line.startswith(f"cross_site: {reason}; ")
    assert ("REQUESTS_WITHOUT_ORIGIN" in line) is (reason == "origin_missing")


def test_two_good_cookies(lines: Callable[[], list[str]]) -> None:
    client = client_of(auth_with(cookies=["t"]))
    cookie = f"t={signed(claims())}; t={signed(claims(sub='u2'))}"
    assert asked(client, Cookie=cookie) == 400
    (line,) = lines()
    assert line.startswith("invalid_request: two_cookies; ")


def test_more_cookies_than_are_judged(lines: Callable[[], list[str]]) -> None:
    client = client_of(auth_with(cookies=["t"]))
    for number in (5, 17):
        cookie = "; ".join(f"t={one}" for one in range(number))
        assert asked(client, Cookie=cookie) == 400
    first, second = lines()
    assert first == second
    assert first.startswith("invalid_request: two_cookies; there are more cookies")


ENDED = f"revoked_token: session_ended; {HINTS_OF_OTHERS['session_ended']}"


class Raising:
    """A verifier that refuses everything, for one reason."""

    def __init__(self, error: TokenError) -> None:
        self.error = error

    def verify(self, token: str) -> dict[str, Any]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RevokedTokenError("x"), ENDED),
        (TokenError("secret text"), "invalid_token"),
        (ClaimError("x", "tenant"), "claim_error (tenant)"),
        (
            ClaimError("x", "https://example.com/roles"),
            "claim_error (https://example.com/roles)",
        ),
        (ClaimError("x", "a\nforged"), "claim_error"),
        (ClaimError("x", "\x1b[31m"), "claim_error"),
        (ClaimError("x", "a" * 81), "claim_error"),
    ],
)
def test_errors_of_others(
    error: TokenError, line: str, lines: Callable[[], list[str]]
) -> None:
    assert told(auth_with(Raising(error)), "a.b.c", lines) == line


def test_a_session_that_has_ended(lines: Callable[[], list[str]]) -> None:
    store = MemoryRevocations(now)
    auth = auth_with(revocations=store)
    token = auth.generate_jwt_token("u1", "")
    asyncio.run(store.end_sessions("u1"))
    assert told(auth, token, lines) == ENDED


# --- its form


def test_each_part_is_an_attribute_of_the_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = client_of(auth_with())
    token = signed(claims(aud="x"))
    client.get("/me", headers={"Authorization": f"Bearer {token}"})
    record: Any = next(one for one in caplog.records if one.name == "fastbearer")
    assert record.levelno == logging.WARNING
    assert (record.code, record.reason, record.claim) == (
        *("invalid_audience", "aud_unexpected", "aud"),
    )
    assert record.hint == "set JWT_AUDIENCE to what such tokens are for"


@given(*(st.text() for _ in range(3)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_always_one_line(
    caplog: pytest.LogCaptureFixture, code: str, reason: str, claim: str
) -> None:
    caplog.clear()
    log_refusal(code, reason, claim)
    (line,) = [one.message for one in caplog.records if one.name == "fastbearer"]
    assert line.isprintable() and line.isascii() and len(line) < 300


WORDS = st.text("GHJKQVWXZ0123456789", min_size=6, max_size=40)
"""Letters of which no line of ours is made: what has them is somebody else's."""

SIX = 6


def pieces(text: str) -> set[str]:
    return {text[at : at + SIX] for at in range(len(text) - SIX + 1)}


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield str(name)
            yield from texts_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_of(one)
    else:
        yield str(value)


PAYLOADS = st.dictionaries(
    st.sampled_from(["sub", "aud", "iss", "scope", "email", "nonce", "token_use"])
    | WORDS,
    WORDS | st.lists(WORDS, max_size=2) | st.dictionaries(WORDS, WORDS, max_size=2),
    max_size=6,
)
HEADERS = st.fixed_dictionaries(
    {"alg": st.sampled_from(["HS256", "HS512", "EdDSA", "none"]) | WORDS},
    optional={"kid": WORDS, "typ": WORDS, "crit": st.lists(WORDS, max_size=2)},
)


@st.composite
def sent(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return the value of a header, and the texts that must stay out of the log."""
    header, payload = draw(HEADERS), draw(PAYLOADS)
    if draw(st.booleans()):
        payload["exp"] = draw(st.sampled_from([1, NOW + 3600, NOW - 2]))
    token = f"{segment(header)}.{segment(payload)}.{segment(draw(st.binary()))}"
    if draw(st.booleans()):
        token = signed(payload)
    before = draw(
        st.sampled_from(["Bearer ", "Bearer Bearer ", "", "Token ", "Basic "])
    )
    unknown = before or draw(st.just("") | WORDS.map(lambda word: f"{word} "))
    value = unknown + draw(
        st.sampled_from([token, token[:-2], token + ".x.y", *[token]])
    )
    known = (
        {"alg": None} if header["alg"] in ("HS256", "HS512", "EdDSA", "none") else {}
    )
    return value, [value, *texts_of({**header, **known}), *texts_of(payload)]


@given(sent())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_nothing_of_a_token_is_in_the_log(
    caplog: pytest.LogCaptureFixture, case: tuple[str, list[str]]
) -> None:
    value, secrets = case
    caplog.clear()
    client_of(auth_with()).get("/me", headers={"Authorization": value})
    client_of(auth_with()).get("/write", headers={"Authorization": value})
    ours = [one for one in caplog.records if one.name == "fastbearer"]
    written = " ".join(f"{one.message} {one.__dict__}" for one in ours)
    allowed = pieces("Bearer Bearer Token Basic ") | pieces("email nonce token_use")
    for secret in secrets:
        for piece in pieces(secret) - allowed:
            assert piece not in written, piece


def test_a_refusal_costs_no_more_than_its_token_is_long() -> None:
    """What is looked at for a hint is bounded, however long a token is."""

    class Context:
        algorithm = None
        clock = staticmethod(time.time)

    error = TokenError("x")
    error.reason = "exp_passed"
    for token in ("." * 1_000_000, "a." * 500_000, "x" * 1_000_000):
        assert hint_for(error, token, Context()) is None


def test_the_client_is_told_no_more_than_before() -> None:
    """Only the log says which check has failed."""
    answers = set()
    for reason, (token, verifier) in CAUSES.items():
        if reason in ("exp_passed", "age_passed"):
            continue
        client = client_of(auth_with(verifier))
        response = client.get("/me", headers={"Authorization": f"Bearer {token}"})
        answers.add((response.text, response.headers["www-authenticate"]))
    assert len(answers) == 1


def test_a_header_of_another_name_is_named(lines: Callable[[], list[str]]) -> None:
    header = TokenHeader("X-Token", "Token")
    client = client_of(auth_with(header=header))
    assert asked(client, X_Token="Bearer abc") == 401
    needed = NEEDED.replace("Authorization", "X-Token").replace("Bearer", "Token")
    assert lines() == [f"not_authenticated: scheme_other; {needed}, not Bearer"]


def test_an_eddsa_key_is_no_secret(lines: Callable[[], list[str]]) -> None:
    token = jwt.encode(claims(), Ed25519PrivateKey.generate(), "EdDSA")
    line = told(auth_with(), token, lines)
    assert line.startswith("invalid_algorithm: alg_not_keys; alg is EdDSA, ")


def test_a_signer_of_ours_is_refused_under_another_secret(
    lines: Callable[[], list[str]],
) -> None:
    token = Signer(Key.from_secret(OTHER_SECRET), lifetime=60, clock=now).sign({})
    assert told(auth_with(), token, lines).startswith(
        "invalid_signature: signature_wrong; another key has signed it"
    )
