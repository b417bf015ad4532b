"""What MariaDB does in another way: steps that fail, and texts that are alike."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, event

from accounts_kit import make_auth, migrate, rows
from fastbearer.accounts import Database
from fastbearer.accounts.codes import Codes
from fastbearer.accounts.database_revocations import DatabaseRevocations
from fastbearer.accounts.migrations import ACCOUNTS
from fastbearer.accounts.models import RefreshToken, User
from fastbearer.accounts.records import digest, utc_now
from fastbearer.accounts.refresh import RefreshTokens
from fastbearer.accounts.stores.database import DatabaseUserStore
from fastbearer.app.migrations import TASKS
from fastbearer.connections.engine import open_engine, parsed_url
from mariadb_kit import TABLES, ask_mariadb, own_mariadb

pytestmark = pytest.mark.mariadb

CHANGES = re.compile(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)\b")


class PowerCutError(Exception):
    """What happens in the middle of a migration."""


def shape(url: str) -> list[Any]:
    """Return what tables there are, and what they and their first rows are like."""
    tables = [name for (name,) in ask_mariadb(url, TABLES)]
    return [
        (
            ask_mariadb(url, f"SHOW CREATE TABLE {table}"),
            rows(url, f"SELECT * FROM {table}"),
        )
        for table in tables
    ]


class Cut:
    """Counts the changes of migrations, and lets one fail before or after it."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.changes = 0
        self._at = at
        self._after = after

    def __enter__(self) -> Cut:
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._done)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._before)
        event.remove(Engine, "after_cursor_execute", self._done)

    def _before(self, _: Connection, __: Any, statement: str, *___: Any) -> None:
        if CHANGES.match(statement):
            self.changes += 1
            if self.changes == self._at and not self._after:
                raise PowerCutError

    def _done(self, _: Connection, __: Any, statement: str, *___: Any) -> None:
        if CHANGES.match(statement) and self.changes == self._at and self._after:
            raise PowerCutError


async def upgrade(url: str, version: str) -> None:
    engine = open_engine(parsed_url(url, "X"), "X", ())
    try:
        async with engine.connect() as bare:
            connection = await bare.execution_options(isolation_level="AUTOCOMMIT")
            await connection.run_sync(
                lambda here: command.upgrade(ACCOUNTS._config(here), version)
            )
    finally:
        await engine.dispose()


def prepared(url: str) -> None:
    """Make the tables of an earlier version, with something in each."""
    asyncio.run(upgrade(url, "0003"))
    rows(url, "INSERT INTO fastbearer_revoked VALUES ('k1', '2100-01-01')")
    rows(url, "INSERT INTO fastbearer_revoked VALUES ('k2', '2100-01-02')")
    rows(url, "INSERT INTO fastbearer_not_before VALUES ('u1', 1700000000)")


def nothing(url: str) -> None:
    pass


@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("before", [nothing, prepared])
@pytest.mark.parametrize("after", [False, True], ids=["undone", "done"])
def test_a_step_that_failed_goes_on_where_it_stopped(
    before: Callable[[str], None], after: bool, step: int
) -> None:
    """Whichever change was the last one."""
    with own_mariadb() as url:
        before(url)
        with Cut(0, after=False) as cut:
            migrate(url)
        expected, number = shape(url), cut.changes
    assert number > 20
    for at in range(1, number + 1, step):
        with own_mariadb() as url:
            before(url)
            with pytest.raises(PowerCutError), Cut(at, after=after):
                migrate(url)
            migrate(url)
            assert shape(url) == expected, at


@pytest.fixture
def url() -> Iterator[str]:
    with own_mariadb(prepare=migrate) as url:
        yield url


def test_every_text_is_compared_exactly(url: str) -> None:
    """Case, accents and blanks at the end; in every column that has a text."""
    query = (
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"
        " AND column_name <> 'version_num'"
    )
    found = ask_mariadb(url, query)
    assert len(found) > 15
    assert {collation for _, _, collation in found} == {"utf8mb4_nopad_bin"}


def test_the_command_has_nothing_to_complain_of() -> None:
    command = [sys.executable, "-m", "fastbearer", "migrate"]
    with own_mariadb() as url:
        for scheme in ("mysql", "mariadb"):
            done = subprocess.run(
                command,
                env={**os.environ, "DATABASE_URL": url.replace("mysql", scheme, 1)},
                capture_output=True,
                text=True,
            )
            told = done.returncode, done.stdout, done.stderr
            assert told == (0, "the tables are up to date\n", "")


ALIKE = ["u1", "U1", "u1 ", "ü1"]


