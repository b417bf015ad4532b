"""A refresh token that comes again: within the grace, and after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from accounts_kit import (
    CHEAP,
    Store,
    answer,
    make_auth,
    me,
    post,
    refused,
    rows,
    sign_in,
    sign_up,
    token_of,
)
from fastbearer import jws
from fastbearer.accounts import Accounts
from fastbearer.errors import TokenError
from fastbearer.fastapi import Auth
from fastbearer.testing import FrozenClock
from project import SECRET
from servers import on_every_database

Serve = Callable[[FastAPI], str]
WRONG_REFRESH = "Invalid refresh token. Please sign in again."
GRACE = 10


@pytest.fixture
def clock() -> FrozenClock:
    """The clock of the service: refresh tokens and tokens know no other."""
    return FrozenClock()


@pytest.fixture
def service(serve: Serve, database: Store, clock: FrozenClock) -> str:
    return serve(application(database, clock))


def application(database: Store, clock: FrozenClock, **settings: Any) -> FastAPI:
    chosen = make_auth(database, refresh_tokens=True, **settings).settings
    app = FastAPI()
    app.include_router(Accounts(Auth(chosen, clock=clock), hasher=CHEAP).router)
    return app


def refresh_of(response: Any) -> str:
    assert response.is_success, response.text
    return str(response.json()["data"]["refresh_token"])


def refresh(service: str, token: str) -> Any:
    return post(service, "refresh", refresh_token=token)


@on_every_database
def test_a_lost_answer_can_be_asked_for_again(service: str, clock: FrozenClock) -> None:
    first = refresh_of(sign_up(service))
    lost = refresh(service, first)
    clock.advance(GRACE - 1)
    again = refresh(service, first)
    assert refresh_of(again) == refresh_of(lost)
    assert me(service, token_of(again)).status_code == 200
    assert refresh(service, refresh_of(again)).status_code == 200


@on_every_database
def test_tabs_that_refresh_at_once_get_the_same(service: str) -> None:
    first = refresh_of(sign_up(service))
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: refresh(service, first), range(20)))
    assert [one.status_code for one in answers] == [200] * 20
    assert len({refresh_of(one) for one in answers}) == 1
    assert refresh(service, refresh_of(answers[0])).status_code == 200


@on_every_database
def test_after_the_grace_every_token_of_the_session_ends(
    service: str, clock: FrozenClock
) -> None:
    signed = sign_up(service)
    first = refresh_of(signed)
    second = refresh(service, first)
    other = sign_in(service)
    clock.advance(GRACE)
    assert answer(refresh(service, first)) == refused(401, WRONG_REFRESH)
    assert refresh(service, refresh_of(second)).status_code == 401
    for one in (signed, second):
        assert me(service, token_of(one)).status_code == 401
    assert me(service, token_of(other)).status_code == 200
    assert refresh(service, refresh_of(other)).status_code == 200


def test_a_successor_that_was_used_is_not_given_again(
    service: str, clock: FrozenClock
) -> None:
    first = refresh_of(sign_up(service))
    second = refresh_of(refresh(service, first))
    third = refresh_of(refresh(service, second))
    response = refresh(service, first)
    assert answer(response) == refused(401, WRONG_REFRESH)
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert refresh(service, third).status_code == 200  # without harm


def test_without_grace_the_second_use_is_theft(
    serve: Serve, tmp_path: Path, clock: FrozenClock
) -> None:
    service = serve(application(tmp_path / "a.db", clock, refresh_grace_seconds=0))
    first = refresh_of(sign_up(service))
    second = refresh(service, first)
    assert refresh(service, first).status_code == 401
    assert me(service, token_of(second)).status_code == 401


def test_nothing_stored_makes_a_successor(service: str, database: Store) -> None:
    first = refresh_of(sign_up(service))
    second = refresh_of(refresh(service, first))
    stored = str(rows(database, "SELECT * FROM fastbearer_refresh_token"))
    assert first not in stored and second not in stored
    with pytest.raises(TokenError):  # what is signed for it is no token either
        Auth(make_auth("x").settings).verifier.verify(
            jws.sign(
                b"refresh:" + first.encode(), make_auth("x").settings.signing_key()
            )
        )


def test_another_secret_makes_other_successors(tmp_path: Path) -> None:
    from fastbearer.accounts import Database
    from fastbearer.accounts.refresh import RefreshTokens

    def successor(secret: str) -> str:
        settings = make_auth(tmp_path / "a.db", secret=secret).settings
        tokens = RefreshTokens(lambda: settings, Database(lambda: "x"))
        return tokens._successor("t" * 43)

    assert successor(SECRET) == successor(SECRET) != successor(SECRET[::-1])
    assert len(successor(SECRET)) == 43


@on_every_database
def test_a_race_with_theft_leaves_no_good_token(
    service: str, clock: FrozenClock
) -> None:
    """Whoever refreshes while the session is ended for theft has nothing after."""
    signed = sign_up(service)
    old = refresh_of(signed)
    newest = refresh(service, old)
    clock.advance(GRACE)
    with ThreadPoolExecutor(12) as threads:
        racing = [
            threads.submit(refresh, service, refresh_of(newest)) for _ in "123456"
        ]
        racing += [threads.submit(refresh, service, old) for _ in "123456"]
        answers = [one.result() for one in racing]
    for one in (newest, *(one for one in answers if one.is_success)):
        assert me(service, token_of(one)).status_code == 401
        assert refresh(service, refresh_of(one)).status_code == 401


def test_a_long_sleep_of_the_loop_changes_nothing(tmp_path: Path) -> None:
    """The grace is told by the clock that is given, not by the machine's."""
    clock = FrozenClock(1000.0)
    tokens_at = []

    async def run() -> None:
        from fastbearer.accounts import Database
        from fastbearer.accounts.refresh import RefreshTokens

        settings = make_auth(tmp_path / "a.db").settings
        database = Database(lambda: settings.database_url)
        tokens = RefreshTokens(lambda: settings, database, clock)
        async with database.lifespan(None):
            first = await tokens.start("u1", 7)
            one = await tokens.rotate(first.token)
            clock.advance(GRACE - 0.001)
            tokens_at.append((one, await tokens.rotate(first.token)))

    asyncio.run(run())
    ((one, again),) = tokens_at
    assert (one.token, one.family, 7) == (again.token, again.family, again.generation)
