"""docs/explain/comparison.md: what it says of others is tried on them.

fastapi-users and AuthX are installed for it, so they belong to the soak.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path

import httpx2
import pytest

from compat_packages import AUTHX, USERS, environment_or_skip, serving
from compat_projects import KEY, PASSWORD, bearer
from fastbearer import Key, Signer
from key_server import KeyServer
from key_server import serving as serving_keys
from peer_applications import AUTHX_MORE, USERS_MORE
from peer_tokens import PEERS, cases, verdict
from project import ROOT, SECRET

PAGE = (ROOT / "docs" / "explain" / "comparison.md").read_text()
SUMMARY, ACCEPTED = PAGE.split("\n## ")[:2]
JOSE = "Authlib, joserfc"
MODULES = {"Authlib": "authlib", "joserfc": "joserfc", "PyJWT": "jwt"}
"""The packages of our own environment that the first table names."""

HASHERS = {"argon2", "bcrypt", "passlib", "pwdlib"}
CLIENTS = {"aiohttp", "httpx", "requests", "urllib3"}


def table(text: str) -> dict[str, dict[str, str]]:
    """Return the cells of the first table of a text, by row and column."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    split = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    head, *rows = split
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


FIRST, SECOND = table(SUMMARY), table(ACCEPTED)


def has(package: str) -> None:
    """Skip a test, and say so, where a package is not installed."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"NO {package.upper()} FOUND: pip install {package}")


def folder(package: str) -> Path:
    has(package)
    (found,) = {
        Path(str(file.locate())).parents[len(file.parts) - 2]
        for file in metadata.files(package) or ()
        if file.parts[0] == MODULES[package]
    }
    return found


def imported(package: Path) -> set[str]:
    """Return the modules of others that a package's files import."""
    names = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module or "")
    return {name.split(".")[0] for name in names}


def mentions(package: Path, *words: str) -> list[str]:
    """Return which words stand in a package's files, in any case."""
    text = "\n".join(file.read_text() for file in package.rglob("*.py")).lower()
    return [word for word in words if word in text]


@pytest.mark.parametrize("library", SECOND["a good token"])
@pytest.mark.parametrize("name", SECOND)
def test_what_is_accepted(name: str, library: str) -> None:
    has(library)
    assert verdict(PEERS[library], cases()[name]) == SECOND[name][library]


def test_every_case_is_on_the_page() -> None:
    assert list(SECOND) == list(cases())


@pytest.mark.parametrize("package", [*MODULES, "python-jose"])
def test_the_version_is_the_one_that_is_tried(package: str) -> None:
    has(package)
    said = re.search(rf"{package}(?:\s+is)?\s+(\d[\d.]*\d)", PAGE)
    assert said
    assert said[1] == metadata.version(package)


@pytest.mark.parametrize("package", MODULES)
def test_what_none_of_the_libraries_has(package: str) -> None:
    column = "PyJWT" if package == "PyJWT" else JOSE
    for row in (
        *("Dependencies for FastAPI's routes", "Password hashing"),
        *("Proofs of possession (DPoP)", "Better Auth's sessions and tables"),
    ):
        assert FIRST[row][column] == "no"
    where = folder(package)
    assert not imported(where) & {"fastapi", *HASHERS}
    assert mentions(where, "dpop+jwt", "dpop_jkt", "better-auth", "better_auth") == []


@pytest.mark.parametrize("package", MODULES)
def test_a_library_is_written_in_python(package: str) -> None:
    assert FIRST["Written in"]["PyJWT"] == FIRST["Written in"][JOSE] == "Python"
    where = folder(package)
    assert [*where.rglob("*.so"), *where.rglob("*.pyd"), *where.rglob("*.c")] == []


def test_pyjwt_reads_keys_from_a_url() -> None:
    assert FIRST["Keys from a JWK Set's URL"]["PyJWT"] == "yes"
    has("PyJWT")
    key = Key.generate("ES256", kid="one")
    token = Signer(key, lifetime=60).sign({"sub": "ada"})
    with KeyServer(serving_keys(key)) as server:
        client = import_module("jwt").PyJWKClient(server.url)
        assert client.get_signing_key_from_jwt(token).key_id == "one"


def test_authlib_reads_keys_as_a_client_and_joserfc_does_not() -> None:
    said = FIRST["Keys from a JWK Set's URL"][JOSE]
    assert said == "as a client of OpenID Connect"
    assert not imported(folder("joserfc")) & {*CLIENTS, "urllib", "socket"}
    has("Authlib")
    openid = import_module("authlib.integrations.base_client.sync_openid")
    assert openid.OpenIDMixin.fetch_jwk_set


