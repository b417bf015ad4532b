"""What a password has allowed is done only while it is still the password."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import String, create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool

from account_desk import Desk, at_the_desk
from accounts_kit import EMAIL, PASSWORD, bearer
from better_auth_tables import BetterAuthTables
from fastbearer.accounts import (
    BetterAuthUserStore,
    Database,
    SQLAlchemyUserStore,
    User,
)
from fastbearer.accounts.records import new_id
from fastbearer.accounts.stores.database import DatabaseUserStore
from fastbearer.errors import StoreUnavailableError
from servers import own_database

NEW = "another horse battery"
EVE = "eve@example.com"
Work = Callable[[Any], Awaitable[None]]
OLD_HASH, NEW_HASH = "1" * 32 + ":" + "a" * 128, "2" * 32 + ":" + "b" * 128


class Base(DeclarativeBase):
    """Of the project."""


class Owner(Base):
    """A user of the project."""

    __tablename__ = "overtaken_owner"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    email_verified: Mapped[bool] = mapped_column(default=False)


@contextmanager
def url_of(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/own.db"
    else:
        with own_database() as url:
            yield url


def in_store(kind: str, where: str, folder: Path, work: Work) -> None:
    """Do some work in an open store of a kind, in a database of another kind."""

    async def own_table(url: str) -> None:
        database = Database(lambda: url.replace("sqlite:", "sqlite+aiosqlite:"))
        await database.migrate()
        async with database.lifespan(None):
            await work(DatabaseUserStore(database))

    async def own_model(url: str) -> None:
        scheme, _, rest = url.partition(":")
        driver = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}[scheme]
        engine = create_async_engine(f"{scheme}+{driver}:{rest}", poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        await work(SQLAlchemyUserStore(Owner, sessions))
        await engine.dispose()

    async def better_auth(url: str) -> None:
        store = BetterAuthUserStore(url.replace("sqlite:", "sqlite+aiosqlite:"))
        await work(store)
        await store.aclose()

    with url_of(where, folder) as url:
        if kind == "better auth":
            BetterAuthTables(
                url if where == "postgresql" else Path(url.removeprefix("sqlite:///"))
            ).create()
        run = {"table": own_table, "model": own_model, "better auth": better_auth}
        asyncio.run(run[kind](url))


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
@pytest.mark.parametrize("kind", ["table", "model", "better auth"])
def test_whoever_has_another_password_by_now_is_not_changed_nor_removed(
    kind: str, where: str, tmp_path: Path
) -> None:
    async def work(store: Any) -> None:
        await store.add(User(email=EMAIL, password_hash=OLD_HASH))
        found = await store.find_by_email(EMAIL)
        assert await store.change(found, {"email": "ada@new.example"})
        before = await store.find(found.id)
        assert await store.replace_password_hash(before, NEW_HASH)
        assert not await store.change(before, {"email": EVE})
        assert not await store.change(before, {"email_verified": True})
        assert await store.remove(before) is False
        now = await store.find(found.id)
        assert (now.email, now.email_verified) == ("ada@new.example", False)
        assert now.password_hash == NEW_HASH
        # Whose e-mail it is does not depend on the password.
        await store.verify_email(before)
        assert (await store.find(found.id)).email_verified
        assert await store.remove(now) is True
        assert await store.find(found.id) is None
        # Who is gone is gone, whoever was first.
        assert await store.remove(now) is True

    in_store(kind, where, tmp_path, work)


@pytest.mark.parametrize("kind", ["table", "model"])
def test_who_has_a_first_password_by_now_is_not_changed_nor_removed(
    kind: str, tmp_path: Path
) -> None:
    async def work(store: Any) -> None:
        await store.add(User(email=EMAIL, password_hash=""))
        before = await store.find_by_email(EMAIL)
        assert await store.change(before, {"email": "ada@new.example"})
        before = await store.find(before.id)
        assert await store.replace_password_hash(before, NEW_HASH)
        assert not await store.change(before, {"email": EVE})
        assert await store.remove(before) is False

    in_store(kind, "sqlite", tmp_path, work)


def test_a_model_that_keeps_no_password_as_null_is_changed_and_removed(
    tmp_path: Path,
) -> None:
    async def work(store: Any) -> None:
        await store.add(User(email=EMAIL, password_hash=""))
        engine = create_engine(f"sqlite:///{tmp_path}/own.db", poolclass=NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE overtaken_owner SET password_hash=NULL")
        found = await store.find_by_email(EMAIL)
        assert await store.change(found, {"email_verified": True})
        assert await store.change(found, {})
        assert await store.remove(found) is True
        assert not await store.change(found, {})

    in_store("model", "sqlite", tmp_path, work)


class Reset:
    """Another password, chosen by its owner between two steps of a request."""

    def __init__(
        self,
        desk: Desk,
        code: str,
        path: str = "reset-password",
        field: str = "code",
    ) -> None:
        self._desk, self._path = desk, path
        self._body = {field: code, "password": NEW}
        self.status = 0

    async def __call__(self) -> None:
        if not self.status:
            self.status = -1
            answer = await self._desk.client.post(self._path, json=self._body)
            self.status = answer.status_code


def at(step: Any, name: str, reset: Reset, patch: pytest.MonkeyPatch) -> None:
    """Let the reset happen right before a step is taken for the first time."""
    taken = getattr(step, name)

    async def overtaken(self: Any, *args: Any, **options: Any) -> Any:
        await reset()
        return await taken(self, *args, **options)

    patch.setattr(step, name, overtaken)


@pytest.mark.parametrize("step", ["check_claims", "generation", "change", "find"])
def test_a_reset_overtakes_a_change_of_the_email(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The notice to the old address says that another password keeps it."""
    from fastbearer.accounts.sessions import Sessions
    from fastbearer.accounts.stores.checked import CheckedUserStore

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(EVE)
        reset = Reset(desk, await desk.code())
        of = Sessions if hasattr(Sessions, step) else CheckedUserStore
        at(of, step, reset, monkeypatch)
        answer = await desk.ask("POST", "confirm-email", code=code)
        assert reset.status == 200
        assert answer.status_code in (400, 401)
        monkeypatch.undo()
        desk.token = ""
        assert await desk.post("signin", email=EMAIL, password=NEW) == 200
        assert (await desk.me())["email"] == EMAIL

    at_the_desk(tried, tmp_path / "a.db")


