"""A real Better Auth server for the tests: its npm package, in Node, on loopback.

    with better_auth("1.7.25", plugins={"jwt": {}, "bearer": {}}) as server:
        ada = server.sign_up("ada@example.com", "correct horse battery", "Ada")
        server.get("/get-session", cookie=ada.cookie).json()["user"]["id"] == ada.id
        ba = BetterAuth.from_environment(server.environment)
        ba.read_session_token(ada.cookies["better-auth.session_token"]) == ada.token

`VERSIONS` are those that the tests meet; `SECRET` is the secret unless another is
given. A version is installed with npm once, into ``build/``; what npm says where it
cannot is raised. Without Node 20 the test is skipped; it carries the marker ``node``,
and ``postgres`` or ``redis`` where it asks for those.

`better_auth` has these options, and beside them takes Better Auth's own, as JSON has
them (``session={"cookieCache": {...}}``, ``advanced={"cookiePrefix": "x"}``,
``baseURL="https://app.example.com"``, ``user={"additionalFields": {...}}``):

- ``plugins``: name -> options, of ``better-auth/plugins``. ``twoFactor`` sends its
  codes to `sent`, as are the links of verification and of forgotten passwords.
- ``secret``, and ``secrets`` (``"2:new,1:old"``): BETTER_AUTH_SECRET(S) of its
  environment.
- ``database_url``: a PostgreSQL, whose tables Better Auth's own migration makes.
  Without it rows are in memory, and gone with the server.
- ``redis_url``, and ``redis_prefix``: a Redis for its ``secondaryStorage``, with
  @better-auth/redis-storage.
- ``port``: in place of a free one.

E-mail and password are on, telemetry and rate limits are off. `rows`, `insert`,
`update` and `delete` reach the tables as Better Auth's adapter does.
`better_auth_servers` is for fixtures: it starts every server once.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

import httpx2
import pytest

from npm import npm_install
from project import SECRET
from servers import NO_NODE, has_node
from waiting import HANG

__all__ = [
    "SECRET",
    "VERSIONS",
    "BetterAuthServer",
    "SignedIn",
    "Start",
    "better_auth",
    "better_auth_servers",
    "cookie_header",
    "cookies_of",
]

NEWEST, OLDER = VERSIONS = ("1.7.25", "1.6.34")
REDIS_STORAGE = {NEWEST: "1.7.5", OLDER: "1.6.33"}
"""better-auth -> its @better-auth/redis-storage, which has versions of its own."""

SOURCES = Path(__file__).parent / "better_auth_node"
Start = Callable[..., "BetterAuthServer"]


# --- installing ---------------------------------------------------------------------


def installed_packages(version: str) -> Path:
    """Return the folder in which a version of better-auth is installed.

    Skips the test without Node, and fails it with what npm says.
    """
    if not has_node():
        pytest.skip(NO_NODE)
    folder, problem = _installed(version)
    if problem:
        pytest.fail(f"npm could not install better-auth {version}:\n{problem}", False)
    return folder


@cache
def _installed(version: str) -> tuple[Path, str]:
    """Return the folder, and what npm said if it failed: it is asked but once."""
    return npm_install(f"better-auth-{version}", _package(version))


def _package(version: str) -> str:
    package = json.loads((SOURCES / "package.json").read_text())
    package["dependencies"] |= {
        "better-auth": version,
        "@better-auth/redis-storage": REDIS_STORAGE[version],
    }
    return json.dumps(package, indent=2)


def install_all() -> None:
    """Install every version before the tests, and say so; they say what is missing."""
    if not has_node():
        print(f"fastbearer: {NO_NODE}; the tests with it will be skipped")
        return
    for version in VERSIONS:
        print(f"fastbearer: installing better-auth {version} with npm", flush=True)
        problem = _installed(version)[1]
        if problem:
            print(problem)


# --- a server -----------------------------------------------------------------------


@contextmanager
def better_auth(version: str, **options: Any) -> Iterator[BetterAuthServer]:
    """Run a server; this module's docstring has the options."""
    folder = installed_packages(version)
    environment = _secrets(options.pop("secret", SECRET), options.pop("secrets", ""))
    with (
        tempfile.TemporaryFile("w+") as log,
        _node(folder, environment, _configuration(options), log) as said,
        httpx2.Client(base_url=said["listening"], timeout=HANG) as client,
    ):
        environment["BETTER_AUTH_URL"] = said["baseURL"]
        yield BetterAuthServer(version, client, environment, log)


@contextmanager
def better_auth_servers() -> Iterator[Start]:
    """Give what starts servers, each once, like `better_auth`; all end together."""
    servers: dict[str, BetterAuthServer] = {}
    with ExitStack() as stack:

        def start(version: str, **options: Any) -> BetterAuthServer:
            key = json.dumps([version, options], sort_keys=True)
            if key not in servers:
                running = better_auth(version, **options)
                servers[key] = stack.enter_context(running)
            return servers[key]

        yield start


def _secrets(secret: str, secrets: str) -> dict[str, str]:
    named = {"BETTER_AUTH_SECRET": secret, "BETTER_AUTH_SECRETS": secrets}
    return {name: value for name, value in named.items() if value}


def _configuration(options: dict[str, Any]) -> str:
    renamed = {
        "database_url": "databaseURL",
        "redis_url": "redisURL",
        "redis_prefix": "redisPrefix",
    }
    named = {renamed.get(name, name): value for name, value in options.items()}
    return json.dumps({"plugins": {}, **named})


