"""A token of Better Auth's keys passes at both dependencies, or at neither.

``verify_jwt_token`` with BETTER_AUTH_URL and ``better_auth_session`` rest on one
issuer. The table has tokens of every kind that the same keys may sign.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI

from asgi import ASGIApp
from fastbearer import Key, _core
from fastbearer.base64url import base64url_encode
from fastbearer.better_auth import BetterAuth
from fastbearer.fastapi import Auth, Settings, better_auth_session
from fastbearer.jwks import JWKSClient
from key_server import KeyServer, serving
from project import SECRET

Serve = Callable[[ASGIApp], str]
SIGNING = {
    name: Key.generate(name, kid=name)
    for name in ("EdDSA", "ES256", "ES512", "PS256", "RS256", "ES384", "RS512")
}
STRANGER = Key.generate("EdDSA", kid="EdDSA")


@pytest.fixture(scope="module")
def keys() -> Iterator[KeyServer]:
    with KeyServer(serving(*SIGNING.values())) as server:
        yield server


def claims_of(origin: str, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"sub": "u1", "email": "ada@example.com", "iat": now, "exp": now + 900}
    made = {**usual, "iss": origin, "aud": origin, **changes}
    return {name: value for name, value in made.items() if value != "absent"}


def token(
    origin: str, header: dict[str, Any], changes: dict[str, Any], key: Key
) -> str:
    """Return a token with any header, rightly signed."""
    members = {"alg": key.algorithm, "kid": key.kid, **header}
    members = {name: value for name, value in members.items() if value != "absent"}
    parts = [
        json.dumps(part).encode() for part in (members, claims_of(origin, **changes))
    ]
    text = b".".join(base64url_encode(part) for part in parts)
    signature = base64url_encode(_core.raw_sign(text, key))
    return f"{text.decode()}.{signature.decode()}"


NOW = int(time.time())
HEADERS: dict[str, tuple[dict[str, Any], bool]] = {
    "as the plugin writes it": ({}, True),
    "typ JWT": ({"typ": "JWT"}, True),
    "typ jwt": ({"typ": "jwt"}, True),
    "typ application/jwt": ({"typ": "application/jwt"}, True),
    "a third party's access token": ({"typ": "at+jwt"}, False),
    "the same in capitals": ({"typ": "AT+JWT"}, False),
    "the same in full": ({"typ": "application/at+jwt"}, False),
    "a logout token": ({"typ": "logout+jwt"}, False),
    "session data": ({"typ": "better-auth.session-cache+jwt"}, False),
    "a type that is empty": ({"typ": ""}, False),
    "a type of its own": ({"typ": "x"}, False),
    "a type that is a number": ({"typ": 5}, False),
    "a type that is null": ({"typ": None}, False),
    "a type that is a list": ({"typ": ["JWT"]}, False),
    "an extension nobody knows": ({"crit": ["x"], "x": 1}, False),
    "without kid": ({"kid": "absent"}, False),
    "a kid that is empty": ({"kid": ""}, False),
    "a kid that is a number": ({"kid": 1}, False),
    "a kid that is null": ({"kid": None}, False),
    "a kid of another key": ({"kid": "ES256"}, False),
    "no algorithm": ({"alg": "none"}, False),
    "another key's algorithm": ({"alg": "ES256"}, False),
}
CLAIMS: dict[str, tuple[dict[str, Any], bool]] = {
    "more claims": ({"role": "admin", "scope": "a b"}, True),
    "several audiences": ({"aud": ["other", "{origin}"]}, True),
    "no e-mail": ({"email": "absent"}, True),
    "an issuer with the path": ({"iss": "{origin}/api/auth"}, False),
    "an issuer with a slash": ({"iss": "{origin}/"}, False),
    "another issuer": ({"iss": "https://evil.example"}, False),
    "no issuer": ({"iss": "absent"}, False),
    "an issuer that is a list": ({"iss": ["{origin}"]}, False),
    "another audience": ({"aud": "https://api.example"}, False),
    "a third party's audience": ({"aud": "{origin}/api/auth"}, False),
    "no audience": ({"aud": "absent"}, False),
    "an audience that is empty": ({"aud": []}, False),
    "no expiry": ({"exp": "absent"}, False),
    "expired": ({"exp": NOW - 10}, False),
    "not yet": ({"nbf": NOW + 600}, False),
    "an expiry that is a text": ({"exp": str(NOW + 600)}, False),
    "no subject": ({"sub": "absent"}, False),
    "an empty subject": ({"sub": ""}, False),
    "a subject that is a number": ({"sub": 4}, False),
    "a subject that is null": ({"sub": None}, False),
    "a subject elsewhere": ({"sub": "absent", "user_id": "u1"}, False),
    "an empty subject and another": ({"sub": "", "user_id": "u1"}, False),
    "bound to a key": ({"cnf": {"jkt": "x"}}, False),
    "longer than is read": ({"about": "x" * 16_384}, False),
}


def tokens(origin: str) -> Iterator[tuple[str, str, bool]]:
    """Yield what it is, the token, and whether it is good."""
    key = SIGNING["EdDSA"]
    for what, (header, is_good) in HEADERS.items():
        yield what, token(origin, header, {}, key), is_good
    for what, (changes, is_good) in CLAIMS.items():
        named = json.loads(json.dumps(changes).replace("{origin}", origin))
        yield what, token(origin, {}, named, key), is_good
    for name, one in SIGNING.items():
        is_good = name not in ("ES384", "RS512")
        yield f"signed with {name}", token(origin, {}, {}, one), is_good
    yield "another signature", token(origin, {}, {}, STRANGER), False
    unknown = Key.generate("EdDSA", kid="unknown")
    yield "an unknown key", token(origin, {}, {}, unknown), False
    forged = Key.from_secret(SECRET, kid="EdDSA")
    yield "signed with the secret", token(origin, {}, {}, forged), False
    good = token(origin, {}, {}, key)
    yield "cut", good[:-4], False
    yield "padded", good + "=", False
    yield "five parts", "a.b.c.d.e", False


def app_of(ba: BetterAuth, auth: Auth) -> FastAPI:
    app = FastAPI()
    session = Depends(better_auth_session(ba))
    user = Depends(auth.verify_jwt_token)

    @app.get("/session")
    async def of_session(session: Any = session) -> Any:
        return {"user_id": session.user_id, "email": session.email}

    @app.get("/token")
    async def of_token(user: Any = user) -> Any:
        return {"user_id": user["user_id"], "email": user["email"]}

    return app


def test_one_rule_for_both_doors(serve: Serve, keys: KeyServer) -> None:
    origin = keys.origin
    ba = BetterAuth(SECRET, base_url=origin, jwks=JWKSClient(keys.url))
    url = serve(app_of(ba, Auth(Settings(better_auth_url=origin))))
    wrong = []
    with httpx2.Client(base_url=url) as client:
        for what, one, is_good in tokens(origin):
            headers = {"authorization": f"Bearer {one}"}
            answers = [client.get(f"/{door}", headers=headers) for door in DOORS]
            said = [answer.status_code for answer in answers]
            if said != [200 if is_good else 401] * 2:
                wrong.append((what, said))
            elif is_good:
                assert answers[0].json() == answers[1].json()
    assert wrong == [], wrong


DOORS = ("session", "token")


RSA_OF_ANY = Key.from_jwk(
    {k: v for k, v in SIGNING["RS256"].public().to_jwk().items() if k != "alg"}
)
SETS: dict[str, tuple[list[Key], int]] = {
    "another algorithm alone": ([SIGNING["ES384"]], 503),
    "several of other algorithms": ([SIGNING["RS512"], SIGNING["ES384"]], 503),
    "another algorithm and ours": ([SIGNING["ES384"], SIGNING["RS256"]], 200),
    "a key for any algorithm of its kind": ([RSA_OF_ANY], 200),
    "another key of ours": ([SIGNING["ES256"]], 401),
    "nothing": ([], 503),
}
"""What a server's JWK Set has, and what becomes of a good token of RS256."""


