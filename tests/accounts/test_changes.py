"""What signed-in users change of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.pool import NullPool
from sqlmodel import Field as Column
from sqlmodel import Session, SQLModel, create_engine

from account_desk import Desk, at_the_desk
from accounts_kit import CHEAP, EMAIL, PASSWORD, Store, make_auth, rows
from fastbearer.accounts import Accounts, SQLModelUserStore
from fastbearer.errors import ConfigurationError
from servers import on_every_database

TEXT = "Name must be a string of at most 255 characters, or null"


def test_the_name(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up(name="Ada")
        answer = await desk.ask("PATCH", "me", name=" Countess ")
        assert answer.status_code == 200
        assert answer.json() == {"success": True, "data": await desk.me()}
        assert (await desk.me())["name"] == "Countess"
        assert (await desk.ask("PATCH", "me")).json() == answer.json()
        await desk.ask("PATCH", "me", name=None)
        assert (await desk.me())["name"] is None
        assert desk.names() == ["signed_up", "profile_changed", "profile_changed"]

    at_the_desk(tried, database)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"name": 1}, TEXT),
        ({"name": "x" * 256}, TEXT),
        ({"name": "x\0"}, TEXT),
    ],
)
def test_invalid_names(tmp_path: Path, body: dict[str, Any], detail: str) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up(name="Ada")
        answer = await desk.ask("PATCH", "me", **body)
        assert (answer.status_code, answer.json()) == (400, {"detail": detail})
        assert (await desk.me())["name"] == "Ada"

    at_the_desk(tried, tmp_path / "a.db")


def test_nobody_raises_themselves(tmp_path: Path) -> None:
    """Neither e-mail nor phone, nor anything that is not the user's to say."""
    asked = {
        "email": "eve@example.com",
        "email_verified": True,
        "phone": "+41441234567",
        "roles": ["admin"],
        "is_active": False,
        "password_hash": "x",
        "id": "1",
        "created_at": "2020-01-01T00:00:00Z",
    }
    query = (
        "SELECT id, email, email_verified, phone, roles, is_active, password_hash,"
        " created_at FROM fastbearer_user"
    )

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        before = rows(tmp_path / "a.db", query)
        assert (await desk.ask("PATCH", "me", **asked)).status_code == 200
        assert rows(tmp_path / "a.db", query) == before

    at_the_desk(tried, tmp_path / "a.db")


def test_without_a_token(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        assert (await desk.ask("PATCH", "me", name="x")).status_code == 401
        await desk.sign_up()
        await desk.post("delete-account", password=PASSWORD)
        assert (await desk.ask("PATCH", "me", name="x")).status_code == 401

    at_the_desk(tried, tmp_path / "a.db")


@on_every_database
def test_the_user_name(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up("eve@example.com")
        assert (await desk.ask("PATCH", "me", username="eve")).status_code == 200
        await desk.sign_up()
        taken = await desk.ask("PATCH", "me", username="EVE")
        assert (
            taken.status_code == 400 and "already registered" in taken.json()["detail"]
        )
        for wrong in ("eve@example.com", "+41441234567", "ab", "\u0435ve", "", None):
            answer = await desk.ask("PATCH", "me", username=wrong)
            assert answer.status_code == 400
            assert answer.json()["detail"].startswith("User name must be 3 to 30")
        assert (await desk.ask("PATCH", "me", username=" Ada ")).status_code == 200

    at_the_desk(tried, database, names=("email", "username"))
    found = rows(database, "SELECT username FROM fastbearer_user ORDER BY username")
    assert found == [("ada",), ("eve",)]


# --- a project's own


class Person(SQLModel, table=True):
    __tablename__ = "person_of_changes"
    id: str = Column(
        primary_key=True, default_factory=lambda: __import__("uuid").uuid4().hex
    )
    email: str = Column(unique=True)
    password_hash: str
    company: str = "none"
    locale: str = "en"
    is_staff: bool = False


class MyChanges(BaseModel):
    company: Annotated[str | None, Field(max_length=20, description="At most 20")] = (
        None
    )
    locale: str = "en"


@pytest.fixture
def people(tmp_path: Path) -> Any:
    engine = create_engine(f"sqlite:///{tmp_path}/people.db", poolclass=NullPool)
    SQLModel.metadata.create_all(engine, tables=[Person.__table__])  # type: ignore[attr-defined]

    def get_session() -> Any:
        with Session(engine) as session:
            yield session

    return SQLModelUserStore(Person, get_session)


def test_fields_of_ones_own(tmp_path: Path, people: Any) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        answer = await desk.ask("PATCH", "me", company="ACME", is_staff=True)
        assert answer.status_code == 200
        answer = await desk.ask("PATCH", "me", company="x" * 21)
        assert (answer.status_code, answer.json()) == (400, {"detail": "At most 20"})

    at_the_desk(tried, tmp_path / "a.db", store=people, changes=MyChanges)
    query = "SELECT company, locale, is_staff FROM person_of_changes"
    # What was left out is not written, whatever its default.
    assert rows(tmp_path / "people.db", query) == [("ACME", "en", 0)]


def test_what_a_schema_does_not_declare_is_not_written(
    tmp_path: Path, people: Any
) -> None:
    class Open(MyChanges):
        model_config = ConfigDict(extra="allow")

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        body = {"locale": "de", "is_staff": True, "email": "eve@example.com"}
        assert (await desk.ask("PATCH", "me", **body)).status_code == 200
        assert (await desk.me())["email"] == EMAIL

    at_the_desk(tried, tmp_path / "a.db", store=people, changes=Open)
    query = "SELECT locale, is_staff FROM person_of_changes"
    assert rows(tmp_path / "people.db", query) == [("de", 0)]


def test_a_schema_must_be_fit(tmp_path: Path, people: Any) -> None:
    class Needed(BaseModel):
        company: str

    class Raised(BaseModel):
        is_superuser: bool = False

    class Emails(BaseModel):
        email: str = ""

    class Unkept(BaseModel):
        colour: str = ""

    def made(changes: Any, store: Any = None) -> Accounts:
        auth = make_auth(tmp_path / "a.db")
        return Accounts(auth, changes=changes, store=store, hasher=CHEAP)

    for wrong, told in (
        (Needed, "may all be left out"),
        (BaseModel, "may all be left out"),
        (dict, "may all be left out"),
        (Raised, "Raised.is_superuser"),
        (Emails, "Emails.email"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            made(wrong)

    async def tried(desk: Desk) -> None:
        pytest.fail("it must not start")

    for store in (people, None):
        with pytest.raises(ConfigurationError, match=r"Unkept\.colour"):
            at_the_desk(tried, tmp_path / "a.db", changes=Unkept, store=store)


def test_a_store_that_cannot_change(tmp_path: Path) -> None:
    class Few:
        """Only what a store must have."""

    with pytest.raises(ConfigurationError, match=r"Few.*change.*changes="):
        Accounts(make_auth(tmp_path / "a.db"), store=Few(), changes=MyChanges)  # type: ignore[arg-type]


def test_what_openapi_says(tmp_path: Path) -> None:
    from fastapi import FastAPI

    app = FastAPI()
    accounts = Accounts(make_auth(tmp_path / "a.db"), names=("email", "username"))
    app.include_router(accounts.router)
    schema = app.openapi()["components"]["schemas"]["Changes"]
    assert set(schema["properties"]) == {"name", "username"}
    assert "required" not in schema
    assert "default" not in schema["properties"]["username"]
