"""Time that stands still: our own clocks, and what freezegun and time-machine do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import freezegun
import pytest
import time_machine
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from fastbearer import Key, Verifier
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, Settings
from fastbearer.fastapi import auth as default_auth
from fastbearer.fastapi.middleware import BearerMiddleware
from fastbearer.testing import (
    FrozenClock,
    python_clock,
    signed_in,
    stopped_clock,
    token_for,
)
from project import SECRET

DAY = 86_400
LIFETIME = 7 * DAY


@pytest.fixture
def auth() -> Auth:
    return Auth(Settings(better_auth_secret=SECRET))


def app_of(auth: Auth) -> FastAPI:
    app = FastAPI()
    app.add_middleware(BearerMiddleware, auth=auth, exempt=["/me"])

    @app.get("/me", dependencies=[Depends(auth.verify_jwt_token)])
    async def me() -> str:
        return "me"

    @app.get("/guarded")
    async def guarded() -> str:
        return "by the middleware"

    return app


def statuses(client: TestClient) -> list[int]:
    return [client.get(path).status_code for path in ("/me", "/guarded")]


def test_a_token_expires_while_the_clock_is_advanced(auth: Auth) -> None:
    app = app_of(auth)
    with stopped_clock(auth=auth) as clock:
        client = signed_in(app, auth=auth)
        assert statuses(client) == [200, 200]
        clock.advance(LIFETIME - 1)
        assert statuses(client) == [200, 200]
        clock.advance(1)
        assert statuses(client) == [401, 401]
        assert "expired" in client.get("/me").json()["detail"]


def test_an_application_that_has_answered_before_sees_the_clock(auth: Auth) -> None:
    """What was made at the first request is made again: dependencies, middleware."""
    client = signed_in(app_of(auth), auth=auth)
    assert statuses(client) == [200, 200]
    with stopped_clock(time.time() + 10 * DAY, auth=auth):
        assert statuses(client) == [401, 401]
        assert statuses(signed_in(client.app, auth=auth)) == [200, 200]  # type: ignore[arg-type]
    assert statuses(client) == [200, 200]


def test_the_default_auth_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    for made in ("settings", "verifier", "signer"):
        monkeypatch.setitem(vars(default_auth), made, None)
        del vars(default_auth)[made]
    app = FastAPI()

    @app.get("/me", dependencies=[Depends(default_auth.verify_jwt_token)])
    async def me() -> str:
        return "me"

    with stopped_clock(datetime(2030, 1, 1, tzinfo=UTC)) as clock:
        assert clock.now == 1_893_456_000
        client = signed_in(app)
        assert client.get("/me").status_code == 200
        clock.now += LIFETIME
        assert client.get("/me").status_code == 401


def test_the_clock_of_before_is_back_whatever_happens(auth: Auth) -> None:
    own = FrozenClock(5)
    other = Auth(Settings(better_auth_secret=SECRET), clock=own)
    with pytest.raises(ZeroDivisionError), stopped_clock(auth=other) as stopped:
        stopped.advance(1 / 0)
    assert other.clock is own
    with stopped_clock(9, auth=other):
        with stopped_clock(7, auth=other):
            assert other.clock() == 7
        assert other.clock() == 9
    token = token_for(auth=other)
    assert other.verifier.verify(token)["iat"] == 5


@pytest.fixture
def clock(auth: Auth) -> Iterator[FrozenClock]:
    with stopped_clock(auth=auth) as clock:
        yield clock


def test_a_fixture_stops_the_clock(auth: Auth, clock: FrozenClock) -> None:
    client = signed_in(app_of(auth), auth=auth)
    clock.advance(LIFETIME)
    assert statuses(client) == [401, 401]


DECORATED = Auth(Settings(better_auth_secret=SECRET))


@stopped_clock(1_000, auth=DECORATED)
def test_a_decorator_stops_the_clock() -> None:
    assert DECORATED.clock() == 1_000
    assert DECORATED.verifier.verify(token_for(auth=DECORATED))["iat"] == 1_000


def test_a_verifier_that_was_given_has_its_own_clock() -> None:
    given = Auth(verifier=Verifier(Key.from_secret(SECRET)))
    for stop in (stopped_clock(auth=given), python_clock(auth=given)):
        with pytest.raises(ConfigurationError, match="give that verifier clock="), stop:
            pass
    assert given.clock is time.time


# --- packages that stop Python's clock ---------------------------------------------


def test_freezegun_and_time_machine_do_not_reach_the_core(auth: Auth) -> None:
    """Said in the documentation: hence `python_clock`."""
    client = signed_in(app_of(auth), auth=auth)
    later = datetime.now(UTC) + timedelta(days=30)
    with freezegun.freeze_time(later):
        assert statuses(client) == [200, 200]
    with time_machine.travel(later, tick=False):
        assert statuses(client) == [200, 200]


def test_freezegun_stops_python_s_clock(auth: Auth) -> None:
    app = app_of(auth)
    client = signed_in(app, auth=auth)
    assert statuses(client) == [200, 200]
    with python_clock(auth=auth), freezegun.freeze_time("2030-01-01") as frozen:
        assert statuses(client) == [401, 401]
        newer = signed_in(app, auth=auth)
        assert auth.verifier.verify(token_for(auth=auth))["iat"] == 1_893_456_000
        assert statuses(newer) == [200, 200]
        frozen.tick(timedelta(days=7))
        assert statuses(newer) == [401, 401]
    assert statuses(client) == [200, 200]


def test_time_machine_stops_python_s_clock(auth: Auth) -> None:
    app = app_of(auth)
    client = signed_in(app, auth=auth)
    with (
        python_clock(auth=auth),
        time_machine.travel("2030-01-01 00:00 +0000", tick=False) as traveller,
    ):
        assert statuses(client) == [401, 401]
        newer = signed_in(app, auth=auth)
        assert statuses(newer) == [200, 200]
        traveller.shift(timedelta(days=7))
        assert statuses(newer) == [401, 401]
    assert statuses(client) == [200, 200]
