"""``examples/from-fastapi-users``: the application of before, and ours, as processes.

Each is run as it stands, but that what it prints can be asked for.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from compat_packages import environment_or_skip, serving
from project import ROOT, SECRET

EXAMPLE = ROOT / "examples" / "from-fastapi-users"
AUDIENCE = "fastapi-users:auth"

HOOKS = """

@app.get("/used")
async def used():
    return []


@app.get("/mailed")
async def every_mail():
    return mailed
"""
COOKIES = {
    "BearerTransport,": "CookieTransport,",
    'BearerTransport(tokenUrl="auth/jwt/login")': (
        "CookieTransport(cookie_secure=False)"
    ),
}
"""What an application of before changes that has its tokens in cookies."""

NUMBERED = """(*, Base):
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(primary_key=True)
"""
NUMBERS_BEFORE = {
    "(SQLAlchemyBaseUserTableUUID, Base):\n": NUMBERED.replace(
        "*", "SQLAlchemyBaseUserTable[int]"
    ),
    "import SQLAlchemyBaseUserTableUUID,": "import SQLAlchemyBaseUserTable,",
    "UUIDIDMixin": "IntegerIDMixin",
    "uuid.UUID": "int",
}
NUMBERS_AFTER = {
    "(ours.FastAPIUsersTable, Base):\n": NUMBERED.replace("*", "ours.FastAPIUsersTable")
}
"""What applications change whose ids are numbers."""


@dataclass
class Application:
    """An application, while it runs.

    Attributes:
        client: Keeps cookies.
        tokens: Who -> their access token.
        ids: Who -> their id.
    """

    client: httpx2.Client
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, who: str | None = None, **more: Any
    ) -> httpx2.Response:
        """Send a request, with somebody's token if they have one."""
        headers = dict(more.pop("headers", {}))
        if who in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        return self.client.request(method, path, headers=headers, **more)

    def login(self, email: str, password: str) -> httpx2.Response:
        """Sign in, as pages do: with a form."""
        form = {"username": email, "password": password}
        return self.client.post("/auth/jwt/login", data=form)

    def mailed(self, purpose: str) -> list[str]:
        """Return what was mailed for a purpose."""
        every = self.client.get("/mailed").json()
        return [text for text in every if text.startswith(f"{purpose} for ")]

    def mailed_token(self, purpose: str) -> str:
        """Return the token of the last mail for a purpose."""
        return self.mailed(purpose)[-1].rpartition(": ")[2]


@contextmanager
def before(
    url: str, changes: Mapping[str, str] = {}, secret: str = SECRET
) -> Iterator[Application]:
    """Run the application over fastapi-users; skip the test where it cannot be."""
    python = environment_or_skip()
    code = _code("before.py", changes)
    settings = {"SECRET": secret, "DATABASE_URL": url}
    with serving(python, code, **settings) as client:
        yield Application(client)


@contextmanager
def after(
    url: str, changes: Mapping[str, str] = {}, settings: Mapping[str, str] = {}
) -> Iterator[Application]:
    """Run the application over fastbearer."""
    every = {
        "BETTER_AUTH_SECRET": SECRET,
        "JWT_AUDIENCE": AUDIENCE,
        "DATABASE_URL": url,
        "THROTTLE": "off",
        **settings,
    }
    with serving(sys.executable, _code("app.py", changes), **every) as client:
        yield Application(client)


def _code(name: str, changes: Mapping[str, str]) -> str:
    file = EXAMPLE / name
    text = file.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    text = re.sub(r"(?m)^( +)print\(", r"\1mailed.append(", text)
    return f"__file__ = {str(file)!r}\nmailed = []\n{text}{HOOKS}"


def sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def ask_sqlite(file: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(query, values).fetchall()


def shape(response: httpx2.Response) -> Any:
    """Return status and body of a response, without what differs each time."""
    body = response.json() if response.content else None
    status = response.status_code
    if status == 422:
        # Where JSON is none any more is for people.
        body = sorted(
            tuple(map(str, one["loc"]))[: 1 if one["type"] == "json_invalid" else None]
            for one in body["detail"]
        )
    elif status in (401, 403, 404):
        body = {name: type(value).__name__ for name, value in body.items()}
    elif isinstance(body, dict):
        body = {name: _constant(name, value) for name, value in body.items()}
    return status, body


def _constant(name: str, value: Any) -> Any:
    if name in ("id", "access_token"):
        return type(value).__name__
    if isinstance(value, dict) and set(value) == {"code", "reason"}:
        return {**value, "reason": "why"}
    return value