def test_no_session_begins_with_an_email_whose_password_was_just_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change was first, and so stays; but who asked for it goes out."""

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(EVE)
        store = DatabaseUserStore.change

        async def replaced(self: Any, user: User, values: Any) -> bool:
            done = await store(self, user, values)
            assert done
            await self.replace_password_hash(user, NEW_HASH)
            return done

        monkeypatch.setattr(DatabaseUserStore, "change", replaced)
        assert await desk.post("confirm-email", code=code) == 401

    at_the_desk(tried, tmp_path / "a.db")


@pytest.mark.parametrize("step", ["generation", "remove"])
def test_a_reset_overtakes_a_deletion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from fastbearer.accounts.sessions import Sessions
    from fastbearer.accounts.stores.checked import CheckedUserStore

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        reset = Reset(desk, await desk.code())
        of = Sessions if hasattr(Sessions, step) else CheckedUserStore
        at(of, step, reset, monkeypatch)
        assert await desk.post("delete-account", password=PASSWORD) == 401
        assert reset.status == 200
        assert "account_deleted" not in desk.names()
        desk.token = ""
        assert await desk.post("signin", email=EMAIL, password=NEW) == 200

    at_the_desk(tried, tmp_path / "a.db")


@pytest.mark.parametrize("step", ["find", "change"])
def test_a_reset_overtakes_a_change_of_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from fastbearer.accounts.stores.checked import CheckedUserStore

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        reset = Reset(desk, await desk.code())
        at(CheckedUserStore, step, reset, monkeypatch)
        answer: httpx2.Response = await desk.ask("PATCH", "me", name="Eve")
        assert (answer.status_code, reset.status) == (401, 200)

    at_the_desk(tried, tmp_path / "a.db")


def test_a_reset_overtakes_another_password_of_a_stolen_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The routes of fastapi-users ask for no password: nothing else is compared."""
    from fastbearer.accounts.stores.checked import CheckedUserStore

    async def tried(desk: Desk) -> None:
        root, client = "http://test", desk.client
        known = {"email": EMAIL, "password": PASSWORD}
        await client.post(f"{root}/auth/register", json=known)
        form = {"username": EMAIL, "password": PASSWORD}
        entered = await client.post(f"{root}/auth/jwt/login", data=form)
        await client.post(f"{root}/auth/forgot-password", json={"email": EMAIL})
        code, path = desk.outbox[-1].code, f"{root}/auth/reset-password"
        reset = Reset(desk, code, path, "token")
        at(CheckedUserStore, "find", reset, monkeypatch)
        answer = await client.patch(
            f"{root}/users/me",
            json={"password": "a password of the thief"},
            headers=bearer(entered.json()["access_token"]),
        )
        assert (answer.status_code, reset.status) == (401, 200)
        form["password"] = NEW
        assert (await client.post(f"{root}/auth/jwt/login", data=form)).is_success

    at_the_desk(tried, tmp_path / "a.db", layout="fastapi-users")


@pytest.mark.parametrize(("failure", "status"), [("open", 200), ("closed", 503)])
def test_a_change_of_fields_while_nobody_knows_who_is_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str, status: int
) -> None:
    from fastbearer.accounts.sessions import Sessions

    async def away(*_: object) -> int:
        raise StoreUnavailableError("away")

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        monkeypatch.setattr(Sessions, "generation", away)
        answer: httpx2.Response = await desk.ask("PATCH", "me", name="Eve")
        assert answer.status_code == status

    settings = {"revocation_failure": failure}
    at_the_desk(tried, tmp_path / "a.db", settings=settings)
