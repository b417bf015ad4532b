"""Values that schemas take and columns do not: refusals, never errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from sqlalchemy import Enum, Float, Interval, Numeric, String, exc
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from account_desk import Desk, at_the_desk
from accounts_kit import EMAIL, PASSWORD
from fastbearer.accounts import SignUp, SQLAlchemyUserStore
from fastbearer.connections.engine import open_engine, parsed_url
from fastbearer.connections.unfit import is_unfit
from fastbearer.connections.values import hide_values
from fastbearer.fastapi.strict_routes import BODY
from servers import EACH
from wide_databases import Wide, wide_database

EVE = "eve@example.com"
UNKEPT = (400, "This cannot be kept")
LONG = [{"span": "P999999999D"}, {"span": "-P999999999D"}]
COLOUR, MONEY = {"colour": "green"}, {"money": "1e40"}
REFUSED: dict[str, list[dict[str, str]]] = {
    "sqlite": [*LONG, COLOUR],
    "postgresql": [COLOUR, MONEY],
    "mariadb": [*LONG, COLOUR, MONEY],
}
"""What does not fit where it is to be kept; other databases may have room for it."""
NO_NUMBERS = ("inf", "-inf", "nan")


class Base(DeclarativeBase):
    """Of the model here."""


class Player(Base):
    """Users with columns whose types convert what they are given."""

    __tablename__ = "player"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    score: Mapped[float | None] = mapped_column(Float(53))
    money: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    span: Mapped[timedelta | None] = mapped_column(Interval)
    colour: Mapped[str | None] = mapped_column(
        Enum("red", "blue", name="colour", validate_strings=True)
    )


AnyDecimal = Annotated[Decimal, Field(allow_inf_nan=True)]


class PlayerSignUp(SignUp):
    """With values of their types."""

    score: float | None = None
    money: AnyDecimal | None = None
    span: timedelta | None = None
    colour: str | None = None


class PlayerChanges(BaseModel):
    """The same, for a change."""

    score: float | None = None
    money: AnyDecimal | None = None
    span: timedelta | None = None
    colour: str | None = None


class Project:
    """A project's database with its users, by a driver of its choice.

    Attributes:
        kind: Of the database.
        store: The project's.
    """

    def __init__(self, wide: Wide, url: str | None) -> None:
        wide.make(Player.__table__)  # type: ignore[arg-type]
        self.kind = wide.kind
        self._engine: AsyncEngine | None = None
        sessions: Any = wide.get_session
        if url is not None:
            self._engine = open_engine(parsed_url(url, "the URL"), "the URL", ())
            sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self.store = SQLAlchemyUserStore(Player, sessions)

    def at_the_desk(self, work: Any, database: Path, **options: Any) -> None:
        """Do some work at the desk of accounts with these users."""
        shape = {"sign_up": PlayerSignUp, "changes": PlayerChanges, **options}

        async def done(desk: Desk) -> None:
            try:
                await work(desk)
            finally:
                if self._engine is not None:
                    await self._engine.dispose()

        at_the_desk(done, database, store=self.store, **shape)


@pytest.fixture(params=EACH)
def project(
    request: pytest.FixtureRequest, tmp_path: Path, driver: str
) -> Iterator[Project]:
    with wide_database(request.param, tmp_path) as wide:
        url = wide.url.replace("+pymysql", "") if driver == "ours" else None
        yield Project(wide, url)


@pytest.fixture(params=["ours", "another"])
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def answers(desk: Desk, **body: Any) -> list[tuple[int, Any]]:
    """Return what sign-up and a change answer to the same values."""
    token, desk.token = desk.token, ""
    made = await desk.ask("POST", "signup", email=EVE, password=PASSWORD, **body)
    desk.token = token
    changed = await desk.ask("PATCH", "me", **body)
    return [(one.status_code, one.json().get("detail")) for one in (made, changed)]


def test_what_the_type_of_a_column_cannot_convert_is_refused(
    project: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up(EMAIL)
        for fields in REFUSED[project.kind]:
            assert await answers(desk, **fields) == [UNKEPT, UNKEPT], fields

    project.at_the_desk(tried, tmp_path / "own.db")
    assert not [one for one in caplog.records if one.exc_info]
    assert "green" not in caplog.text


def test_a_number_that_is_not_finite_is_refused_where_it_cannot_be_kept(
    project: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """MariaDB has no word for it: a driver refuses it, or takes it for a column."""

    async def tried(desk: Desk) -> None:
        await desk.sign_up(EMAIL)
        for number in NO_NUMBERS:
            told = await answers(desk, score=number)
            if project.kind == "mariadb":
                assert told == [UNKEPT, UNKEPT], number
                assert await answers(desk, money=number) == [UNKEPT, UNKEPT], number
            else:
                assert told[1] == (200, None), number

    project.at_the_desk(tried, tmp_path / "own.db")
    assert not [one for one in caplog.records if one.exc_info]


OVERFLOWING = [
    *(b"1e400", b"-1e400", b"1E+0309", b"1" + b"0" * 309 + b".0"),
    b"1" + b"0" * 299 + b"e10",
]


@pytest.mark.parametrize("where", [b"%b", b"[[%b]]", b'{"a": [{"b": %b}]}'])
def test_a_number_that_overflows_is_no_json(tmp_path: Path, where: bytes) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up(EMAIL)
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {desk.token}",
        }
        for number in OVERFLOWING:
            body = b'{"name": "Ada", "other": %b}' % (where % number)
            answer = await desk.client.patch("me", content=body, headers=headers)
            assert answer.status_code == 400, body
            assert answer.json() == {"detail": BODY}
        for number in (b"1e308", b"-1.5e-400", b"1" + b"0" * 400):
            body = b'{"name": "Ada", "other": %b}' % (where % number)
            answer = await desk.client.patch("me", content=body, headers=headers)
            assert answer.status_code == 200, body

    at_the_desk(tried, tmp_path / "own.db")


def test_a_body_without_any_is_not_walked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: list[Any] = []
    monkeypatch.setattr("fastbearer.fastapi.strict_routes._check_values", walked.append)

    async def tried(desk: Desk) -> None:
        await desk.sign_up(EMAIL)

    at_the_desk(tried, tmp_path / "own.db")
    assert walked == []


# --- the judgement itself


class SaidError(Exception):
    """What a driver says, at times with an SQLSTATE."""

    @property
    def sqlstate(self) -> str | None:
        return next((one for one in self.args[1:] if len(one) == len("22000")), None)


def failed(kind: type[exc.DBAPIError], params: Any, *said: Any) -> exc.DBAPIError:
    return kind("INSERT INTO t", params, SaidError(*said))


@pytest.mark.parametrize(
    ("error", "is_of_values"),
    [
        (exc.StatementError("no", "INSERT", {}, OverflowError("no")), True),
        (exc.StatementError("no", "INSERT", {}, ValueError("no")), True),
        (exc.StatementError("no", "INSERT", {}, LookupError("no")), True),
        (exc.StatementError("no", "INSERT", {}, TypeError("no")), False),
        (failed(exc.ProgrammingError, (1, float("inf")), "no inf"), True),
        (failed(exc.ProgrammingError, [(1,), (float("nan"),)], "no nan"), True),
        (failed(exc.ProgrammingError, {"x": Decimal("sNaN")}, "no nan"), True),
        (failed(exc.OperationalError, (float("-inf"),), 1054, "no infe0"), True),
        (failed(exc.ProgrammingError, (1.5, Decimal(1)), "closed"), False),
        (failed(exc.OperationalError, (1.5,), 1054, "unknown"), False),
        (failed(exc.OperationalError, (float("inf"),), 2013, "lost"), False),
        (failed(exc.OperationalError, (float("inf"),), "lost"), False),
        (failed(exc.ProgrammingError, (float("inf"),), 1146, "no table"), False),
        (failed(exc.ProgrammingError, None, "closed"), False),
        (failed(exc.ProgrammingError, (float("inf"),), "no table", "42P01"), False),
        (failed(exc.OperationalError, (float("-inf"),), 1054, "42S22"), True),
        (failed(exc.OperationalError, (1.5,), 1054, "42S22"), False),
        (failed(exc.DatabaseError, (1.5,), 1264, "22003"), True),
    ],
)
def test_a_judgement_is_the_same_without_the_values(
    error: exc.StatementError, is_of_values: bool
) -> None:
    assert is_unfit(error) is is_of_values
    hide_values(error)
    assert is_unfit(error) is is_of_values
    assert error.params is None
