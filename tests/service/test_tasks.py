"""The tasks of the reference service, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from accounts_kit import (
    BODY,
    Store,
    answer,
    bearer,
    http,
    make_auth,
    make_service,
    refused,
    rows,
    sign_up,
    store_of,
)
from asgi import running
from project import OTHER_SECRET
from servers import BOTH, EVERY

Serve = Callable[[FastAPI], str]

TITLE_RULE = "Title must be a string of 1 to 200 characters"
DESCRIPTION_RULE = "Description must be a string of at most 2000 characters, or null"
COMPLETED_RULE = "Completed must be true or false"
LIMIT_RULE = "Limit must be a whole number from 1 to 1000"
OFFSET_RULE = "Offset must be a whole number from 0 to 2147483647"
TASK_ID_RULE = "Task ID must be at most 255 characters, without NUL"
USER_ID_RULE = "User ID must be at most 255 characters, without NUL"
MISSING = refused(404, "Task not found")
OTHERS = refused(403, "User ID mismatch: You can only access your own data")


class User:
    """A user's client: paths are relative to their tasks."""

    def __init__(self, base_url: str, user_id: str, token: str) -> None:
        self.id = user_id
        self.tasks = f"{base_url}/{user_id}/tasks"
        self.headers = bearer(token)

    def ask(self, method: str, path: str = "", **options: Any) -> httpx2.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return http.request(method, self.tasks + path, headers=headers, **options)

    def create(self, title: str = "Read RFC 7519", **fields: Any) -> dict[str, Any]:
        response = self.ask("POST", json={"title": title, **fields})
        assert response.status_code == 201, response.text
        task = response.json()["data"]
        assert isinstance(task, dict)
        return task

    def titles(self, **query: Any) -> list[str]:
        response = self.ask("GET", params=query)
        assert response.status_code == 200
        return [task["title"] for task in response.json()["data"]]


@pytest.fixture(scope="module", params=BOTH)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Store]]:
    folder = tmp_path_factory.mktemp("tasks")
    with (
        store_of(request.param, folder) as database,
        running(make_service(database)) as url,
    ):
        yield url, database


def signed_up(service: tuple[str, Store], name: str) -> User:
    url, database = service
    number = rows(database, "SELECT count(*) FROM fastbearer_user")[0][0]
    data = sign_up(url, email=f"{name}{number}@example.com").json()["data"]
    return User(url, data["user"]["id"], data["token"])


@pytest.fixture
def ada(service: tuple[str, Store]) -> User:
    return signed_up(service, "ada")


@pytest.fixture
def bob(service: tuple[str, Store]) -> User:
    return signed_up(service, "bob")


pytestmark = pytest.mark.http


# --- what goes well


@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_a_task_is_created(ada: User) -> None:
    body = {"title": "  Read RFC 7519 ", "description": " all of it\n"}
    response = ada.ask("POST", json=body)
    assert response.status_code == 201
    task = response.json()["data"]
    assert response.json() == {"success": True, "data": task}
    assert task == {
        "id": task["id"],
        "title": "Read RFC 7519",
        "description": " all of it\n",
        "completed": False,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }
    assert isinstance(task["id"], str) and task["id"]
    created_at = datetime.fromisoformat(task["created_at"])
    assert created_at.utcoffset() == timedelta(0)
    assert answer(ada.ask("GET", f"/{task['id']}")) == (200, response.json())


@pytest.mark.parametrize("fields", [{}, {"description": None}])
def test_a_description_is_optional(ada: User, fields: dict[str, Any]) -> None:
    assert ada.create(**fields)["description"] is None


def test_what_a_client_cannot_choose(ada: User, bob: User) -> None:
    task = ada.create(id="mine", user_id=bob.id, completed=True, created_at="never")
    assert task["id"] != "mine" and task["completed"] is False
    assert len(ada.titles()) == 1 and bob.titles() == []


@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_the_longest_texts(ada: User) -> None:
    task = ada.create("ñ" * 200, description="🔑" * 2000)
    assert (task["title"], task["description"]) == ("ñ" * 200, "🔑" * 2000)


def test_a_list_is_empty_at_first(ada: User) -> None:
    assert answer(ada.ask("GET")) == (200, {"success": True, "data": []})


