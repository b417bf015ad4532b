"""What is forgotten to be awaited lets nobody in."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from fastbearer import PasswordHash
from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.awaited import awaited
from fastbearer.better_auth import BetterAuth
from fastbearer.better_auth.redis import RedisSessions
from fastbearer.better_auth.sql import SQLSessions
from fastbearer.hashing_pool import HashingPool
from fastbearer.jwks import JWKSClient, JWKSVerifier
from project import SECRET

CHEAP = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
STORED = CHEAP.hash("x")


def better_auth() -> BetterAuth:
    return BetterAuth(SECRET)


def keys() -> JWKSClient:
    return JWKSClient("https://example.com/jwks")


CALLS: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
    "ahash": lambda: CHEAP.ahash("x"),
    "averify": lambda: CHEAP.averify("wrong", STORED),
    "averify_and_update": lambda: CHEAP.averify_and_update("wrong", STORED),
    "run": lambda: HashingPool(slots=1).run(CHEAP.verify, "wrong", STORED),
    "match": lambda: Credentials(None, CheckedUserStore(None), CHEAP).match("x", None),  # type: ignore[arg-type]
    "JWKSVerifier.averify": lambda: JWKSVerifier(keys()).averify("x"),
    "averify_jwt": lambda: better_auth().averify_jwt("x"),
    "aread_session_data": lambda: better_auth().aread_session_data("x"),
    "find_session": lambda: better_auth().find_session("x"),
    "SQLSessions.find": lambda: SQLSessions("sqlite+aiosqlite:///nothing.db").find(
        "x", 0
    ),
    "RedisSessions.find": lambda: RedisSessions("redis://localhost").find("x", 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_what_is_not_awaited_is_no_answer(name: str) -> None:
    for test in (bool, lambda call: not call, lambda call: call and True):
        with pytest.raises(TypeError, match="await"):
            test(CALLS[name]())
    gc.collect()  # and no warning of "never awaited" besides


def test_the_message_names_the_function() -> None:
    with pytest.raises(TypeError, match=r"PasswordHash\.averify\(\) .* await it"):
        assert CHEAP.averify("wrong", STORED)


def test_a_subclass_may_be_a_coroutine_function() -> None:
    class Own(PasswordHash):
        async def averify(self, password: str | bytes, hash: str | bytes) -> bool:
            return await super().averify(password, hash)

    own = Own("argon2id", time_cost=1, memory_cost=8, parallelism=1)
    assert asyncio.run(own.averify("x", STORED))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_is_a_coroutine_otherwise(backend: str) -> None:
    if backend == "trio":
        pytest.importorskip("trio", reason="trio is not installed")

    async def main() -> None:
        assert await CHEAP.averify("x", STORED)
        async with anyio.create_task_group() as group:
            group.start_soon(CHEAP.averify, "x", STORED)

    anyio.run(main, backend=backend)


def test_tasks_and_loops_take_it() -> None:
    async def main() -> None:
        assert await asyncio.create_task(CHEAP.averify("x", STORED))
        assert await asyncio.ensure_future(CHEAP.averify("x", STORED))
        assert await asyncio.wait_for(CHEAP.averify("x", STORED), None)
        assert all(await asyncio.gather(*(CHEAP.averify("x", STORED) for _ in "ab")))
        task = asyncio.create_task(CHEAP.averify("x", STORED))
        assert "averify" in repr(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        future = asyncio.run_coroutine_threadsafe(
            CHEAP.averify("x", STORED), asyncio.get_running_loop()
        )
        assert await asyncio.wrap_future(future)

    asyncio.run(main(), debug=True)
    assert asyncio.run(CHEAP.averify("x", STORED))


def test_whoever_shows_tasks_may_ask_whether_there_is_one() -> None:
    """As Python 3.13 does for every task, and goes on with it."""
    one = CHEAP.averify("x", STORED)
    exec("seen = bool(one)", names := {"__name__": "asyncio.base_tasks", "one": one})
    assert names["seen"] is True
    assert asyncio.run(one)


def test_one_that_is_dropped_warns_as_every_coroutine_does() -> None:
    with warnings.catch_warnings(record=True, action="always") as caught:
        CHEAP.averify("x", STORED)
        gc.collect()
    assert any("never awaited" in str(warning.message) for warning in caught)


def test_it_answers_for_the_coroutine() -> None:
    @awaited
    async def one(value: int) -> int:
        return value

    call = one(1)
    assert asyncio.iscoroutine(call) and call.__name__ == "one"
    assert call.cr_frame is not None and "one" in repr(call)
    with pytest.raises(StopIteration) as caught:
        call.send(None)
    assert caught.value.value == 1
    call.close()
    with pytest.raises(ZeroDivisionError):
        one(1).throw(ZeroDivisionError)