@contextmanager
def _node(
    folder: Path, secrets: dict[str, str], options: str, log: IO[str]
) -> Iterator[dict[str, str]]:
    """Run Node; the value is what the server says when it listens."""
    program = _copied(SOURCES / "server.mjs", folder)
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    own = {"BETTER_AUTH_TELEMETRY": "0", "BETTER_AUTH_OPTIONS": options}
    with subprocess.Popen(
        ["node", str(program)],
        env={**kept, **own, **secrets},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, f"Better Auth did not start:\n{_read(log)}"
            yield json.loads(said)
        finally:
            process.kill()


def _copied(source: Path, folder: Path) -> Path:
    """Copy a module to its packages: Node looks for those beside it."""
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy:
        copy.write(source.read_bytes())
    target = folder / source.name
    Path(copy.name).replace(target)
    return target


def _read(log: IO[str]) -> str:
    log.seek(0)
    return log.read()


@dataclass(frozen=True)
class SignedIn:
    """What somebody has been given.

    Attributes:
        user: The user, as the server answered.
        token: The session token, without signature.
        cookies: Name -> value of the cookies, as they are on the wire.
        set_cookies: The ``Set-Cookie`` headers.
        bearer: ``set-auth-token`` of the plugin ``bearer()``, or "".
    """

    user: dict[str, Any]
    token: str
    cookies: dict[str, str]
    set_cookies: list[str]
    bearer: str

    @property
    def id(self) -> str:
        return str(self.user["id"])

    @property
    def cookie(self) -> str:
        """The request header ``Cookie``."""
        return cookie_header(self.cookies)


class BetterAuthServer:
    """A running server.

    Attributes:
        version: Of better-auth.
        base_url: Where it listens: ``http://127.0.0.1:PORT``.
        origin: Its ``baseURL``, where that is another.
        environment: BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS and BETTER_AUTH_URL.
        secret: The secret in use.
    """

    def __init__(
        self,
        version: str,
        client: httpx2.Client,
        environment: dict[str, str],
        log: IO[str],
    ) -> None:
        self.version = version
        self.base_url = str(client.base_url).rstrip("/")
        self.environment = environment
        self.origin = environment["BETTER_AUTH_URL"]
        listed = environment.get("BETTER_AUTH_SECRETS", "").split(",")[0]
        self.secret = listed.partition(":")[2] or environment["BETTER_AUTH_SECRET"]
        self._client = client
        self._log = log

    # --- requests --------------------------------------------------------------

    def request(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx2.Response:
        """Send a request to a path below /api/auth, from the server's own origin.

        No cookie is kept: ``cookie="..."`` sends some. A header's underscores are
        dashes.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._client.request(
            method,
            f"/api/auth{path}",
            json=body,
            headers={"origin": self.origin, **named},
        )
        self._client.cookies.clear()
        return answer

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        return self.request("POST", path, {} if body is None else body, **headers)

    def sign_up(self, email: str, password: str, name: str, **more: Any) -> SignedIn:
        """Make an account; ``more`` are other members of the request."""
        body = {"email": email, "password": password, "name": name, **more}
        return signed_in(self.post("/sign-up/email", body))

    def sign_in(self, email: str, password: str, **more: Any) -> SignedIn:
        """Sign in; ``rememberMe=False`` and such are other members."""
        body = {"email": email, "password": password, **more}
        return signed_in(self.post("/sign-in/email", body))

    def session_of(self, cookie: str, **headers: str) -> dict[str, Any] | None:
        """Return what /get-session says: session and user, or None."""
        answer = self.get("/get-session", cookie=cookie, **headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] | None = answer.json()
        return found

    # --- tables ----------------------------------------------------------------

    def rows(self, model: str, **where: Any) -> list[dict[str, Any]]:
        """Return the rows whose fields are equal; dates are text, as in JSON."""
        found: list[dict[str, Any]] = self._table("rows", model, where=where)
        return found

    def insert(self, model: str, row: dict[str, Any]) -> dict[str, Any]:
        """Insert a row, its id too if it has one; dates may be datetimes."""
        made: dict[str, Any] = self._table("insert", model, data=row)
        return made

    def update(self, model: str, data: dict[str, Any], **where: Any) -> None:
        assert self._table("update", model, data=data, where=where)

    def delete(self, model: str, **where: Any) -> None:
        assert self._table("delete", model, where=where)

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What would have been mailed: kind (verification, reset, otp), user, ..."""
        sent: list[dict[str, Any]] = self._client.get("/test/sent").json()
        return sent

    @property
    def log(self) -> str:
        """What it has written to stderr."""
        return _read(self._log)

    def _table(self, action: str, model: str, **arguments: Any) -> Any:
        body = {"action": action, "model": model, **arguments}
        content = json.dumps(body, default=_iso)
        answer = self._client.post("/test/rows", content=content)
        assert answer.status_code == 200, answer.text
        return answer.json()


def _iso(value: object) -> str:
    assert isinstance(value, datetime)
    written = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def signed_in(answer: httpx2.Response) -> SignedIn:
    """Return what a response to a sign-up or sign-in gives."""
    assert answer.status_code == 200, answer.text
    body, set_cookies = answer.json(), answer.headers.get_list("set-cookie")
    return SignedIn(
        user=body["user"],
        token=body["token"],
        cookies=cookies_of(set_cookies),
        set_cookies=set_cookies,
        bearer=answer.headers.get("set-auth-token", ""),
    )


def cookies_of(set_cookies: list[str]) -> dict[str, str]:
    """Return name -> value of the cookies that a browser has afterwards."""
    cookies = {}
    for one in set_cookies:
        name, _, value = one.partition(";")[0].partition("=")
        cookies[name] = value
        if "Max-Age=0;" in one:
            del cookies[name]
    return cookies


def cookie_header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