@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_a_list_has_the_newest_first(ada: User) -> None:
    made = [ada.create(f"task {number}") for number in range(3)]
    listed = ada.ask("GET").json()
    assert listed == {"success": True, "data": made[::-1]}


def test_a_list_by_completion(ada: User) -> None:
    for title in ("a", "b", "c"):
        task = ada.create(title)
    ada.ask("PATCH", f"/{task['id']}/complete")
    assert ada.titles(completed="true") == ["c"]
    assert ada.titles(completed="false") == ["b", "a"]
    assert ada.titles() == ["c", "b", "a"]


@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_a_list_in_pages(ada: User) -> None:
    for number in range(5):
        ada.create(str(number))
    assert ada.titles(limit=2) == ["4", "3"]
    assert ada.titles(limit=2, offset=2) == ["2", "1"]
    assert ada.titles(limit=2, offset=4) == ["0"]
    assert ada.titles(limit=1000, offset=2147483647) == []


def test_a_list_has_a_hundred_tasks_unless_told(
    ada: User, service: tuple[str, Store]
) -> None:
    _, database = service
    ada.create()
    copy = (
        "INSERT INTO fastbearer_task SELECT ?, user_id, title, description, completed,"
        " created_at, updated_at FROM fastbearer_task WHERE user_id = ? LIMIT 1"
    )
    for number in range(100):
        rows(database, copy, f"copy-{number}-{ada.id}"[:32], ada.id)
    assert len(ada.titles()) == 100
    assert len(ada.titles(limit=101)) == 101


@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_put_replaces_a_task(ada: User) -> None:
    task = ada.create(description="old")
    response = ada.ask("PUT", f"/{task['id']}", json={"title": "new"})
    assert response.status_code == 200
    after = response.json()["data"]
    unchanged = {"id": task["id"], "created_at": task["created_at"]}
    fields = {"title": "new", "description": None, "completed": False}
    assert after == {**unchanged, **fields, "updated_at": after["updated_at"]}
    assert after["updated_at"] > task["updated_at"]
    fields = {"title": "newer", "description": "d", "completed": True}
    after = ada.ask("PUT", f"/{task['id']}", json=fields).json()["data"]
    assert after == {**unchanged, **fields, "updated_at": after["updated_at"]}
    assert ada.ask("GET", f"/{task['id']}").json()["data"] == after


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "new"},
        {"description": "new"},
        {"description": None},
        {"completed": True},
        {"title": "new", "description": "new", "completed": True},
    ],
)
@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_patch_changes_what_is_given(ada: User, changes: dict[str, Any]) -> None:
    task = ada.create(description="old")
    response = ada.ask("PATCH", f"/{task['id']}", json=changes)
    assert response.status_code == 200
    after = response.json()["data"]
    assert after == {**task, **changes, "updated_at": after["updated_at"]}
    assert after["updated_at"] > task["updated_at"]
    assert ada.ask("GET", f"/{task['id']}").json()["data"] == after


@pytest.mark.parametrize("changes", [{}, {"id": "other", "user_id": "other"}])
def test_patch_without_changes(ada: User, changes: dict[str, str]) -> None:
    task = ada.create()
    response = ada.ask("PATCH", f"/{task['id']}", json=changes)
    assert answer(response) == (200, {"success": True, "data": task})


@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_complete_toggles(ada: User) -> None:
    task = ada.create()
    for completed in (True, False, True):
        response = ada.ask("PATCH", f"/{task['id']}/complete")
        assert response.status_code == 200
        after = response.json()["data"]
        updated_at = after["updated_at"]
        assert after == {**task, "completed": completed, "updated_at": updated_at}


@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_toggles_at_a_time_all_count(ada: User) -> None:
    task = ada.create()

    def toggle(_: int) -> int:
        return ada.ask("PATCH", f"/{task['id']}/complete").status_code

    with ThreadPoolExecutor(11) as threads:
        assert list(threads.map(toggle, range(11))) == [200] * 11
    assert ada.ask("GET", f"/{task['id']}").json()["data"]["completed"] is True


