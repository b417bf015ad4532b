"""How often, and how many at a time, an issuer is asked about opaque tokens."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from fastbearer.errors import (
    ExpiredTokenError,
    FastbearerError,
    InactiveTokenError,
    IntrospectionError,
)
from fastbearer.issuers import Introspection, Issuer
from fastbearer.issuers.flights import FlightError, Flights
from fastbearer.issuers.opaque import OpaqueVerifier
from introspection_server import CLIENT_ID, CLIENT_SECRET, IntrospectionServer
from key_server import answer
from left_open import found_open
from waiting import HANG, until, wait_until

pytestmark = pytest.mark.http

NOW = 1_795_330_013
TOKEN = "opaque-token-of-ada"
LATER = {"exp": NOW + 600, "sub": "ada"}


class Clock:
    """Seconds since the epoch, and a steady clock, which the test moves."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[IntrospectionServer]:
    with IntrospectionServer({TOKEN: dict(LATER)}) as server:
        yield server


def verifier(
    server: IntrospectionServer, clock: Callable[[], float], **options: Any
) -> OpaqueVerifier:
    how = Introspection(
        server.endpoint,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        clock=clock,
        **{"timeout": HANG, **options},
    )
    return OpaqueVerifier(Issuer(server.issuer, introspect=how), clock=clock)


class Held:
    """An endpoint that answers when it is told to.

    Attributes:
        under_way: How many questions it has now.
        most: How many it had at a time.
        go: Set for it to answer.
    """

    def __init__(self, server: IntrospectionServer) -> None:
        self.under_way = self.most = 0
        self.go = threading.Event()
        self._server = server
        self._lock = threading.Lock()
        server.behave = self

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        wait_until(lambda: self.go.is_set() or self._server.released.is_set())
        with self._lock:
            self.under_way -= 1
        answer(json.dumps({"active": True, **LATER}).encode())(handler)


# --- remembered for a moment --------------------------------------------------------


def test_an_active_token_is_asked_about_once_in_its_lifetime(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock, lifetime=30)
    for _ in range(5):
        one.verify(TOKEN)
    clock.now += 29.9
    one.verify(TOKEN)
    assert len(server.questions) == 1
    del server.tokens[TOKEN]  # revoked there
    clock.now += 0.1
    with pytest.raises(InactiveTokenError):
        one.verify(TOKEN)
    assert len(server.questions) == 2


def test_nothing_is_remembered_beyond_exp(
    server: IntrospectionServer, clock: Clock
) -> None:
    server.tokens[TOKEN]["exp"] = NOW + 3
    one = verifier(server, clock, lifetime=30)
    one.verify(TOKEN)
    clock.now += 3
    with pytest.raises(ExpiredTokenError):
        one.verify(TOKEN)
    assert len(server.questions) == 2


def test_an_inactive_token_is_remembered_for_a_shorter_time(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock, lifetime=30, inactive_lifetime=2)
    for _ in range(3):
        with pytest.raises(InactiveTokenError):
            one.verify("unknown")
    assert len(server.questions) == 1
    clock.now += 2
    with pytest.raises(InactiveTokenError):
        one.verify("unknown")
    assert len(server.questions) == 2


def test_a_lifetime_of_nothing_asks_each_time(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock, lifetime=0, inactive_lifetime=0)
    one.verify(TOKEN)
    one.verify(TOKEN)
    assert len(server.questions) == 2


def test_tokens_that_somebody_makes_up_push_out_no_good_one(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock, remembered=4)
    one.verify(TOKEN)
    for number in range(12):
        with pytest.raises(InactiveTokenError):
            one.verify(f"made-up-{number}")
    assert len(server.questions) == 13
    one.verify(TOKEN)
    assert len(server.questions) == 13
    assert len(one._inactive) == 4


def test_what_is_remembered_is_bounded(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock, remembered=3)
    for number in range(6):
        server.tokens[f"t{number}"] = dict(LATER)
        one.verify(f"t{number}")
    assert len(one._active) == 3
    one.verify("t5")
    assert len(server.questions) == 6
    one.verify("t0")
    assert len(server.questions) == 7


def test_the_token_itself_is_not_kept(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock)
    with pytest.raises(InactiveTokenError):
        one.verify("made-up")
    one.verify(TOKEN)
    for kept in reachable(one):
        text = kept.decode("latin-1") if isinstance(kept, bytes) else kept
        assert TOKEN not in text and "made-up" not in text


def reachable(start: object) -> Iterator[str | bytes]:
    """Yield each text that an object leads to, but for modules, types and code."""
    passed = (type, type(sys), type(reachable), type(reachable.__code__))
    seen: dict[int, object] = {}
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, passed):
            continue
        seen[id(one)] = one
        if isinstance(one, (str, bytes)):
            yield one
        waiting += gc.get_referents(one)


# --- one flight for a token ---------------------------------------------------------


