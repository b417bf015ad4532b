"""The databases of the tests are as good as new, whatever the last test has done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from databases import Databases
from servers import ask, postgres

pytestmark = pytest.mark.postgres

CHANGES = [
    "INSERT INTO word (word) VALUES ('ours')",
    "UPDATE version SET number = 2",
    "DELETE FROM version",
    "CREATE TABLE other (id integer)",
    "CREATE INDEX faster ON word (word)",
    "DROP TABLE version",
    "ALTER TABLE word ADD COLUMN more text",
    "ALTER TABLE word ALTER COLUMN word DROP NOT NULL",
    "ALTER TABLE word ADD CHECK (word <> '')",
    "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    'CREATE SCHEMA "Another one"',
    "GRANT SELECT ON word TO PUBLIC",
    "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
]


def prepare(url: str) -> None:
    ask(url, "CREATE TABLE word (id serial, word text NOT NULL)")
    ask(url, "CREATE TABLE version AS SELECT 1 AS number")


def seen(url: str) -> list[object]:
    """Return what is in a database, without the numbers that the server gives."""
    named = "nspname !~ '^pg_' AND nspname <> 'information_schema'"
    inside = f"IN (SELECT oid FROM pg_namespace WHERE {named})"
    return [
        ask(url, "INSERT INTO word (word) VALUES ('x') RETURNING id"),
        ask(url, "DELETE FROM word RETURNING *"),
        ask(url, "SELECT * FROM version"),
        ask(url, "SHOW timezone"),
        ask(url, f"SELECT nspname, nspacl FROM pg_namespace WHERE {named}"),
        ask(
            url,
            "SELECT relname, relkind, relnatts, relacl, relchecks FROM pg_class"
            f" WHERE relnamespace {inside} ORDER BY relname",
        ),
        ask(url, f"SELECT proname FROM pg_proc WHERE pronamespace {inside}"),
        ask(url, "SELECT attnotnull FROM pg_attribute WHERE attname = 'word'"),
    ]


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    made = Databases(postgres())
    yield made
    made.drop()


@pytest.mark.parametrize("change", [*CHANGES, "ALTER DATABASE"])
def test_what_a_test_has_changed_is_gone(databases: Databases, change: str) -> None:
    with databases.borrowed(prepare) as url:
        before = seen(url)
    with databases.borrowed(prepare) as url:
        if change == "ALTER DATABASE":
            name = url.rpartition("/")[2]
            change = f"ALTER DATABASE {name} SET timezone TO 'Pacific/Auckland'"
        ask(url, change)
    with databases.borrowed(prepare) as again:
        assert again == url  # or it would prove nothing
        assert seen(again) == before


def test_two_at_a_time_are_not_the_same(databases: Databases) -> None:
    with databases.borrowed(None) as one, databases.borrowed(None) as other:
        assert one != other


def test_an_empty_one_is_empty(databases: Databases) -> None:
    for _ in range(2):
        with databases.borrowed(None) as url:
            assert ask(url, "SELECT count(*) FROM pg_class WHERE oid >= 16384") == [
                (0,)
            ]
            prepare(url)
