"""Counting: exact, and in memory bounded in keys and in work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbearer.accounts.windows import MemoryWindows, RedisWindows, Windows
from fastbearer.connections.redis import RedisAccess
from fastbearer.testing import FrozenClock
from servers import empty_redis_cluster, own_watched_redis, redis


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def hit(
    windows: MemoryWindows, key: str = "k", limit: int = 3, expiry: int = 60
) -> Any:
    return run(windows.acquire_entry(key, limit, expiry))


def test_the_window_moves() -> None:
    clock = FrozenClock(1000.0)
    windows = MemoryWindows(clock)
    assert [hit(windows) for _ in range(4)] == [True, True, True, False]
    assert run(windows.get_moving_window("k", 3, 60)) == (1000.0, 3)
    clock.advance(60)
    assert not hit(windows)
    clock.advance(0.1)
    assert hit(windows)
    assert run(windows.get_moving_window("k", 3, 60)) == (1060.1, 1)


def test_an_attempt_is_given_back() -> None:
    windows = MemoryWindows(FrozenClock())
    assert [hit(windows) for _ in range(4)] == [True, True, True, False]
    run(windows.release("k"))
    assert [hit(windows) for _ in range(2)] == [True, False]
    for _ in range(9):
        run(windows.release("k"))
        run(windows.release("other"))
    assert [hit(windows) for _ in range(4)] == [True, True, True, False]
    run(windows.clear("k"))
    assert hit(windows)


def test_what_is_remembered_is_forgotten_in_time() -> None:
    clock = FrozenClock(1000.0)
    windows = MemoryWindows(clock)
    assert run(windows.get("known")) == 0
    run(windows.incr("known", 100))
    assert run(windows.get("known")) == 1
    assert run(windows.get_expiry("known")) == 1100
    clock.advance(101)
    assert run(windows.get("known")) == 0


# --- in memory and in Redis alike

DAY = 86_400
Pass = Callable[[int], Awaitable[None]]
"""Lets seconds pass for what is remembered."""


@pytest.fixture(
    params=[
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("cluster", marks=pytest.mark.redis_cluster),
        pytest.param("sentinel", marks=pytest.mark.redis_sentinel),
    ]
)
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sentinel":
        with own_watched_redis() as watched:
            yield watched.url
    else:
        yield redis() if request.param == "redis" else empty_redis_cluster()


@asynccontextmanager
async def windows_in_redis(url: str, key: str) -> AsyncIterator[tuple[Windows, Pass]]:
    """Give windows in Redis, where a key's time is cut by what is to pass."""
    access = RedisAccess(url)
    windows = RedisWindows(access)

    async def let_pass(seconds: int) -> None:
        client: Any = await access.ready()
        stored = windows.bridge.prefixed_key(key)
        await client.expire(stored, max(0, await client.ttl(stored) - seconds))

    try:
        yield windows, let_pass
    finally:
        await access.aclose()


async def remember_again_and_again(windows: Windows, key: str, let_pass: Pass) -> None:
    """What is remembered again is forgotten so long after the last time."""
    for _ in range(2):
        await windows.incr(key, 30 * DAY)
        for _ in range(2):
            await let_pass(10 * DAY)
            assert await windows.get(key) == 1
    assert await windows.incr(key, 30 * DAY) == 1
    await let_pass(29 * DAY)
    assert await windows.get(key) == 1
    await let_pass(2 * DAY)
    assert await windows.get(key) == 0


def test_in_memory_a_key_is_remembered_from_the_last_time_on() -> None:
    clock = FrozenClock()

    async def let_pass(seconds: int) -> None:
        clock.advance(seconds)

    run(remember_again_and_again(MemoryWindows(clock), "known", let_pass))


def test_in_redis_a_key_is_remembered_from_the_last_time_on(redis_url: str) -> None:
    key = f"known/{uuid4()}"

    async def remembered() -> None:
        async with windows_in_redis(redis_url, key) as (windows, let_pass):
            await remember_again_and_again(windows, key, let_pass)

    run(remembered())


# --- in memory


def test_keys_that_expired_are_swept_away() -> None:
    """Two at an attempt, so that none has to look at all of them."""
    clock = FrozenClock(0.0)
    windows = MemoryWindows(clock)
    for n in range(1000):
        hit(windows, f"minute-{n}")
        hit(windows, f"day-{n}", expiry=86_400)
    clock.advance(61)
    for n in range(10):
        before = len(windows)
        hit(windows, f"fresh-{n}")
        assert len(windows) == before - 1
    for n in range(10, 1000):
        hit(windows, f"fresh-{n}")
    assert len(windows) == 2000  # the fresh ones, and those of the day
    clock.advance(86_400)
    for n in range(2000):
        hit(windows, f"next-{n}")
        hit(windows, "one", expiry=86_400)
    assert len(windows) == 2001


def test_there_are_never_more_keys_than_may_be() -> None:
    clock = FrozenClock()
    windows = MemoryWindows(clock, most_keys=100)
    hit(windows, "kept", 2)
    for n in range(1000):
        hit(windows, f"{n}")
        if n % 50 == 0:
            hit(windows, "kept", 1000)  # in use: not the one to be forgotten
    assert len(windows) == 100
    assert run(windows.get_moving_window("kept", 1000, 60))[1] > 1
    assert run(windows.reset()) == 100 and len(windows) == 0
    assert run(windows.check())


class Naive:
    """The same, from its definition: all events of all keys."""

    def __init__(self) -> None:
        self.events: list[tuple[str, float]] = []

    def hit(self, key: str, now: float, limit: int, expiry: float) -> bool:
        found = [at for name, at in self.events if name == key and at >= now - expiry]
        if len(found) >= limit:
            return False
        self.events.append((key, now))
        return True


@pytest.mark.parametrize("limit", [1, 3])
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40)), max_size=40))
def test_it_counts_as_the_definition_says(
    limit: int, steps: list[tuple[str, int]]
) -> None:
    clock, naive = FrozenClock(0.0), Naive()
    windows = MemoryWindows(clock)
    for key, seconds in steps:
        clock.advance(seconds)
        expected = naive.hit(key, clock(), limit, 60)
        assert hit(windows, key, limit) is expected