def test_joserfc_encrypts_and_pyjwt_does_not() -> None:
    row = FIRST["Encrypted tokens (JWE)"]
    assert (row[JOSE], row["PyJWT"]) == ("yes", "no")
    has("joserfc")
    jwe, jwk = import_module("joserfc.jwe"), import_module("joserfc.jwk")
    key = jwk.OctKey.generate_key(256)
    header = {"alg": "dir", "enc": "A256GCM"}
    token = jwe.encrypt_compact(header, b"payload", key)
    assert jwe.decrypt_compact(token, key).plaintext == b"payload"
    has("PyJWT")
    jwt = import_module("jwt")
    with pytest.raises(jwt.DecodeError):
        jwt.decode(token, SECRET, algorithms=["HS256"])
    assert mentions(folder("PyJWT"), "a256gcm") == []


def test_authlib_has_the_parts_of_a_server() -> None:
    for row, said in {
        "Refresh tokens": "yes, as a server",
        "Ending a session": "revocation, as a server",
        "Opaque tokens (introspection)": "as a server",
        "Roles or scopes in a route": "in Flask and Django",
        "An OAuth or OpenID Connect server of your own": "in Flask and Django",
    }.items():
        assert FIRST[row][JOSE] == said
    where = folder("Authlib")
    grants = import_module("authlib.oauth2.rfc6749")
    assert grants.RefreshTokenGrant.GRANT_TYPE == "refresh_token"
    revoked = import_module("authlib.oauth2.rfc7009").RevocationEndpoint
    assert revoked.ENDPOINT_NAME == "revocation"
    asked = import_module("authlib.oauth2.rfc7662").IntrospectionEndpoint
    assert asked.ENDPOINT_NAME == "introspection"
    for part in ("authorization_server", "resource_protector"):
        homes = {file.parent.name for file in where.rglob(f"{part}.py")}
        assert {one for one in homes if one.endswith("_oauth2")} == {
            "django_oauth2",
            "flask_oauth2",
        }


def test_authlib_says_that_its_jose_goes_away() -> None:
    said = FIRST["What its own pages say of its state"][JOSE]
    assert said == "`authlib.jose` is deprecated: use joserfc"
    has("Authlib")
    run = [sys.executable, "-W", "always", "-c", "import authlib.jose"]
    told = subprocess.run(run, capture_output=True, text=True, check=True).stderr
    assert "authlib.jose module is deprecated, please use joserfc instead." in told


@pytest.fixture(scope="module")
def python() -> str:
    return environment_or_skip()


def installed(python: str, module: str) -> Path:
    (found,) = Path(python).parents[1].glob(f"lib/python3*/site-packages/{module}")
    return found


@pytest.fixture(scope="module")
def users(
    python: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx2.Client]:
    database = str(tmp_path_factory.mktemp("users") / "users.db")
    with serving(python, USERS + USERS_MORE, KEY=KEY, DATABASE=database) as client:
        fields = {"email": "ada@example.com", "password": PASSWORD}
        assert client.post("/auth/register", json=fields).status_code == 201
        yield client


SIGN_IN = {"username": "ada@example.com", "password": PASSWORD}


@pytest.mark.soak
def test_fastapi_users_hashes_passwords(users: httpx2.Client) -> None:
    said = FIRST["Password hashing"]["fastapi-users"]
    assert said == "Argon2id, bcrypt (pwdlib)"
    new, old_is_good = users.get("/hashes").json()
    assert new.startswith("$argon2id$")
    assert old_is_good


@pytest.mark.soak
def test_fastapi_users_cannot_end_a_jwt(users: httpx2.Client) -> None:
    said = FIRST["Ending a session"]["fastapi-users"]
    assert said == "with tokens in a database or Redis, not with JWT"
    answer = users.post("/auth/login", data=SIGN_IN).json()
    assert "refresh_token" not in answer
    assert FIRST["Refresh tokens"]["fastapi-users"] == "no"
    token = bearer(answer["access_token"])
    assert users.post("/auth/logout", headers=token).status_code == 204
    assert users.get("/me", headers=token).status_code == 200


