"""Rows of API keys as no server writes them: each is refused, and none is a 500."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbearer.better_auth.api_keys import APIKey
from fastbearer.better_auth.api_keys.key import FIELDS, KeyRules, stored_form
from fastbearer.better_auth.api_keys.limits import LIMIT_FIELDS
from fastbearer.better_auth.api_keys.sql import SQLAPIKeys
from fastbearer.better_auth.fields import DATES as DATE_FIELDS
from fastbearer.errors import InvalidAPIKeyError, TooManyAttemptsError

KEY = "k" * 64
NOW = 1_900_000_000
DATE = "2030-01-01T00:00:00.000Z"
USER = {
    "id": "u1",
    "name": "Ada",
    "email": "ada@example.com",
    "emailVerified": 1,
    "image": None,
    "createdAt": DATE,
    "updatedAt": DATE,
}
ROW: dict[str, Any] = {
    **dict.fromkeys(FIELDS),
    "id": "k1",
    "configId": "default",
    "referenceId": "u1",
    "key": stored_form(KEY, hashed=True),
    "enabled": 1,
    "rateLimitEnabled": 0,
    "requestCount": 0,
    "createdAt": DATE,
}
REFILLED = {"remaining": 0, "refillInterval": 1000, "refillAmount": 5}
LIMITED = {"rateLimitEnabled": 1, "rateLimitTimeWindow": 60_000, "rateLimitMax": 3}
USED = {**LIMITED, "lastRequest": DATE, "requestCount": 1}

ODD = [
    {**REFILLED, "createdAt": None},
    {**REFILLED, "createdAt": "9999-12-31T23:59:59.000Z"},
    {**REFILLED, "lastRefillAt": "9999-12-31T23:59:59-23:00"},
    {**REFILLED, "lastRefillAt": "0001-01-01T00:00:00+23:00"},
    {**REFILLED, "refillInterval": 10**18},
    {**REFILLED, "refillInterval": -1},
    {**REFILLED, "refillAmount": -(2**63)},
    {**REFILLED, "refillAmount": 1e300},
    {**REFILLED, "remaining": 2**63 - 1},
    {**REFILLED, "remaining": "many"},
    {**USED, "rateLimitTimeWindow": 10**18},
    {**USED, "rateLimitTimeWindow": -1},
    {**USED, "rateLimitTimeWindow": 0.5},
    {**USED, "rateLimitMax": -1},
    {**USED, "rateLimitMax": float("inf")},
    {**USED, "requestCount": -1},
    {**USED, "lastRequest": 10**18},
    {**USED, "lastRequest": "9999-12-31T23:59:59-23:00"},
    {**USED, "rateLimitEnabled": 2},
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite, which keeps any value in any column."""
    file = tmp_path_factory.mktemp("rows") / "better-auth.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        for table, fields in (("apikey", [*FIELDS, "updatedAt"]), ("user", [*USER])):
            columns = ", ".join(f'"{field}"' for field in fields)
            connection.execute(f'CREATE TABLE "{table}" ({columns})')
    return file


def write(database: Path, table: str, row: dict[str, Any]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(f'DELETE FROM "{table}"')
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        connection.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})', [*row.values()]
        )


def verify(
    database: Path,
    changes: dict[str, Any],
    user: dict[str, Any] | None = None,
    *,
    may_write: bool = True,
    times: int = 1,
) -> list[APIKey | str | None]:
    """Return the key, or why it was refused, for each of some requests."""
    write(database, "apikey", {**ROW, **changes})
    write(database, "user", {**USER, **(user or {})})

    async def verified() -> list[APIKey | str | None]:
        store = SQLAPIKeys(f"sqlite+aiosqlite:///{database}", may_write=may_write)
        found: list[APIKey | str | None] = []
        try:
            for _ in range(times):
                try:
                    found.append(await store.verify(KEY, now=NOW))
                except InvalidAPIKeyError as error:
                    found.append(error.reason)
                except TooManyAttemptsError:
                    found.append("too_many")
        finally:
            await store.aclose()
        return found

    return asyncio.run(verified())


