"""fastapi-users and AuthX on the drop-ins, which stand under the originals' names.

Each is served twice, by processes of its own: over PyJWT and pwdlib, and over what
``install`` has put in their place. A client goes from one to the other. The packages
are installed for it, so it belongs to the soak.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from compat_packages import AUTHX, USERS, Pair, both, environment_or_skip
from compat_projects import KEY, PASSWORD, Signer, answer, bearer

pytestmark = [pytest.mark.http, pytest.mark.soak]


@pytest.fixture(scope="module")
def python() -> str:
    return environment_or_skip()


def me(client: httpx2.Client, token: str) -> tuple[int, Any, str | None]:
    return answer(client.get("/me", headers=bearer(token)))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("users") / "users.db"


@pytest.fixture(scope="module")
def users(python: str, database: Path) -> Iterator[Pair]:
    signer = Signer({"sub": str(uuid4()), "aud": ["fastapi-users:auth"]})
    with both(python, USERS, signer, KEY=KEY, DATABASE=str(database)) as pair:
        yield pair


def register(client: httpx2.Client) -> tuple[str, str]:
    """Return the id and the address of a new user."""
    email = f"{uuid4()}@example.com"
    fields = {"email": email, "password": PASSWORD}
    response = client.post("/auth/register", json=fields)
    assert response.status_code == 201, response.text
    again = client.post("/auth/register", json=fields)
    assert answer(again) == (400, {"detail": "REGISTER_USER_ALREADY_EXISTS"}, None)
    return response.json()["id"], email


def sign_in(client: httpx2.Client, email: str, password: str) -> httpx2.Response:
    fields = {"username": email, "password": password}
    return client.post("/auth/login", data=fields)


def test_fastapi_users_uses_the_drop_ins(users: Pair) -> None:
    assert jwt.__name__ == "jwt"
    theirs = ["jwt", "jwt", "jwt", "pwdlib"]
    assert users.before.get("/used").json() == theirs
    ours = [f"fastbearer.compat.{name}" for name in theirs]
    assert users.after.get("/used").json() == ours


def test_fastapi_users_signs_in_and_out(users: Pair, database: Path) -> None:
    for maker, reader in users.ways:
        user, email = register(maker)
        token = sign_in(reader, email, PASSWORD).json()["access_token"]
        claims = jwt.decode(token, KEY, ["HS256"], audience="fastapi-users:auth")
        assert claims["sub"] == user
        assert me(maker, token) == me(reader, token) == (200, {"sub": user}, None)
        refused = answer(sign_in(reader, email, "wrong"))
        assert refused == (400, {"detail": "LOGIN_BAD_CREDENTIALS"}, None)
        signed_out = maker.post("/auth/logout", headers=bearer(token))
        assert signed_out.status_code == 204
        assert maker.post("/auth/logout").status_code == 401
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT hashed_password FROM user").fetchall()
    assert len(found) >= len(users.ways)
    assert all(row[0].startswith("$argon2id$") for row in found)


def test_fastapi_users_resets_a_password(users: Pair) -> None:
    for maker, reader in users.ways:
        _, email = register(maker)
        asked = maker.post("/auth/forgot-password", json={"email": email})
        assert asked.status_code == 202
        reset = {"token": maker.get("/mailed").json(), "password": "battery staple"}
        wrong = {**reset, "token": users.signer.sign()}
        assert reader.post("/auth/reset-password", json=wrong).status_code == 400
        assert reader.post("/auth/reset-password", json=reset).status_code == 200
        assert reader.post("/auth/reset-password", json=reset).status_code == 400
        assert sign_in(maker, email, PASSWORD).status_code == 400
        assert sign_in(maker, email, "battery staple").status_code == 200


def test_fastapi_users_verifies_an_address(users: Pair) -> None:
    for maker, reader in users.ways:
        _, email = register(maker)
        asked = maker.post("/auth/request-verify-token", json={"email": email})
        assert asked.status_code == 202
        token = maker.get("/mailed").json()
        wrong = reader.post("/auth/verify", json={"token": token + "A"})
        assert answer(wrong) == (400, {"detail": "VERIFY_USER_BAD_TOKEN"}, None)
        verified = reader.post("/auth/verify", json={"token": token})
        assert verified.json()["is_verified"] is True


def test_fastapi_users_refuses_alike(users: Pair) -> None:
    user, _ = register(users.after)
    claims = {**users.signer.claims, "sub": user}
    signer = users.signer._replace(claims=claims)
    for client in users[:2]:
        assert me(client, signer.sign()) == (200, {"sub": user}, None)
    for reason, token in signer.refused().items():
        seen = me(users.after, token)
        assert seen == me(users.before, token), reason
        assert seen[0] == 401, reason


def hmac_settings() -> tuple[Signer, dict[str, str]]:
    claims = {"sub": "ada", "type": "access"}
    return Signer(claims), {"JWT_SECRET_KEY": KEY}


def rsa_settings() -> tuple[Signer, dict[str, str]]:
    key, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pair = {"JWT_PRIVATE_KEY": private.decode(), "JWT_PUBLIC_KEY": public.decode()}
    return Signer({"sub": "ada", "type": "access"}, key, other, "RS256"), pair


@pytest.fixture(scope="module", params=[hmac_settings, rsa_settings])
def authx(request: pytest.FixtureRequest, python: str) -> Iterator[Pair]:
    signer, settings = request.param()
    settings |= {"JWT_ALGORITHM": signer.algorithm, "PASSWORD": PASSWORD}
    settings["JWT_DECODE_ALGORITHMS"] = json.dumps([signer.algorithm])
    with both(python, AUTHX, signer, **settings) as pair:
        yield pair


def test_authx_uses_the_drop_in(authx: Pair) -> None:
    assert {name.split(".")[0] for name in authx.before.get("/used").json()} == {"jwt"}
    for name in authx.after.get("/used").json():
        assert name.startswith("fastbearer.compat.jwt")


def test_authx_signs_in_refreshes_and_signs_out(authx: Pair) -> None:
    for maker, reader in authx.ways:
        assert maker.post("/sign-in", json={"password": "wrong"}).status_code == 401
        pair = maker.post("/sign-in", json={"password": PASSWORD}).json()
        first, renewal = pair["access_token"], pair["refresh_token"]
        assert me(reader, first) == (200, {"sub": "ada"}, None)
        assert me(reader, renewal)[:2] == me(maker, renewal)[:2]
        assert me(reader, renewal)[0] == 401
        assert reader.post("/refresh", headers=bearer(first)).status_code == 401
        renewed = reader.post("/refresh", headers=bearer(renewal))
        second = renewed.json()["access_token"]
        for path, refusal in (("/fresh", 401), ("/items", 403)):
            assert maker.get(path, headers=bearer(first)).status_code == 200
            assert maker.get(path, headers=bearer(second)).status_code == refusal
        assert maker.post("/sign-out", headers=bearer(second)).status_code == 200
        assert me(maker, second)[0] == 401


def test_tokens_of_authx_are_good_for_the_original(authx: Pair) -> None:
    key = authx.signer.key
    key = key if isinstance(key, str) else key.public_key()
    pair = authx.after.post("/sign-in", json={"password": PASSWORD}).json()
    claims = jwt.decode(pair["access_token"], key, [authx.signer.algorithm])
    assert (claims["sub"], claims["type"], claims["fresh"]) == ("ada", "access", True)


def test_authx_refuses_alike(authx: Pair) -> None:
    for client in authx[:2]:
        assert me(client, authx.signer.sign()) == (200, {"sub": "ada"}, None)
    for reason, token in authx.signer.refused().items():
        seen = me(authx.after, token)
        assert seen == me(authx.before, token), reason
        assert seen[0] in {401, 422}, reason
