"""Who is locked out, and who is not: by client, by account, by both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from redis import Redis

from accounts_kit import (
    EMAIL,
    PASSWORD,
    CountingHash,
    bearer,
    http,
    make_auth,
    make_service,
    token_of,
)
from fastbearer.accounts import AccountEvent, Accounts, Message, User
from fastbearer.accounts.throttle import Counted, Kind, Throttle, by_name, by_user
from fastbearer.accounts.windows import MOST_KEYS, MemoryWindows
from fastbearer.app import create_app
from fastbearer.errors import HasherBusyError, TooManyAttemptsError
from fastbearer.fastapi import Settings
from fastbearer.testing import FrozenClock
from project import SECRET
from servers import RedisServer, own_redis

Serve = Callable[[FastAPI], str]
HOME, AWAY = "203.0.113.1", "198.51.100.9"
ADA: Counted = by_name(EMAIL, User(email=EMAIL, password_hash="a hash"))
RELAXED = {"throttle": True, "throttle_requests": "100000/minute"}


# --- the counting itself, with a clock of its own


class Counter:
    """A throttle in memory whose clock stands still."""

    def __init__(self, **settings: Any) -> None:
        self.clock = FrozenClock(1_000_000.0)
        found = Settings(better_auth_secret=SECRET, **settings)
        self._throttle = Throttle(lambda: found, self.clock)

    def take(self, address: str | None, kind: Kind = "signin") -> float | None:
        """Return for how long one has to wait; None where one has not."""
        try:
            asyncio.run(self._throttle.take(kind, ADA, address))
        except TooManyAttemptsError as error:
            return error.retry_after
        return None

    def give_back(self, address: str | None, kind: Kind = "signin") -> None:
        asyncio.run(self._throttle.give_back(kind, ADA, address))

    def forget(self, address: str | None, kind: Kind = "signin") -> None:
        asyncio.run(self._throttle.forget(kind, ADA, address))


def test_the_delays_grow() -> None:
    counter = Counter()
    waits = []
    for _ in range(50):
        while (wait := counter.take(AWAY)) is not None:
            waits.append(wait)
            counter.clock.advance(wait + 0.001)
    wait = counter.take(AWAY)
    assert wait is not None and wait > 3600
    assert min(waits) <= 60
    assert any(60 < one <= 3600 for one in waits)


def test_no_account_can_be_guessed_at_all_day_long() -> None:
    """From one client or from a thousand: at most a hundred guesses."""
    for addresses in ([AWAY], [f"192.0.2.{n}" for n in range(200)]):
        counter, tried = Counter(), 0
        for _ in range(24 * 60):
            tried += sum(counter.take(address) is None for address in addresses[:20])
            addresses = addresses[20:] + addresses[:20]
            counter.clock.advance(60)
        assert 0 < tried <= 100


def test_others_do_not_lock_the_owner_out() -> None:
    counter = Counter()
    assert counter.take(HOME) is None
    counter.forget(HOME)  # she has signed in from there
    for n in range(200):
        counter.take(f"192.0.2.{n}")
    assert counter.take(AWAY) is not None
    assert counter.take(HOME) is None
    # Her own failures are limited as well.
    for _ in range(9):
        assert counter.take(HOME) is None
    assert counter.take(HOME) is not None


def test_guesses_at_fifty_thousand_names_are_held_in_memory() -> None:
    """As many as there were before each name was counted for a user as well."""
    settings = {"throttle_failures": "50/day", "throttle_account_failures": "100/day"}
    found = Settings(better_auth_secret=SECRET, **settings)
    throttle = Throttle(lambda: found, FrozenClock())

    async def guess() -> None:
        for counted in (by_name("nobody"), by_user(None, "nobody")):
            await throttle.take("signin", counted, HOME)

    asyncio.run(guess())
    windows = throttle._ready()
    assert isinstance(windows, MemoryWindows)
    assert MOST_KEYS // len(windows) == 50_000


def test_a_known_client_is_forgotten_in_time() -> None:
    counter = Counter()
    counter.forget(HOME)
    counter.clock.advance(31 * 86_400)
    for n in range(200):
        counter.take(f"192.0.2.{n}")
    assert counter.take(HOME) is not None


def test_success_sets_nobody_elses_count_back() -> None:
    counter = Counter()
    for _ in range(10):
        assert counter.take(AWAY) is None
    counter.forget(HOME)
    assert counter.take(AWAY) is not None


@pytest.mark.parametrize("address", [HOME, AWAY, None])
def test_what_is_given_back_was_never_tried(address: str | None) -> None:
    counter = Counter()
    counter.forget(HOME)
    for _ in range(500):
        assert counter.take(address) is None
        counter.give_back(address)
    for _ in range(10):
        assert counter.take(address) is None
    assert counter.take(address) is not None


def test_messages_reach_the_owner_whoever_asks() -> None:
    """Neither a flood of mail nor a lock-out of who has lost the password."""
    counter = Counter()
    counter.forget(HOME)
    sent = 0
    for n in range(40):
        for _ in range(6):
            sent += counter.take(f"192.0.2.{n}", "message") is None
    assert sent == 20
    assert counter.take(HOME, "message") is None
    counter.clock.advance(3601)
    assert counter.take(AWAY, "message") is None


def test_a_name_is_never_counted_as_a_user() -> None:
    """Those of a project's own table may be any text."""
    settings = Settings(better_auth_secret=SECRET, throttle_failures="1/day")
    throttle = Throttle(lambda: settings)
    user = User(email=EMAIL, password_hash="a hash")

    async def run() -> None:
        for name in (by_user(user).key, f"user/{by_user(user).key}"):
            await throttle.take("signin", by_name(name), HOME)
        await throttle.take("signin", by_user(user), HOME)

    asyncio.run(run())


