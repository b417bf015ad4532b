"""What a store does not keep tells nobody who is registered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, event
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from account_desk import Desk, at_the_desk
from accounts_kit import CHEAP, EMAIL, PASSWORD, make_auth
from better_auth_tables import BetterAuthTables, better_auth_tables
from fastbearer.accounts import (
    Accounts,
    BetterAuthUserStore,
    SignUp,
    SQLModelUserStore,
    User,
    UserStore,
)
from fastbearer.accounts.codes import Codes
from fastbearer.accounts.emails import EMAIL_LENGTH, nobodys_email
from servers import BOTH, EACH
from wide_databases import Wide, client_of, wide_database

ON: dict[str, Any] = {"require_verified_email": True}
BOB = "bob@example.com"
EVE = "eve@example.com"
UNSEEN = (202, {"success": True})


class Own(SQLModel, registry=registry()):
    """Base of the model here, apart from those of other tests."""


class Fan(Own, table=True):
    """A user with columns that take less than the schema does."""

    id: int | None = Field(default=None, primary_key=True)
    __tablename__ = "fan_of_verified_own_rows"
    __table_args__ = (
        CheckConstraint("email LIKE '%@example.com'", name="of_ours"),
        {"sqlite_autoincrement": True},
    )
    email: str = Field(max_length=254, unique=True)
    password_hash: str = Field(max_length=255)
    email_verified: bool = False
    username: str | None = Field(default=None, max_length=30, unique=True)
    nickname: str | None = Field(default=None, max_length=30, unique=True)
    age: int = Field(default=0, sa_column_args=[CheckConstraint("age < 200")])


class Asked(SignUp):
    """What a fan gives."""

    username: str | None = None
    nickname: str | None = None
    age: int = 0


@pytest.fixture(params=EACH)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wide]:
    with wide_database(request.param, tmp_path) as database:
        database.make(Fan.__table__)  # type: ignore[attr-defined]
        yield database


async def answer_to(desk: Desk, email: str, **given: Any) -> tuple[int, Any]:
    return await desk.told("signup", email=email, password=PASSWORD, **given)


async def refused_alike(desk: Desk, *, status: int, **given: Any) -> None:
    """See that a sign-up is refused in one way, whoever has the e-mail."""
    registered, unknown = [await answer_to(desk, to, **given) for to in (EMAIL, BOB)]
    assert registered == unknown, given
    assert unknown[0] == status, (given, unknown)


UNFIT: dict[str, dict[str, Any]] = {
    "somebody else's": {"nickname": "evil"},
    "too large for the driver": {"age": 2**70},
    "refused by a constraint": {"age": 200},
}


@pytest.mark.parametrize("given", UNFIT.values(), ids=list(UNFIT))
def test_attack_who_is_registered_by_what_does_not_fit(
    project: Wide, tmp_path: Path, given: dict[str, Any]
) -> None:
    async def tried(desk: Desk) -> None:
        assert await answer_to(desk, EMAIL) == UNSEEN
        assert await answer_to(desk, EVE, nickname="evil") == UNSEEN
        sent = len(desk.outbox)
        await refused_alike(desk, status=400, **given)
        assert len(desk.outbox) == sent
        # What fits is answered in one way, too, and nothing of the trial is left.
        assert await answer_to(desk, EMAIL, nickname="new", age=7) == UNSEEN
        assert await answer_to(desk, BOB, nickname="new", age=7) == UNSEEN

    store = SQLModelUserStore(Fan, project.get_session)
    options = {"settings": ON, "store": store, "sign_up": Asked}
    at_the_desk(tried, tmp_path / "a.db", **options)
    kept = project.run(f"SELECT email FROM {Fan.__tablename__}")
    assert sorted(email for (email,) in kept) == sorted([EMAIL, EVE, BOB])


def test_attack_who_is_registered_by_a_name_that_the_database_holds_to_be_equal(
    tmp_path: Path,
) -> None:
    """No look-up finds it: only the unique index knows."""
    index = (
        "CREATE UNIQUE INDEX of_wide ON fan_of_verified_own_rows"
        " (username COLLATE wide)"
    )

    async def tried(desk: Desk) -> None:
        assert await answer_to(desk, EMAIL, username="ada") == UNSEEN
        assert await answer_to(desk, EVE, username="zoe") == UNSEEN
        await refused_alike(desk, status=400, username="zo\u00e9")

    with wide_database("sqlite", tmp_path) as project:
        project.make(Fan.__table__)  # type: ignore[attr-defined]
        project.run(index)
        store = SQLModelUserStore(Fan, project.get_session)
        names = ("email", "username")
        options = {"settings": ON, "store": store, "sign_up": Asked, "names": names}
        at_the_desk(tried, tmp_path / "a.db", **options)


def test_attack_who_is_registered_by_a_row_that_cannot_be_made(tmp_path: Path) -> None:
    """Not even the database has been asked then."""

    class Choosy(SQLModelUserStore):
        def new_row(self, user: User) -> Any:
            if user.given["age"] < 18:
                raise ValueError("too young")
            return super().new_row(user)

    async def tried(desk: Desk) -> None:
        assert await answer_to(desk, EMAIL, age=18) == UNSEEN
        await refused_alike(desk, status=500, age=17)

    with wide_database("sqlite", tmp_path) as project:
        project.make(Fan.__table__)  # type: ignore[attr-defined]
        store = Choosy(Fan, project.get_session)
        options = {"settings": ON, "store": store, "sign_up": Asked}
        at_the_desk(tried, tmp_path / "a.db", **options)


def test_the_trial_is_all_the_work_for_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row before the answer, kept or not; a code for nobody would be a second."""
    done: list[str] = []

    def inserted(*args: Any) -> None:
        done.append("row")

    async def tried(desk: Desk) -> None:
        event.listen(Fan, "after_insert", inserted)
        monkeypatch.setattr(
            "fastbearer.fastapi.strict_routes._set_later", lambda *args: None
        )
        make = Codes.make

        async def made(self: Codes, *args: Any) -> str:
            done.append("code")
            return await make(self, *args)

        monkeypatch.setattr(Codes, "make", made)
        for _ in range(2):
            done.clear()
            assert await answer_to(desk, EMAIL) == UNSEEN
            assert done == ["row"]

    with wide_database("sqlite", tmp_path) as project:
        project.make(Fan.__table__)  # type: ignore[attr-defined]
        store = SQLModelUserStore(Fan, project.get_session)
        try:
            at_the_desk(tried, tmp_path / "a.db", settings=ON, store=store)
        finally:
            event.remove(Fan, "after_insert", inserted)