@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_delete(ada: User) -> None:
    task, other = ada.create("gone"), ada.create("stays")
    path = f"/{task['id']}"
    assert answer(ada.ask("DELETE", path)) == (200, {"success": True})
    assert answer(ada.ask("DELETE", path)) == MISSING
    assert answer(ada.ask("GET", path)) == MISSING
    assert ada.titles() == [other["title"]]


def test_a_user_of_the_token_alone_has_tasks(
    service: tuple[str, Store], tmp_path: Path
) -> None:
    """A Better Auth frontend signs tokens for users who are not in our table."""
    url, _ = service
    user_id = "Zq3nVx0Lw8 ünïcode"
    token = make_auth(tmp_path / "unused.db").generate_jwt_token(user_id, "")
    user = User(url, user_id, token)
    user.create("theirs")
    assert user.titles() == ["theirs"]


# --- nobody else's business

EVERY_ROUTE = [
    ("GET", "", None),
    ("POST", "", {"title": "x"}),
    ("GET", "/{id}", None),
    ("PUT", "/{id}", {"title": "x"}),
    ("PATCH", "/{id}", {"title": "x"}),
    ("PATCH", "/{id}/complete", None),
    ("DELETE", "/{id}", None),
]
TASK_ROUTES = EVERY_ROUTE[2:]


@pytest.mark.parametrize(("method", "path", "body"), EVERY_ROUTE)
def test_no_token_and_bad_tokens(
    ada: User, tmp_path: Path, method: str, path: str, body: Any
) -> None:
    path = path.format(id=ada.create()["id"])
    bare = http.request(method, ada.tasks + path, json=body)
    assert answer(bare) == refused(401, "Not authenticated")
    auth = make_auth(tmp_path / "unused.db", secret=OTHER_SECRET)
    forged = bearer(auth.generate_jwt_token(ada.id, ""))
    response = ada.ask(method, path, json=body, headers=forged)
    assert answer(response) == refused(401, "Invalid token")
    assert "www-authenticate" in response.headers
    assert ada.titles() == ["Read RFC 7519"]


@pytest.mark.parametrize(("method", "path", "body"), EVERY_ROUTE)
def test_another_users_path(
    ada: User, bob: User, method: str, path: str, body: Any
) -> None:
    path = path.format(id=bob.create()["id"])
    url = bob.tasks + path
    response = http.request(method, url, json=body, headers=ada.headers)
    assert answer(response) == OTHERS
    assert bob.titles() == ["Read RFC 7519"]


@pytest.mark.parametrize(("method", "path", "body"), TASK_ROUTES)
@pytest.mark.parametrize("service", EVERY, indirect=True)
def test_another_users_task(
    ada: User, bob: User, method: str, path: str, body: Any
) -> None:
    theirs = bob.create()
    response = ada.ask(method, path.format(id=theirs["id"]), json=body)
    never_was = ada.ask(method, path.format(id="0" * 32), json=body)
    assert answer(response) == answer(never_was) == MISSING
    assert bob.ask("GET", f"/{theirs['id']}").json()["data"] == theirs


@pytest.mark.parametrize(("method", "path", "body"), TASK_ROUTES)
@pytest.mark.parametrize("task_id", ["x", "%2e", "-1", str(2**63), "%F0%9F%94%91"])
def test_ids_that_never_were(
    ada: User, method: str, path: str, body: Any, task_id: str
) -> None:
    response = ada.ask(method, path.format(id=task_id), json=body)
    assert answer(response) == MISSING


# --- invalid input


@pytest.mark.parametrize(("method", "path", "body"), TASK_ROUTES)
@pytest.mark.parametrize("task_id", ["a%00b", "x" * 256])
def test_invalid_ids(
    ada: User, method: str, path: str, body: Any, task_id: str
) -> None:
    response = ada.ask(method, path.format(id=task_id), json=body)
    assert answer(response) == refused(400, TASK_ID_RULE)


@pytest.mark.parametrize(("user_id", "path"), [("a\0b", "a%00b"), ("x" * 256,) * 2])
def test_invalid_user_ids(
    service: tuple[str, Store], tmp_path: Path, user_id: str, path: str
) -> None:
    token = make_auth(tmp_path / "unused.db").generate_jwt_token(user_id, "")
    user = User(service[0], path, token)
    for method, body in (("GET", None), ("POST", {"title": "x"})):
        response = user.ask(method, json=body)
        assert answer(response) == refused(400, USER_ID_RULE)