def test_an_unlimited_address_is_not_counted() -> None:
    settings = Settings(better_auth_secret=SECRET, throttle_requests="1/minute")
    throttle = Throttle(lambda: settings)

    async def run() -> None:
        for _ in range(5):
            await throttle.check_address(None)
        await throttle.check_address(HOME)
        with pytest.raises(TooManyAttemptsError):
            await throttle.check_address(HOME)

    asyncio.run(run())


# --- the same over HTTP


@pytest.fixture
def start(serve: Serve, tmp_path: Path) -> Callable[..., str]:
    def start(**settings: Any) -> str:
        values = {**RELAXED, "trusted_proxies": "127.0.0.1", **settings}
        return serve(make_service(tmp_path / "a.db", **values))

    return start


def ask(
    base: str, route: str, address: str = HOME, token: str = "", **body: Any
) -> httpx2.Response:
    headers = {"X-Forwarded-For": f"{address}:{4711}"}
    if token:
        headers |= bearer(token)
    values = {"email": EMAIL, "password": PASSWORD, **body}
    return http.post(f"{base}/api/auth/{route}", json=values, headers=headers)


def test_a_stranger_does_not_lock_the_owner_out(start: Callable[..., str]) -> None:
    base = start()
    token = token_of(ask(base, "signup"))
    wrong = [ask(base, "signin", AWAY, password="wrong") for _ in range(12)]
    assert [one.status_code for one in wrong] == [401] * 10 + [429] * 2
    assert ask(base, "signin").status_code == 200
    change = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert ask(base, "change-password", token=token, **change).status_code == 200
    # Nor does her signing in let the stranger go on.
    assert ask(base, "signin", AWAY, password="wrong").status_code == 429


def test_many_strangers_do_not_either(start: Callable[..., str]) -> None:
    base = start(throttle_account_failures="20/day")
    ask(base, "signup")
    statuses = [
        ask(base, "signin", f"192.0.2.{n}", password="wrong").status_code
        for n in range(25)
    ]
    assert statuses == [401] * 20 + [429] * 5
    assert ask(base, "signin", AWAY).status_code == 429
    assert ask(base, "signin").status_code == 200


def test_a_taken_email_makes_nobody_known(start: Callable[..., str]) -> None:
    base = start(throttle_account_failures="3/day")
    ask(base, "signup")
    assert ask(base, "signup", AWAY).status_code == 400
    for n in range(3):
        ask(base, "signin", f"192.0.2.{n}", password="wrong")
    assert ask(base, "signin", AWAY).status_code == 429


@pytest.mark.parametrize("route", ["change-password", "delete-account"])
def test_every_route_that_hashes_is_limited_by_address(
    start: Callable[..., str], route: str
) -> None:
    """A right password in between sets nothing back."""
    base = start(throttle_requests="6/minute", throttle_failures="1000/minute")
    token = token_of(ask(base, "signup"))
    body = {"current_password": "wrong", "new_password": "another horse battery"}
    statuses = []
    for n in range(6):
        if n == 3:
            statuses.append(ask(base, "signin").status_code)
            continue
        again = ask(base, route, token=token, **{**body, "password": "wrong"})
        statuses.append(again.status_code)
    assert statuses == [403, 403, 403, 200, 403, 429]
    # Others are not the client's.
    assert ask(base, "signin", AWAY).status_code == 200


class BusyHash(CountingHash):
    """A hasher that has no place left, as long as it is busy."""

    __slots__ = ("busy",)

    def __init__(self) -> None:
        super().__init__()
        self.busy = False

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        if self.busy:
            raise HasherBusyError("no place")
        return super()._verify(password, hash, threads)


