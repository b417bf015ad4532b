"""How often, and how many at a time, an issuer is asked about opaque tokens."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
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
from fastbearer.issuers.flights import FlightError, Flights, asking_client
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


# --- a flood of one client, and the tokens of others --------------------------------

FLOODING, OTHER = "198.51.100.1", "203.0.113.7"


async def _asked_by(
    client: str | None, one: OpaqueVerifier, token: str
) -> dict[str, Any]:
    """Verify a token, in a task of its own, for a client."""
    asking_client.set(client)
    return await one.averify(token)


def _asked(server: IntrospectionServer) -> list[str]:
    return [question.form["token"] for question in server.questions]


async def _beside_a_flood(
    held: Held, one: OpaqueVerifier, client: str | None, token: str
) -> list[Any]:
    """Verify a token while five made-up ones of one client fill each place.

    Returns:
        What came of it, and then of the made-up ones: claims or errors.
    """
    flood = [
        asyncio.create_task(_asked_by(FLOODING, one, f"made-up-{n}")) for n in range(5)
    ]
    await until(lambda: held.under_way)
    good = asyncio.create_task(_asked_by(client, one, token))
    await until(lambda: good.done() or any(task.done() for task in flood))
    held.go.set()
    return await asyncio.gather(good, *flood, return_exceptions=True)


def test_a_flood_of_one_client_keeps_no_other_waiting(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock, concurrency=1, waiting=4)
    found = asyncio.run(_beside_a_flood(Held(server), one, OTHER, TOKEN))
    good, *flood = found
    assert good["sub"] == "ada"
    assert isinstance(flood[-1], IntrospectionError)  # the newest has made room
    assert not any(isinstance(answer, Exception) for answer in flood[:-1])
    # One was under way, and the client that came first has the first turn.
    assert _asked(server)[:3] == ["made-up-0", "made-up-1", TOKEN]


def test_who_floods_finds_no_place_once_others_wait(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock, concurrency=1, waiting=2)

    async def ask() -> list[Any]:
        tasks = [asyncio.create_task(_asked_by(OTHER, one, TOKEN))]
        await until(lambda: held.under_way)
        for client, token in (
            (FLOODING, "made-up-0"),
            (OTHER, "another"),
            (FLOODING, "made-up-1"),
        ):
            tasks.append(asyncio.create_task(_asked_by(client, one, token)))
        await until(tasks[-1].done)
        held.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    *others, refused = asyncio.run(ask())
    assert isinstance(refused, IntrospectionError)
    assert [claims["sub"] for claims in others] == ["ada"] * 3


def test_clients_that_nobody_knows_are_one(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock, concurrency=1, waiting=2)

    async def ask() -> list[Any]:
        asked = [
            asyncio.create_task(_asked_by(None, one, f"made-up-{n}")) for n in range(4)
        ]
        await until(lambda: held.under_way and asked[-1].done())
        held.go.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(ask())
    assert [isinstance(one, IntrospectionError) for one in found] == [False] * 3 + [
        True
    ]


def test_threads_ask_for_their_clients(
    server: IntrospectionServer, clock: Clock
) -> None:
    held = Held(server)
    one = verifier(server, clock, concurrency=1, waiting=2)

    def ask(client: str, token: str) -> dict[str, Any]:
        asking_client.set(client)
        return one.verify(token)

    with ThreadPoolExecutor(4) as pool:
        flood = [pool.submit(ask, FLOODING, f"made-up-{n}") for n in range(3)]
        wait_until(lambda: held.under_way and len(one._flights._flights) == 3)
        good = pool.submit(ask, OTHER, TOKEN)
        wait_until(lambda: good.done() or any(future.done() for future in flood))
        held.go.set()
        assert good.result(HANG)["sub"] == "ada"
    refused = [future.exception() for future in flood if future.exception()]
    assert len(refused) == 1 and isinstance(refused[0], IntrospectionError)


@pytest.mark.parametrize("client", [OTHER, FLOODING])
def test_a_token_that_was_good_goes_before_those_that_nobody_has_seen(
    server: IntrospectionServer, clock: Clock, client: str
) -> None:
    one = verifier(server, clock, lifetime=30, concurrency=1, waiting=4)
    one.verify(TOKEN)
    clock.now += 30
    good, *flood = asyncio.run(_beside_a_flood(Held(server), one, client, TOKEN))
    assert good["sub"] == "ada"
    assert isinstance(flood[-1], IntrospectionError)
    assert _asked(server)[1:3] == ["made-up-0", TOKEN]


def test_a_token_that_was_good_is_asked_about_all_the_same(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock, lifetime=30)
    one.verify(TOKEN)
    clock.now += 30
    server.behave = answer(b"busy", 500)
    with pytest.raises(IntrospectionError):
        one.verify(TOKEN)
    server.behave = None
    del server.tokens[TOKEN]  # revoked there
    with pytest.raises(InactiveTokenError):
        one.verify(TOKEN)
    assert len(server.questions) == 3


def test_a_token_that_is_over_goes_before_nobody(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(
        server, clock, lifetime=30, inactive_lifetime=10, concurrency=1, waiting=4
    )
    one.verify(TOKEN)
    clock.now += 30
    del server.tokens[TOKEN]
    with pytest.raises(InactiveTokenError):
        one.verify(TOKEN)
    clock.now += 10
    refused, *_ = asyncio.run(_beside_a_flood(Held(server), one, FLOODING, TOKEN))
    assert isinstance(refused, IntrospectionError)


def test_a_question_that_lost_its_place_can_be_asked_again(
    server: IntrospectionServer, clock: Clock
) -> None:
    one = verifier(server, clock, concurrency=1, waiting=4)
    *_, refused = asyncio.run(_beside_a_flood(Held(server), one, OTHER, TOKEN))
    assert isinstance(refused, IntrospectionError)
    assert one.verify("made-up-4")["sub"] == "ada"
    assert not one._flights._flights and not one._flights._places


# --- what ends before its answer -----------------------------------------------------


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


def test_a_question_that_is_cancelled_before_it_began_gives_its_place_back() -> None:
    flights: Flights[int] = Flights(1, 1, HANG, HANG)

    async def ask() -> int:
        return 1

    async def leave() -> None:
        asked = [
            asyncio.ensure_future(flights.aanswer(subject, ask))
            for subject in (b"flies", b"waits")
        ]
        asyncio.get_running_loop().call_soon(
            lambda: [task.cancel() for task in flights._tasks]
        )
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(error, FlightError) for error in found)

    asyncio.run(leave())
    assert flights.answer(b"another", ask) == 1
    assert not flights._flights and not flights._places


def test_a_question_that_loses_its_place_is_over_at_once() -> None:
    """Whoever asks the same again must not wait for what will not come."""
    flights: Flights[int] = Flights(1, 2, HANG, HANG)

    def board(client: str, subject: bytes) -> Any:
        context = copy_context()
        context.run(asking_client.set, client)
        return context.run(flights._board, subject, is_known=False)[0]

    _, _, newest = (board(FLOODING, name) for name in (b"flies", b"first", b"newest"))
    board(OTHER, b"another")
    assert isinstance(newest.answer.exception(0), FlightError)
    assert set(flights._flights) == {b"flies", b"first", b"another"}


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
