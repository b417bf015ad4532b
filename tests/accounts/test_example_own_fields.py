"""``examples/own-fields``, run as its users run it, on a PostgreSQL."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from accounts_kit import http
from ports import free_port
from project import ROOT, SECRET
from servers import ask, own_database
from waiting import wait_until

EXAMPLE = ROOT / "examples" / "own-fields"
MOST_LINES = 40
ADA = {
    "email": "ada@example.com",
    "password": "correct horse battery",
    "username": "Ada",
    "company": "Analytical",
}
EVE = {**ADA, "email": "eve@example.com", "username": "eve"}
BOB = {**ADA, "email": "bob@example.com", "username": "bob", "company": "Difference"}


class Service:
    """The example, while it runs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        response = http.post(f"{self._url}/api/auth/{path}", json=body)
        return response.status_code, response.json()

    def get(self, path: str, token: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = http.get(f"{self._url}{path}", headers=headers)
        return response.status_code, response.json()


@contextmanager
def running(database: str) -> Iterator[Service]:
    port = free_port()
    environment = {
        **os.environ,
        "BETTER_AUTH_SECRET": SECRET,
        "DATABASE_URL": database,
        "THROTTLE": "0",
    }
    run = {"cwd": EXAMPLE, "env": environment}
    migrate = [sys.executable, "-m", "fastbearer", "migrate", "--accounts"]
    subprocess.run(migrate, check=True, **run)  # type: ignore[call-overload]
    serve = ["uvicorn", "app:app", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen([sys.executable, "-m", *serve], **run) as process:  # type: ignore[call-overload]
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None, "the example has not started"
            try:
                return bool(http.get(f"{url}/openapi.json").is_success)
            except httpx2.TransportError:
                return False

        try:
            wait_until(answers)
            yield Service(url)
        finally:
            process.send_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with own_database() as url:
        yield url


@pytest.fixture(scope="module")
def service(database: str) -> Iterator[Service]:
    with running(database) as service:
        yield service


def test_it_is_short() -> None:
    """Without the imports and docstrings: those are the same in any module."""
    tree = ast.parse((EXAMPLE / "app.py").read_text())
    not_counted = (ast.Import, ast.ImportFrom)
    lines: set[int] = set()
    for node in ast.walk(tree):
        is_docstring = isinstance(node, ast.Expr) and isinstance(
            node.value, ast.Constant
        )
        if isinstance(node, ast.stmt) and not is_docstring:
            first = node.lineno
            decorators = getattr(node, "decorator_list", [])
            lines.update(one.lineno for one in decorators)
            if not isinstance(node, not_counted):
                body = getattr(node, "body", None)
                last = body[0].lineno - 1 if body else node.end_lineno
                lines.update(range(first, (first if body else last or first) + 1))
    text = (EXAMPLE / "app.py").read_text().splitlines()
    code = [number for number in lines if text[number - 1].strip()]
    assert len(code) <= MOST_LINES, len(code)


@pytest.mark.postgres
@pytest.mark.http
def test_members_sign_up_and_in(service: Service, database: str) -> None:
    status, answer = service.post("signup", **ADA)
    assert status == 201, answer
    shown = answer["data"]["user"]
    assert shown == {
        "id": shown["id"],
        "email": "ada@example.com",
        "name": None,
        "username": "ada",
        "company": "Analytical",
    }
    (row,) = ask(database, "SELECT id, email, username, company FROM member")
    assert [str(row[0]), *row[1:]] == [
        shown["id"],
        "ada@example.com",
        "ada",
        "Analytical",
    ]
    for name in ({"email": "ada@example.com"}, {"username": "ADA"}):
        status, answer = service.post("signin", password=ADA["password"], **name)
        assert status == 200 and answer["data"]["user"] == shown, answer
    token = answer["data"]["token"]
    status, answer = service.get("/api/auth/me", token)
    assert status == 200 and answer["data"]["company"] == "Analytical", answer

    for other in (EVE, BOB):
        assert service.post("signup", **other)[0] == 201
    assert service.get("/colleagues", token) == (200, ["ada", "eve"])
    assert service.get("/colleagues")[0] == 401


@pytest.mark.postgres
@pytest.mark.http
def test_what_is_refused(service: Service, database: str) -> None:
    someone = {**ADA, "email": "zoe@example.com", "username": "zoe"}
    assert service.post("signup", **someone)[0] == 201
    for wrong in (
        {"company": ""},
        {"company": None},
        {"company": "x" * 81},
        {"username": "zoe@example.com"},
        {"username": "+41441234567"},
        {"username": "zo"},
        {"username": "Zoe", "email": "other@example.com"},
    ):
        status, answer = service.post("signup", **{**someone, **wrong})
        assert status in (400, 422), (wrong, answer)
        assert "correct horse" not in str(answer)
    missing = {name: value for name, value in someone.items() if name != "company"}
    assert service.post("signup", **missing)[0] == 400
    rows = ask(database, "SELECT username FROM member WHERE company = 'Analytical'")
    assert ("zoe",) in rows and ("other",) not in rows


@pytest.mark.postgres
@pytest.mark.http
def test_openapi_has_its_fields(service: Service) -> None:
    _, document = service.get("/openapi.json")
    schemas = document["components"]["schemas"]
    new = schemas["NewMember"]
    assert {"email", "password", "username", "company"} <= set(new["required"])
    shown = schemas["ShownMember"]["properties"]
    assert {"id", "email", "name", "username", "company"} <= set(shown)