@pytest.mark.soak
def test_fastapi_users_ends_a_session_of_a_database(users: httpx2.Client) -> None:
    row = FIRST["Cookies, and what protects them from other sites"]
    assert row["fastapi-users"] == "`SameSite`"
    answer = users.post("/cookies/login", data=SIGN_IN)
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    assert "samesite=lax" in rest.lower()
    cookie = {"Cookie": f"{name}={rest.partition(';')[0]}"}
    other = {**cookie, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    users.cookies.clear()
    assert users.post("/by-cookie", headers=other).status_code == 200
    assert users.post("/cookies/logout", headers=cookie).status_code == 204
    users.cookies.clear()
    assert users.post("/by-cookie", headers=cookie).status_code == 401


@pytest.mark.soak
def test_fastapi_users_knows_superusers(users: httpx2.Client) -> None:
    assert FIRST["Roles or scopes in a route"]["fastapi-users"] == "superusers"
    token = users.post("/auth/login", data=SIGN_IN).json()["access_token"]
    assert users.get("/superusers", headers=bearer(token)).status_code == 403


@pytest.mark.soak
def test_fastapi_users_does_not_count_sign_ins(users: httpx2.Client) -> None:
    assert FIRST["Limits for sign-ins"]["fastapi-users"] == "no"
    wrong = {**SIGN_IN, "password": "wrong"}
    seen = {users.post("/auth/login", data=wrong).status_code for _ in range(25)}
    assert seen == {400}


@pytest.mark.soak
@pytest.mark.parametrize(
    ("package", "module"), [("fastapi-users", "fastapi_users"), ("AuthX", "authx")]
)
def test_what_neither_of_them_has(python: str, package: str, module: str) -> None:
    for row in (
        *("Keys from a JWK Set's URL", "Opaque tokens (introspection)"),
        *("Proofs of possession (DPoP)", "Encrypted tokens (JWE)"),
        *("An OAuth or OpenID Connect server of your own",),
        *("Better Auth's sessions and tables",),
    ):
        assert FIRST[row][package] == "no"
    where = installed(python, module)
    words = ("jwks", "introspect", "dpop", "jwe", "better-auth", "authorization_code")
    assert mentions(where, *words) == []
    (about,) = where.parent.glob(f"{module}-*.dist-info/METADATA")
    assert re.search(rf"{package}\s+{about.parent.name.split('-')[1][:-5]}", PAGE)
    is_maintained = "This project is now in maintenance mode." in about.read_text()
    assert is_maintained == (package == "fastapi-users")


@pytest.fixture(scope="module")
def authx(python: str) -> Iterator[httpx2.Client]:
    settings = {"JWT_ALGORITHM": "HS256", "JWT_SECRET_KEY": SECRET}
    with serving(python, AUTHX + AUTHX_MORE, **settings, PASSWORD=PASSWORD) as client:
        yield client


def pair(authx: httpx2.Client) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers of an access token and of its refresh token."""
    both = authx.post("/sign-in", json={"password": PASSWORD}).json()
    return bearer(both["access_token"]), bearer(both["refresh_token"])


@pytest.mark.soak
def test_authx_refreshes_and_ends_what_a_function_says(authx: httpx2.Client) -> None:
    assert FIRST["Refresh tokens"]["AuthX"] == "yes"
    ending = FIRST["Ending a session"]["AuthX"]
    assert ending == "by a function or a store that you give"
    access, refresh = pair(authx)
    assert authx.post("/refresh", headers=access).status_code == 401
    assert authx.post("/refresh", headers=refresh).status_code == 200
    assert authx.get("/me", headers=access).status_code == 200
    assert authx.post("/sign-out", headers=access).status_code == 200
    assert authx.get("/me", headers=access).status_code == 401


@pytest.mark.soak
def test_authx_asks_for_scopes_and_counts_requests(authx: httpx2.Client) -> None:
    assert FIRST["Roles or scopes in a route"]["AuthX"] == "scopes, policies"
    assert FIRST["Limits for sign-ins"]["AuthX"] == "a limiter for routes"
    access, refresh = pair(authx)
    without = authx.post("/refresh", headers=refresh).json()["access_token"]
    assert authx.get("/items", headers=access).status_code == 200
    assert authx.get("/items", headers=bearer(without)).status_code == 403
    seen = [authx.get("/limited", headers=access).status_code for _ in range(3)]
    assert seen == [200, 200, 429]


@pytest.mark.soak
def test_authx_wants_a_second_token_with_cookies(authx: httpx2.Client) -> None:
    row = FIRST["Cookies, and what protects them from other sites"]
    assert row["AuthX"] == "a second token (double submit)"
    authx.post("/cookies").raise_for_status()
    second = authx.cookies["csrf_access_token"]
    assert authx.post("/by-cookie").status_code == 401
    named = {"X-CSRF-TOKEN": second}
    assert authx.post("/by-cookie", headers=named).status_code == 200
    authx.cookies.clear()


@pytest.mark.soak
def test_authx_hashes_nothing(python: str) -> None:
    assert FIRST["Password hashing"]["AuthX"] == "no"
    assert FIRST["Sign-up, sign-in, a forgotten password"]["AuthX"] == "no"
    assert not imported(installed(python, "authx")) & HASHERS