def test_what_does_not_fit_uses_no_invitation_up(tmp_path: Path) -> None:
    """Whoever has the e-mail: the same invitation is good for what fits."""

    async def run(store: UserStore) -> None:
        auth = make_auth(tmp_path / "a.db", **ON, sign_up="invitation")
        options: dict[str, Any] = {"store": store, "sign_up": Asked}
        accounts = Accounts(auth, hasher=CHEAP, send=print, **options)
        async with client_of(accounts) as client:
            for _ in range(2):
                code = await accounts.invite()
                body = {"email": EMAIL, "password": PASSWORD, "invitation": code}
                statuses = [
                    (await client.post("signup", json={**body, "age": age})).status_code
                    for age in (200, 7, 7)
                ]
                assert statuses == [400, 202, 403]

    with wide_database("sqlite", tmp_path) as project:
        project.make(Fan.__table__)  # type: ignore[attr-defined]
        asyncio.run(run(SQLModelUserStore(Fan, project.get_session)))


# --- in Better Auth's tables


class Named(SignUp):
    """What somebody gives to a server with a field of its own."""

    nickname: str | None = None


@pytest.fixture(params=BOTH)
def tables(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[BetterAuthTables]:
    more = {"nickname": "text unique check (length(nickname) < 30)"}
    with better_auth_tables(request.param, tmp_path, more=more) as made:
        yield made


def test_attack_who_is_registered_by_what_better_auth_does_not_keep(
    tables: BetterAuthTables, tmp_path: Path
) -> None:
    async def tried(desk: Desk) -> None:
        assert await answer_to(desk, EMAIL) == UNSEEN
        assert await answer_to(desk, EVE, nickname="evil") == UNSEEN
        await refused_alike(desk, status=500, nickname="evil")
        await refused_alike(desk, status=500, nickname="x" * 40)
        assert await answer_to(desk, EMAIL, nickname="new") == UNSEEN
        assert await answer_to(desk, BOB, nickname="new") == UNSEEN

    store = BetterAuthUserStore(tables.url, upgrade_hashes=True)
    options = {"settings": ON, "store": store, "sign_up": Named}
    at_the_desk(tried, tmp_path / "a.db", **options)
    assert len(tables.rows("user")) == len(tables.rows("account")) == 3


# --- nobody's e-mail


def test_the_email_of_nobody_is_of_the_same_domain() -> None:
    """A table may take e-mails of one domain only."""
    made = {nobodys_email(EMAIL) for _ in range(20)}
    assert len(made) == 20 and EMAIL not in made
    assert {one.rpartition("@")[2] for one in made} == {"example.com"}


@pytest.mark.parametrize("local", [13, 64])
def test_the_email_of_nobody_is_as_long_as_the_other(local: int) -> None:
    """A column may be too short for a longer one."""
    email = "a" * local + "@example.com"
    assert len(nobodys_email(email)) == len(email)


def test_the_email_of_nobody_is_an_email() -> None:
    domain = ".".join(["d" * 62] * 4)[: EMAIL_LENGTH - 3]
    email = f"ab@{domain}"
    assert len(email) == EMAIL_LENGTH
    assert len(nobodys_email(email)) == EMAIL_LENGTH