@pytest.mark.parametrize("name", SETS)
def test_a_set_without_usable_keys_says_nothing_of_a_token(
    serve: Serve, name: str
) -> None:
    served, status = SETS[name]
    with KeyServer(serving(*served)) as server:
        origin = server.origin
        ba = BetterAuth(SECRET, base_url=origin, jwks=JWKSClient(server.url))
        url = serve(app_of(ba, Auth(Settings(better_auth_url=origin))))
        headers = {"authorization": f"Bearer {token(origin, {}, {}, SIGNING['RS256'])}"}
        answers = [httpx2.get(f"{url}/{door}", headers=headers) for door in DOORS]
        assert [one.status_code for one in answers] == [status] * 2, name
        assert all(("Retry-After" in one.headers) is (status == 503) for one in answers)


@pytest.mark.parametrize("path", ["", "/api/auth", "/", "/auth/v2"])
def test_the_url_may_have_a_path_at_both_doors(
    serve: Serve, keys: KeyServer, path: str
) -> None:
    """The origin issues the tokens, wherever the server's routes are."""
    origin = keys.origin
    ba = BetterAuth(SECRET, base_url=origin + path, jwks=JWKSClient(keys.url))
    url = serve(app_of(ba, Auth(Settings(better_auth_url=origin + path))))
    headers = {"authorization": f"Bearer {token(origin, {}, {}, SIGNING['ES256'])}"}
    for door in DOORS:
        assert httpx2.get(f"{url}/{door}", headers=headers).status_code == 200