def test_a_refusal_of_ours_is_no_attempt(serve: Serve, tmp_path: Path) -> None:
    hasher = BusyHash()
    settings = {**RELAXED, "trusted_proxies": "127.0.0.1"}
    base = serve(make_service(tmp_path / "a.db", hasher=hasher, **settings))
    token = token_of(ask(base, "signup"))
    body = {"current_password": "wrong", "new_password": "another horse battery"}
    hasher.busy = True
    for _ in range(15):
        refused = ask(base, "signin", AWAY)
        assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
        assert ask(base, "change-password", token=token, **body).status_code == 503
    hasher.busy = False
    statuses = [ask(base, "signin", AWAY, password="x").status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert ask(base, "change-password", token=token, **body).status_code == 403


def test_a_limit_may_have_several_windows(start: Callable[..., str]) -> None:
    base = start(throttle_failures="3/hour,2/minute")
    statuses = [ask(base, "signin", password="x") for _ in range(3)]
    assert [one.status_code for one in statuses] == [401, 401, 429]
    assert int(statuses[-1].headers["retry-after"]) <= 60


def test_accounts_that_come_and_go_send_no_more_mail(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox: list[Message] = []
    settings = {**RELAXED, "trusted_proxies": "127.0.0.1", "email_verification": True}
    app = make_service(tmp_path / "a.db", send=outbox.append, **settings)
    base = serve(app)
    for _ in range(8):
        token = token_of(ask(base, "signup"))
        assert ask(base, "delete-account", token=token).status_code == 200
    assert len(outbox) == 5
    assert "too many messages to somebody: one is not sent" in caplog.text


def test_what_is_asked_for_and_refused_is_audited(serve: Serve, tmp_path: Path) -> None:
    told: list[AccountEvent] = []
    auth = make_auth(tmp_path / "a.db", **RELAXED, trusted_proxies="127.0.0.1")
    accounts = Accounts(auth, hasher=CountingHash())
    accounts.on_event()(told.append)
    base = serve(create_app(auth, accounts=accounts))
    token = token_of(ask(base, "signup"))
    body = {"current_password": "wrong", "new_password": "another horse battery"}
    assert ask(base, "change-password", AWAY, token, **body).status_code == 403
    assert ask(base, "forgot-password", AWAY).status_code == 202
    assert ask(base, "forgot-password", AWAY, email="x@y.example").status_code == 202
    found = [(one.name, one.email, one.address, one.user is None) for one in told[1:]]
    assert found == [
        ("password_refused", EMAIL, AWAY, False),
        ("reset_requested", EMAIL, AWAY, False),
        ("reset_requested", "x@y.example", AWAY, True),
    ]


# --- Redis: one prefix, few rights


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with own_redis() as started:
        yield started


def user_of(server: RedisServer, *rules: str) -> str:
    """Make a user with these rights alone; return the URL."""
    with Redis.from_url(server.url) as client:
        client.execute_command(
            "ACL", "SETUSER", "app", "reset", "on", ">pw", "~fastbearer:*", *rules
        )
        client.flushall()
    return server.url.replace("//", "//app:pw@")


def connections(server: RedisServer) -> int:
    with Redis.from_url(server.url) as client:
        return int(client.info("stats")["total_connections_received"])


@pytest.mark.redis
def test_keys_of_one_prefix_are_enough(
    start: Callable[..., str], server: RedisServer
) -> None:
    url = user_of(server, "+@all")
    base = start(redis_url=url, revocation="redis")
    token = token_of(ask(base, "signup"))
    assert ask(base, "signin", password="wrong").status_code == 401
    assert ask(base, "signin").status_code == 200
    assert ask(base, "forgot-password").status_code == 202
    assert ask(base, "signout", token=token).status_code == 200
    ready = http.get(f"{base}/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ok", "database": "ok", "redis": "ok"}
    with Redis.from_url(server.url) as client:
        keys = client.keys()
    assert keys and all(key.startswith(b"fastbearer:") for key in keys)


@pytest.mark.redis
@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (["+@all", "-eval", "-evalsha"], "Redis refuses the command evalsha"),
        (["+@all", "-lpop"], "Redis refuses the command lpop"),
        (["+@all", "-del"], "Redis refuses the command del"),
        (["+@all", "-get"], "Redis refuses the command get"),
        (["+@all", "-set"], "Redis refuses the command set"),
        (["+@all", "-lpush"], "Redis answers with an error"),  # within a script
        (["+@all", "resetkeys", "~other:*"], "Redis refuses a key"),
    ],
)
def test_readiness_tries_what_sign_in_needs(
    start: Callable[..., str], server: RedisServer, rules: list[str], problem: str
) -> None:
    base = start(redis_url=user_of(server, *rules))
    ready = http.get(f"{base}/readyz")
    assert ready.status_code == 503
    told = ready.json()
    assert told["status"] == told["redis"] == "down" and told["database"] == "ok"
    assert told["problem"] == problem


@pytest.mark.redis
def test_readiness_opens_no_connections(
    start: Callable[..., str], server: RedisServer
) -> None:
    base = start(redis_url=user_of(server, "+@all"))
    assert http.get(f"{base}/readyz").status_code == 200
    before = connections(server)
    for _ in range(10):
        assert http.get(f"{base}/readyz").status_code == 200
    assert connections(server) == before + 1  # that of this question