def test_users_whose_ids_are_alike_are_others(url: str) -> None:
    """A project's own ids may be anything: only its user's sessions end."""

    async def run() -> None:
        database = Database(lambda: url)
        auth = make_auth(url)
        tokens = RefreshTokens(lambda: auth.settings, database)
        codes = Codes(database)
        async with database.lifespan(None):
            started = [await tokens.start(user_id) for user_id in ALIKE]
            made = []
            for user_id in ALIKE:
                user = User(id=user_id, email=f"{digest(user_id)}@x.example")
                user.password_hash = "$x$"
                made.append(await codes.make("verify_email", user, timedelta(hours=1)))
            await tokens.end_all(ALIKE[0])
            await codes.end_all(ALIKE[0])
            alive = [await tokens.is_alive(one.family) for one in started]
            assert alive == [False, True, True, True]
            good = [await codes.find("verify_email", one) for one in made]
            assert [one is not None for one in good] == alive

    asyncio.run(run())


def test_emails_that_are_alike_are_others(url: str) -> None:
    async def run() -> None:
        database = Database(lambda: url)
        store = DatabaseUserStore(database)
        async with database.lifespan(None):
            for email in ("josé@x.example", "jose@x.example", "josè@x.example"):
                await store.add(User(email=email, password_hash="$x$"))
            found = await store.find_by_email("jose@x.example")
            assert found is not None and found.email == "jose@x.example"
            assert await store.find(found.id.upper()) is None
            assert await store.find(f"{found.id} ") is None

    asyncio.run(run())


def test_times_are_kept_to_the_microsecond(url: str) -> None:
    async def run() -> None:
        database = Database(lambda: url)
        now = utc_now().replace(microsecond=123_457)
        async with database.lifespan(None):
            async with database.transaction() as session:
                session.add(
                    RefreshToken(id="x", user_id="u", family="f", expires_at=now)
                )
            async with database.transaction() as session:
                found = await session.get(RefreshToken, "x")
                assert found is not None and found.expires_at == now

    asyncio.run(run())


def test_what_is_too_long_is_not_cut(url: str) -> None:
    from sqlalchemy.exc import DataError

    async def run() -> None:
        database = Database(lambda: url)
        async with database.lifespan(None):
            with pytest.raises(DataError):
                async with database.transaction() as session:
                    session.add(User(email="x" * 300, password_hash="$x$"))

    asyncio.run(run())
    assert rows(url, "SELECT count(*) FROM fastbearer_user") == [(0,)]


def test_one_of_many_uses_a_refresh_token(url: str) -> None:
    """Without RETURNING, the row is read while it is locked."""

    async def run() -> None:
        database = Database(lambda: url)
        database.add(TASKS)
        auth = make_auth(url, refresh_grace_seconds=300)
        tokens = RefreshTokens(lambda: auth.settings, database)
        async with database.lifespan(None):
            for _ in range(5):
                first = await tokens.start("u1", generation=3)
                many = [tokens.rotate(first.token) for _ in range(8)]
                issued = await asyncio.gather(*many)
                assert len({one.token for one in issued}) == 1
                assert {one.generation for one in issued} == {3}
                family = rows(
                    url,
                    "SELECT used_at IS NULL FROM fastbearer_refresh_token"
                    " WHERE family = ? ORDER BY used_at",
                    first.family,
                )
                assert sorted(family) == [(0,), (1,)]
                # And whoever ends it meanwhile has ended it.
                await asyncio.gather(
                    tokens.end(first.family),
                    *(tokens.rotate(issued[0].token) for _ in range(4)),
                    return_exceptions=True,
                )
                assert not await tokens.is_alive(first.family)

    asyncio.run(run())


def test_numbers_of_changes_come_in_their_order(url: str) -> None:
    async def run() -> None:
        store = DatabaseRevocations(Database(lambda: url), lambda: 1_800_000_000.0)
        journal = store._journal
        async with journal.opened():
            await asyncio.gather(
                *(journal.end("session", f"k{n}", 1_900_000_000 + n) for n in range(12))
            )
            # The later end counts, whichever comes first.
            await journal.end("session", "k5", 1_700_000_000)
            latest, changes = await journal.since(-1)
            assert sorted(change.value for change in changes) == [
                1_900_000_000 + n for n in range(12)
            ]
            assert await journal.since(latest) == (latest, [])
            assert [await journal.end_user("u", 1) for _ in range(3)] == [1, 2, 3]

    asyncio.run(run())
    numbers = [n for (n,) in rows(url, "SELECT number FROM fastbearer_ended")]
    assert len(set(numbers)) == 13
    expiries = "SELECT expires_at FROM fastbearer_ended WHERE value = 1900000005"
    assert "2030" in str(rows(url, expiries))