INVALID_FIELDS = [
    ({"title": None}, TITLE_RULE),
    ({"title": ""}, TITLE_RULE),
    ({"title": " \t\n"}, TITLE_RULE),
    ({"title": "t" * 201}, TITLE_RULE),
    ({"title": 7}, TITLE_RULE),
    ({"title": ["t"]}, TITLE_RULE),
    ({"title": "a\0b"}, TITLE_RULE),
    ({"title": "t", "description": 7}, DESCRIPTION_RULE),
    ({"title": "t", "description": "d" * 2001}, DESCRIPTION_RULE),
    ({"title": "t", "description": "a\0b"}, DESCRIPTION_RULE),
]
NOT_BOOLEAN: list[Any] = [None, "true", 1, 0.0, [], 10**400]
INVALID_COMPLETED = [
    ({"title": "t", "completed": value}, COMPLETED_RULE) for value in NOT_BOOLEAN
]


@pytest.mark.parametrize(("body", "detail"), INVALID_FIELDS)
def test_invalid_fields(ada: User, body: dict[str, Any], detail: str) -> None:
    task = ada.create()
    one = f"/{task['id']}"
    for method, path in (("POST", ""), ("PUT", one), ("PATCH", one)):
        response = ada.ask(method, path, json=body)
        assert answer(response) == refused(400, detail), method
    assert ada.ask("GET").json()["data"] == [task]


@pytest.mark.parametrize(("body", "detail"), INVALID_COMPLETED)
def test_invalid_completed(ada: User, body: dict[str, Any], detail: str) -> None:
    task = ada.create()
    for method in ("PUT", "PATCH"):
        response = ada.ask(method, f"/{task['id']}", json=body)
        assert answer(response) == refused(400, detail), method
    assert ada.ask("GET").json()["data"] == [task]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_title_is_required(ada: User, method: str) -> None:
    path = f"/{ada.create()['id']}" if method == "PUT" else ""
    response = ada.ask(method, path, json={"description": "no title"})
    assert answer(response) == refused(400, TITLE_RULE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"title": "\\ud800"}',
        b'{"title": "\xff"}',
        b'{"title": "t", "x": NaN}',
        b'{"title": "t", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_broken_bodies(ada: User, body: bytes) -> None:
    task = ada.create()
    one = f"/{task['id']}"
    headers = {"Content-Type": "application/json"}
    for method, path in (("POST", ""), ("PUT", one), ("PATCH", one)):
        response = ada.ask(method, path, content=body, headers=headers)
        assert answer(response) == refused(400, BODY), method
    assert ada.ask("GET").json()["data"] == [task]


def test_a_body_that_is_not_announced_as_json(ada: User) -> None:
    content = json.dumps({"title": "t"}).encode()
    headers = {"Content-Type": "text/plain"}
    response = ada.ask("POST", content=content, headers=headers)
    assert answer(response) == refused(400, BODY)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", LIMIT_RULE),
        ("limit=1001", LIMIT_RULE),
        ("limit=-1", LIMIT_RULE),
        ("limit=", LIMIT_RULE),
        ("limit=1.5", LIMIT_RULE),
        (f"limit={2**63}", LIMIT_RULE),
        (f"limit={'9' * 5000}", LIMIT_RULE),
        ("limit=%00", LIMIT_RULE),
        ("limit=%ED%A0%80", LIMIT_RULE),
        ("offset=-1", OFFSET_RULE),
        (f"offset={2**31}", OFFSET_RULE),
        (f"offset={2**63}", OFFSET_RULE),
        ("offset=x", OFFSET_RULE),
        ("completed=maybe", COMPLETED_RULE),
        ("completed=", COMPLETED_RULE),
        ("completed=%00", COMPLETED_RULE),
    ],
)
def test_invalid_queries(ada: User, query: str, detail: str) -> None:
    response = ada.ask("GET", f"?{query}")
    assert answer(response) == refused(400, detail)
