"""A project that keeps its own tables, by Alembic, in the database of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from accounts_kit import Store, migrate, rows, url_of
from servers import BOTH

ENV = """
import asyncio

from alembic import context
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from fastbearer import accounts

base = MetaData()
user_id = ForeignKey(accounts.User.__table__.c.id)
owner = Column("owner", String(32), user_id, index=True)
Table("note", base, Column("id", Integer, primary_key=True), owner)
Table("fastbearer_like", base, Column("id", Integer, primary_key=True))


def run(connection):
    context.configure(connection=connection, {options})
    with context.begin_transaction():
        context.run_migrations()


async def main():
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
"""
NAMES = "target_metadata=base, include_name=accounts.include_name"
OBJECTS = "target_metadata=base, include_object=accounts.include_object"
BOTH_KNOWN = OBJECTS.replace("base", "[base, accounts.metadata]")

USER = (
    "INSERT INTO fastbearer_user"
    " (id, email, password_hash, email_verified, created_at, updated_at)"
    " VALUES ('u1', 'ada@example.com', 'x', {false}, '{now}', '{now}')"
)


class Project:
    """A project with Alembic, as ``alembic init`` makes it."""

    def __init__(self, database: Store, folder: Path, options: str) -> None:
        self.folder = folder / "project"
        self.config = Config(str(folder / "alembic.ini"))
        command.init(self.config, str(self.folder))
        self.config.set_main_option("script_location", str(self.folder))
        url = url_of(database).replace("postgresql:", "postgresql+asyncpg:")
        self.config.set_main_option("sqlalchemy.url", url)
        env = ENV.replace("{options}", options)
        (self.folder / "env.py").write_text(env)

    def revise(self) -> str:
        """Let Alembic write a revision; return what it does to go up."""
        command.revision(self.config, message="step", autogenerate=True)
        newest = max(
            (self.folder / "versions").glob("*.py"),
            key=lambda one: one.stat().st_mtime_ns,
        )
        return newest.read_text().partition("def upgrade()")[2].partition("def ")[0]

    def upgrade(self) -> None:
        command.upgrade(self.config, "head")


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database in which nobody has made a table."""
    if request.param == "sqlite":
        yield tmp_path / "store.db"
        return
    from servers import own_database

    with own_database() as url:
        yield url


def add_user(database: Store) -> None:
    is_sqlite = isinstance(database, Path)
    false = "0" if is_sqlite else "false"
    rows(database, USER.format(false=false, now="2026-11-28 12:00:00+00:00"))


def users(database: Store) -> list[tuple[str]]:
    return rows(database, "SELECT email FROM fastbearer_user")  # type: ignore[return-value]


def versions(database: Store) -> list[tuple[str]]:
    query = "SELECT version_num FROM fastbearer_accounts_version"
    return rows(database, query)  # type: ignore[return-value]


@pytest.mark.parametrize("options", [NAMES, OBJECTS, BOTH_KNOWN])
def test_a2_autogenerate_leaves_our_tables(
    empty: Store, tmp_path: Path, options: str
) -> None:
    migrate(url_of(empty))
    add_user(empty)
    ours = versions(empty)
    project = Project(empty, tmp_path, options)
    first = project.revise()
    assert "create_table('note'" in first and "drop" not in first
    assert "fastbearer_user.id" in first  # the foreign key of the project's own
    assert "create_table('fastbearer_user'" not in first
    project.upgrade()
    second = project.revise()
    if options == NAMES:  # it goes by the name
        assert "fastbearer_like" in second and "fastbearer_user" not in second
    else:
        assert "create_table('fastbearer_like'" in first
        assert "    pass\n" in second
        project.upgrade()
        command.check(project.config)
    assert users(empty) == [("ada@example.com",)]
    rows(empty, "INSERT INTO note (id, owner) VALUES (1, 'u1')")
    # And the other way round: ours do not touch theirs.
    theirs = rows(empty, "SELECT version_num FROM alembic_version")
    migrate(url_of(empty))
    assert rows(empty, "SELECT id, owner FROM note") == [(1, "u1")]
    assert rows(empty, "SELECT version_num FROM alembic_version") == theirs
    assert versions(empty) == ours


def test_a2_autogenerate_does_not_make_our_tables(empty: Store, tmp_path: Path) -> None:
    project = Project(empty, tmp_path, BOTH_KNOWN)
    made = project.revise()
    assert "create_table('note'" in made
    assert "create_table('fastbearer_user'" not in made


def test_a2_without_a_filter_they_would_go(empty: Store, tmp_path: Path) -> None:
    """Else the tests above would prove nothing."""
    migrate(url_of(empty))
    project = Project(empty, tmp_path, "target_metadata=base")
    assert "drop_table('fastbearer_user')" in project.revise()


def test_a2_ours_come_to_a_project_that_is_there(empty: Store, tmp_path: Path) -> None:
    rows(empty, "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
    rows(empty, "INSERT INTO alembic_version VALUES ('theirs')")
    rows(empty, "CREATE TABLE note (id INTEGER PRIMARY KEY)")
    rows(empty, "INSERT INTO note VALUES (7)")
    migrate(url_of(empty))
    assert rows(empty, "SELECT * FROM alembic_version") == [("theirs",)]
    assert rows(empty, "SELECT * FROM note") == [(7,)]
    assert users(empty) == []
