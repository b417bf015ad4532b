"""``examples/own-fields``, run as its users run it, on a PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from example_service import ExampleService, running_example
from servers import ask, own_database

pytestmark = [pytest.mark.postgres, pytest.mark.http]

ADA = {
    "email": "ada@example.com",
    "password": "correct horse battery",
    "username": "Ada",
    "company": "Analytical",
}
SIGN_UP, SIGN_IN = "/api/auth/signup", "/api/auth/signin"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with own_database() as url:
        yield url


@pytest.fixture(scope="module")
def service(database: str) -> Iterator[ExampleService]:
    url = database.replace("postgresql://", "postgresql+asyncpg://")
    idle = ExampleService.idle("own-fields", DATABASE_URL=url)
    idle.run("fastbearer", "migrate", "--accounts")
    idle.run("create_tables")
    with running_example("own-fields", DATABASE_URL=url) as running:
        yield running


def test_members_sign_up_and_in(service: ExampleService, database: str) -> None:
    status, answer = service.post(SIGN_UP, **ADA)
    assert status == 201, answer
    shown = answer["data"]["user"]
    known = {"email": "ada@example.com", "username": "ada", "company": "Analytical"}
    assert shown == {"id": shown["id"], "name": None, **known}
    (row,) = ask(database, "SELECT id, email, username, company FROM member")
    assert [str(one) for one in row] == [shown["id"], *known.values()]
    for name in ({"email": "ada@example.com"}, {"username": "ADA"}):
        status, answer = service.post(SIGN_IN, password=ADA["password"], **name)
        assert status == 200 and answer["data"]["user"] == shown, answer
    token = answer["data"]["token"]
    status, answer = service.get("/api/auth/me", token)
    assert status == 200 and answer["data"]["company"] == "Analytical", answer
    assert service.get("/company", token) == (200, "Analytical")
    assert service.get("/company")[0] == 401


def test_what_is_refused(service: ExampleService, database: str) -> None:
    someone = {**ADA, "email": "zoe@example.com", "username": "zoe"}
    assert service.post(SIGN_UP, **someone)[0] == 201
    for wrong in (
        {"company": ""},
        {"company": None},
        {"company": "x" * 81},
        {"username": "zoe@example.com"},
        {"username": "+41441234567"},
        {"username": "zo"},
        {"username": "Zoe", "email": "other@example.com"},
    ):
        status, answer = service.post(SIGN_UP, **{**someone, **wrong})
        assert status == 400, (wrong, answer)
        assert "correct horse" not in str(answer)
    missing = {name: value for name, value in someone.items() if name != "company"}
    assert service.post(SIGN_UP, **missing)[0] == 400
    rows = ask(database, "SELECT username FROM member WHERE company = 'Analytical'")
    assert ("zoe",) in rows and ("other",) not in rows


def test_openapi_has_its_fields(service: ExampleService) -> None:
    _, document = service.get("/openapi.json")
    schemas = document["components"]["schemas"]
    new = schemas["NewMember"]
    assert {"email", "password", "username", "company"} <= set(new["required"])
    shown = schemas["ShownMember"]["properties"]
    assert {"id", "email", "name", "username", "company"} <= set(shown)