@pytest.mark.parametrize("may_write", [False, True])
@pytest.mark.parametrize("odd", ODD)
def test_limits_that_nobody_writes_are_an_unreadable_key(
    database: Path,
    odd: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    *,
    may_write: bool,
) -> None:
    with caplog.at_level(logging.ERROR, "fastbearer"):
        assert verify(database, odd, may_write=may_write) == ["api_key_unreadable"]
    assert "a stored API key cannot be read" in caplog.text
    assert "is not what Better Auth stores" in caplog.text


def test_a_user_whom_nobody_writes_makes_an_unreadable_key(database: Path) -> None:
    for odd in ({"emailVerified": 7}, {"createdAt": "soon"}, {"updatedAt": 1}):
        assert verify(database, {}, odd) == ["api_key_unreadable"]


def test_the_usual_rows_are_counted(database: Path) -> None:
    refilled = verify(database, {**REFILLED, "createdAt": NOW * 1000 - 5000}, times=6)
    assert [isinstance(one, APIKey) for one in refilled] == [True] * 5 + [False]
    assert refilled[-1] == "too_many"
    limited = verify(database, LIMITED, times=4)
    assert limited[-1] == "too_many"
    assert all(isinstance(one, APIKey) for one in limited[:-1])
    used_up = verify(database, {"remaining": 1}, times=2)
    assert used_up[-1] == "api_key_used_up"
    # What is off does not count, though it is a number in SQLite.
    off = verify(database, {**LIMITED, "rateLimitEnabled": 0}, times=5)
    assert all(isinstance(one, APIKey) for one in off)


NUMBERS = st.sampled_from([0, 1, 5, 1000, 10**13, 10**15, 10**18, 2**53, -1]) | (
    st.integers(-(2**63), 2**63 - 1)
)
DATES = st.sampled_from(
    [
        None,
        DATE,
        NOW * 1000,
        10**18,
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-23:00",
    ]
) | st.datetimes().map(lambda date: f"{date.isoformat(timespec='seconds')}Z")
ANY = (
    st.none()
    | st.booleans()
    | NUMBERS
    | DATES
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8)
)
JSON = st.lists(ANY, max_size=2) | st.just("\ud800") | st.just(10**400)
BASES = st.sampled_from([{}, REFILLED, LIMITED, USED, {**REFILLED, **USED}])


def members(fields: Iterable[str], more: Any = ANY) -> st.SearchStrategy[Any]:
    """Return a few members of a row, most of them of their own kind."""

    def value(field: str) -> st.SearchStrategy[Any]:
        kind = DATES if field in DATE_FIELDS else NUMBERS
        return st.tuples(st.just(field), kind | more)

    return st.lists(
        st.sampled_from(sorted(fields)).flatmap(value), min_size=1, max_size=3
    ).map(dict)


@given(
    base=BASES,
    limits=members(LIMIT_FIELDS),
    others=members(set(FIELDS) - {"key"}) | st.just({}),
    user=members(USER) | st.just({}),
    may_write=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_whatever_a_row_has_it_is_a_key_or_refused(
    database: Path,
    base: dict[str, Any],
    limits: dict[str, Any],
    others: dict[str, Any],
    user: dict[str, Any],
    *,
    may_write: bool,
) -> None:
    changes = {**base, **others, **limits}
    verify(database, changes, user, may_write=may_write, times=2)


@given(base=BASES, row=members(FIELDS, ANY | JSON))
@settings(max_examples=500, deadline=None)
def test_whatever_json_a_store_has_it_is_a_key_or_refused(
    base: dict[str, Any], row: dict[str, Any]
) -> None:
    with suppress(InvalidAPIKeyError):
        KeyRules().judge({**ROW, **base, **row}, ROW["key"], time.time())