def test_requests_at_the_same_time_ask_once(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock)

    async def ask() -> list[dict[str, Any]]:
        asked = [asyncio.create_task(_averify(one, TOKEN)) for _ in range(20)]
        await until(lambda: held.under_way)
        held.go.set()
        return await asyncio.gather(*asked)

    found = asyncio.run(ask())
    assert [claims["sub"] for claims in found] == ["ada"] * 20
    assert len({id(claims) for claims in found}) == 20
    assert len(server.questions) == 1


def test_threads_and_event_loops_share_the_question(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock)

    def in_a_loop() -> dict[str, Any]:
        return asyncio.run(_averify(one, TOKEN))

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(one.verify, TOKEN) for _ in range(4)]
        asked += [pool.submit(in_a_loop) for _ in range(4)]
        wait_until(lambda: held.under_way)
        held.go.set()
        found = [future.result(HANG) for future in asked]
    assert all(claims["sub"] == "ada" for claims in found)
    assert held.most == 1


async def _averify(one: OpaqueVerifier, token: str) -> dict[str, Any]:
    return await one.averify(token)


def test_a_caller_who_goes_away_takes_nobody_along(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock)

    async def ask() -> dict[str, Any]:
        first = asyncio.create_task(_averify(one, TOKEN))
        await until(lambda: held.under_way)
        second = asyncio.create_task(_averify(one, TOKEN))
        await asyncio.sleep(0)
        first.cancel()
        held.go.set()
        return await second

    assert asyncio.run(ask())["sub"] == "ada"
    assert len(server.questions) == 1


def test_the_loop_goes_on_while_the_issuer_is_asked(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock)

    async def ask() -> dict[str, Any]:
        asked = asyncio.create_task(_averify(one, TOKEN))
        await until(lambda: held.under_way)
        held.go.set()  # reached by this loop, while the question is under way
        return await asked

    assert asyncio.run(ask())["sub"] == "ada"


# --- a flood of made-up tokens ------------------------------------------------------


def test_so_many_questions_are_under_way_and_the_rest_waits(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock, concurrency=3, waiting=20)

    async def ask() -> list[dict[str, Any]]:
        asked = [asyncio.create_task(_averify(one, f"t{n}")) for n in range(15)]
        await until(lambda: held.under_way == 3)
        held.go.set()
        return await asyncio.gather(*asked)

    assert len(asyncio.run(ask())) == 15
    assert held.most == 3 and len(server.questions) == 15


def test_who_finds_no_place_to_wait_is_told_so_at_once(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock, concurrency=2, waiting=3)

    async def ask() -> list[Any]:
        asked = [asyncio.create_task(_averify(one, f"t{n}")) for n in range(9)]
        await until(lambda: held.under_way == 2)
        refused = [task for task in asked if task.done()]
        assert len(refused) == 4
        held.go.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(ask())
    failed = [one for one in found if isinstance(one, BaseException)]
    assert len(failed) == 4
    assert all(isinstance(one, IntrospectionError) for one in failed)
    assert len(server.questions) == 5
    # The places are free again.
    assert one.verify("another")["sub"] == "ada"


def test_who_waits_too_long_for_a_place_is_told_so(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock, concurrency=1, timeout=0.2)

    async def ask() -> None:
        tasks = [asyncio.create_task(_averify(one, f"t{n}")) for n in range(3)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, IntrospectionError) for one in found)

    asyncio.run(ask())
    held.go.set()
    server.behave = None
    assert one.verify(TOKEN)["sub"] == "ada"


@pytest.mark.parametrize("ends", ["cancelled", "stopped"])
def test_a_loop_that_ends_gives_its_places_back(
    server: IntrospectionServer, clock: Clock, ends: str
) -> None:
    held = Held(server)
    one = verifier(server, clock, concurrency=1, waiting=2)

    async def leave() -> None:
        for number in range(3):
            asyncio.create_task(_averify(one, f"t{number}"))  # noqa: RUF006
        await until(lambda: held.under_way)

    if ends == "cancelled":
        asyncio.run(leave())
    else:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(leave())
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.close()
        del loop
        assert found_open()  # nobody hangs up for a loop that is stopped
    held.go.set()
    server.behave = None
    clock.now += 4 * HANG  # longer than any question takes
    server.tokens[TOKEN] = {"sub": "ada"}
    assert one.verify(TOKEN)["sub"] == "ada"


def test_a_question_that_raises_is_raised_for_each_who_waits() -> None:
    flights: Flights[int] = Flights(1, 1, HANG, HANG)

    async def ask() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        flights.answer(b"x", ask)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(flights.aanswer(b"x", ask))


def test_a_question_that_never_ends_is_given_up() -> None:
    flights: Flights[int] = Flights(1, 0, 0.05, -1)
    over = threading.Event()

    async def ask() -> int:
        await asyncio.to_thread(over.wait)
        return 1

    with pytest.raises(FlightError):
        flights.answer(b"x", ask)
    over.set()

    async def answer_later() -> int:
        return 2

    wait_until(lambda: not flights._places)
    assert Flights(1, 0, HANG, HANG).answer(b"x", answer_later) == 2
    assert issubclass(IntrospectionError, FastbearerError)
