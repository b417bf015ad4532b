"""What has ended, in the memory of several processes: journals and their copies."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import Table, delete, insert, select, text

from accounts_kit import (
    EMAIL,
    PASSWORD,
    Store,
    bearer,
    http,
    migrate,
    rows,
    store_of,
    url_of,
)
from fastbearer.accounts import Database, DatabaseRevocations, database_revocations
from fastbearer.accounts.database_revocations import NUMBER
from fastbearer.accounts.models import Ended
from fastbearer.errors import StoreUnavailableError
from fastbearer.revocation import (
    MemoryRevocations,
    RevocationStore,
    replica,
    unread,
)
from fastbearer.revocation.protocol import scope_of
from fastbearer.revocation.redis import RedisRevocations
from fastbearer.testing import FrozenClock
from ports import free_port
from project import SECRET
from servers import (
    EVERY,
    empty_redis_cluster,
    on_every_database,
    own_database,
    own_postgres,
    own_redis,
    redis,
)

SESSION = {"sid": "s1", "sub": "u1", "gen": 0}
NOW = 1_800_000_000
JOURNAL: list[Table] = [
    Ended.metadata.tables[name]
    for name in ("fastbearer_ended", "fastbearer_ended_recent")
]
FAR = NOW + 3600

NOTIFYING = [
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("redis cluster", marks=pytest.mark.redis_cluster),
]
KINDS = [*EVERY, *NOTIFYING[1:]]

Make = Callable[..., Any]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Make stores that share one journal, each like one of another process."""
    kind = request.param
    if kind.startswith("redis"):
        url = redis() if kind == "redis" else empty_redis_cluster()
        prefix = f"test:{uuid4()}:"
        yield lambda **options: RedisRevocations(url, prefix=prefix, **options)
        return
    with store_of(kind, tmp_path) as store:
        yield lambda **options: of_database(url_of(store), **options)


def of_database(url: str, **options: Any) -> DatabaseRevocations:
    return DatabaseRevocations(Database(lambda: url), **options)


@asynccontextmanager
async def unkept(store: Any) -> AsyncIterator[Any]:
    """Open a store whose copy is brought up to date by hand alone."""
    async with store._journal.opened():
        yield store


def ended(store: Any, claims: dict[str, Any]) -> bool:
    return bool(store.has_ended("a.b.c", claims))


def test_it_counts_here_at_once_and_elsewhere_after_one_step(make: Make) -> None:
    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            await here.replicate_once()
            await there.replicate_once()
            await here.end_session("s1", time.time() + 60)
            await here.revoke("t1", time.time() + 60)
            assert await here.end_sessions("u2") > 0
            for claims in (SESSION, {"jti": "t1"}, {"sub": "u2", "gen": 0}):
                assert ended(here, claims)
                assert not ended(there, claims)
            await there.replicate_once()
            for claims in (SESSION, {"jti": "t1"}, {"sub": "u2", "gen": 0}):
                assert ended(there, claims)
            assert not ended(there, {**SESSION, "sid": "s2"})

    asyncio.run(run())


def test_a_process_that_begins_knows_what_ended_before(make: Make) -> None:
    odd = "a\0b \ud800" * 1000

    async def run() -> None:
        async with unkept(make()) as before:
            await before.end_session(odd, time.time() + 60)
            await before.end_session("s1", time.time() + 60)
            await before.end_session("s1", time.time() + 30)
            await before.end_sessions(odd)
        async with make().lifespan(None) as _, unkept(make()) as after:
            await after.replicate_once()
            assert ended(after, SESSION)
            assert ended(after, {"sid": odd})
            assert ended(after, {"sub": odd, "gen": 0})

    asyncio.run(run())


def test_a_copy_that_is_too_old_answers_nothing(make: Make) -> None:
    age = FrozenClock(0)

    async def run() -> None:
        async with unkept(make(monotonic=age, max_lag=10)) as store:
            with pytest.raises(StoreUnavailableError):
                ended(store, SESSION)
            await store.replicate_once()
            age.advance(10)
            assert not ended(store, SESSION)
            age.advance(0.1)
            with pytest.raises(StoreUnavailableError):
                ended(store, SESSION)
            await store.replicate_once()
            assert not ended(store, SESSION)

    asyncio.run(run())


def test_a_copy_that_nobody_keeps_says_what_is_missing(make: Make) -> None:
    with pytest.raises(StoreUnavailableError, match=r"lifespan=auth\.lifespan"):
        ended(make(), SESSION)


@pytest.mark.parametrize("difference", [-3000, 3000])
def test_clocks_that_differ(make: Make, difference: int) -> None:
    """A process whose clock is wrong ends what began before, and nothing else."""

    async def run() -> None:
        wrong = FrozenClock(NOW + difference)
        async with (
            unkept(make(clock=wrong)) as here,
            unkept(make(clock=FrozenClock(NOW))) as there,
        ):
            before = {"sub": "u1", "iat": NOW, "gen": await there.not_before("u1")}
            await here.end_sessions("u1")
            after = {"sub": "u1", "iat": NOW, "gen": await there.not_before("u1")}
            await here.replicate_once()
            await there.replicate_once()
            for store in (here, there):
                assert ended(store, before)
                assert not ended(store, after)

    asyncio.run(run())


def test_what_has_expired_is_pruned_and_users_are_not(make: Make) -> None:
    clock = FrozenClock(NOW)

    async def run() -> None:
        async with unkept(make(clock=clock)) as store:
            await store.end_session("s1", NOW + 60)
            await store.end_session("s2", NOW + 9000)
            await store.revoke("for ever", 2.0**53)
            await store.end_sessions("u1")
            clock.advance(60 + 3600)
            await store._journal.prune()
        async with unkept(make(clock=clock)) as another:
            await another.replicate_once()
            assert not ended(another, SESSION | {"gen": FAR})
            assert ended(another, {"sid": "s2"})
            assert ended(another, {"jti": "for ever"})
            assert ended(another, {"sub": "u1", "gen": 0})

    asyncio.run(run())


def test_no_change_is_missed_while_many_are_written(make: Make) -> None:
    names = [f"s{number}" for number in range(60)]

    async def run() -> None:
        async with (
            unkept(make()) as one,
            unkept(make()) as two,
            unkept(make()) as reader,
        ):
            done = asyncio.Event()

            async def follow() -> None:
                while not done.is_set():
                    await reader.replicate_once()
                await reader.replicate_once()

            following = asyncio.create_task(follow())
            until = time.time() + 60
            await asyncio.gather(
                *(one.end_session(name, until) for name in names[::2]),
                *(two.end_session(name, until) for name in names[1::2]),
                *(two.end_sessions("u") for _ in range(10)),
            )
            done.set()
            await following
            assert all(ended(reader, {"sid": name}) for name in names)
            last = await one.not_before("u")
            assert ended(reader, {"sub": "u", "gen": last - 1})
            assert not ended(reader, {"sub": "u", "gen": last})

    asyncio.run(run())


async def until_true(condition: Callable[[], bool]) -> None:
    """Wait for something that other tasks bring about; a minute means never."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("make", NOTIFYING, indirect=True)
def test_others_are_notified(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read by the clock here: only a notification can bring it."""
    monkeypatch.setattr(replica, "POLL_SECONDS", 3600.0)

    async def run() -> None:
        here, there = make(), make()
        async with here.lifespan(None), there.lifespan(None):
            # Whoever listens does so soon after the start: what is told before that
            # is read with what comes later.
            async def end() -> None:
                while not ended(there, SESSION):
                    await here.end_session("s1", time.time() + 60)
                    await here.end_session(uuid4().hex, time.time() + 60)
                    await asyncio.sleep(0.05)

            async with asyncio.timeout(60):
                await end()

    asyncio.run(run())


def test_without_notifications_it_is_read_every_second(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(*_: object) -> bool:
        return False

    async def run() -> None:
        here, there = make(), make()
        monkeypatch.setattr(there._journal, "listen", deaf)
        async with here.lifespan(None), there.lifespan(None):
            await here.end_session("s1", time.time() + 60)
            await until_true(lambda: ended(there, SESSION))

    asyncio.run(run())


async def survives(server: Any, one: Any, another: Any) -> None:
    """Kill the server of two stores that run, and let it come back."""
    age = FrozenClock(0)
    one._monotonic = age
    async with one.lifespan(None), another.lifespan(None):
        await another.end_session("s1", time.time() + 60)
        await until_true(lambda: ended(one, SESSION))
        await asyncio.to_thread(server.kill)
        with pytest.raises(StoreUnavailableError):
            await one.end_session("s2", time.time() + 60)
        assert ended(one, SESSION | {"sid": "s2"})  # here all the same
        age.advance(11)
        with pytest.raises(StoreUnavailableError):
            ended(one, SESSION)
        await asyncio.to_thread(server.start)
        await until_true(lambda: one._current_at == age())
        assert ended(one, SESSION)

        async def ends_again() -> None:
            while not ended(one, {"sid": "s3"}):
                try:
                    await another.end_session("s3", time.time() + 60)
                except StoreUnavailableError:
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.05)

        async with asyncio.timeout(60):
            await ends_again()


@pytest.mark.postgres
def test_a_postgresql_that_dies_and_comes_back() -> None:
    with own_postgres() as server, own_database(server.url) as url:
        migrate(url)
        asyncio.run(survives(server, of_database(url), of_database(url)))


@pytest.mark.redis
def test_a_redis_that_dies_and_comes_back() -> None:
    with own_redis() as server:
        one, another = RedisRevocations(server.url), RedisRevocations(server.url)
        asyncio.run(survives(server, one, another))


def test_what_a_store_has_lost_is_written_to_it_again(make: Make) -> None:
    """A process that begins after the loss knows what others knew before it."""

    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            until = time.time() + 6000
            await here.end_session("s1", until)
            backup = await copied(here)
            await here.end_session("lost", until)
            await here.revoke("lost", until)
            last = await here.end_sessions("u1")
            await there.replicate_once()
            await restored(here, backup)
            await there.replicate_once()
            assert await there.not_before("u1") == last
            async with unkept(make()) as after:
                await after.replicate_once()
                assert ended(after, {"sid": "lost"})
                assert ended(after, {"jti": "lost"})
                assert ended(after, {"sub": "u1", "gen": last - 1})
                assert not ended(after, {"sub": "u1", "gen": last})
                assert not ended(after, {"sid": "s2"})
            # By several at once, and more than once: nothing newer ends by it.
            await restored(here, backup)
            await here.replicate_once()
            await there.replicate_once()
            assert await here.not_before("u1") == last

    asyncio.run(run())


def test_a_replica_without_the_last_writes_becomes_the_master(make: Make) -> None:
    """Its numbers go on, so that they do not tell: what is missing is seen all the
    same, and written again."""

    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            until = time.time() + 6000
            await here.end_session("s1", until)
            backup = await copied(here)
            await here.end_session("lost", until)
            last = await here.end_sessions("u1")
            await here.replicate_once()
            await restored(here, backup)
            await there.replicate_once()
            await there.end_session("new", until)
            assert not ended(there, {"sid": "lost"})
            await here.replicate_once()
            assert ended(here, {"sid": "new"})
            await there.replicate_once()
            async with unkept(make()) as after:
                await after.replicate_once()
                for store in (there, after):
                    for name in ("s1", "lost", "new"):
                        assert ended(store, {"sid": name}), name
                    assert ended(store, {"sub": "u1", "gen": last - 1})

    asyncio.run(run())


def test_what_is_lost_before_it_was_read_back_is_written_again(make: Make) -> None:
    """A master may die as soon as it has answered, and its replica be late."""

    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            until = time.time() + 6000
            await here.end_session("s1", until)
            await here.replicate_once()
            backup = await copied(here)
            await here.end_session("lost", until)
            await here.revoke("lost", until)
            last = await here.end_sessions("u1")
            await restored(here, backup)
            await here.replicate_once()
            # And what is written again may be lost again.
            await restored(here, backup)
            await here.end_session("later", until)
            await here.replicate_once()
            await there.replicate_once()
            async with unkept(make()) as after:
                await after.replicate_once()
                for store in (there, after):
                    assert ended(store, {"sid": "lost"})
                    assert ended(store, {"jti": "lost"})
                    assert ended(store, {"sid": "later"})
                    assert ended(store, {"sub": "u1", "gen": last - 1})
                    assert not ended(store, {"sub": "u1", "gen": last})

    asyncio.run(run())


def test_what_is_put_back_may_be_lost_as_well(make: Make) -> None:
    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            until = time.time() + 6000
            await here.end_session("s1", until)
            backup = await copied(here)
            await here.end_session("lost", until)
            await there.replicate_once()
            await restored(here, backup)
            await here.end_session("new", until)
            late = await copied(here)
            await there.replicate_once()
            await restored(here, late)
            await there.replicate_once()
            async with unkept(make()) as after:
                await after.replicate_once()
                assert ended(after, {"sid": "lost"})
                assert ended(after, {"sid": "new"})

    asyncio.run(run())


def test_more_may_be_put_back_than_there_is_room_for(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is read and compared again then."""
    monkeypatch.setattr(unread, "UNREAD_MAX", 2)
    names = [f"lost{number}" for number in range(4)]

    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            until = time.time() + 6000
            await here.end_session("s1", until)
            backup = await copied(here)
            for name in names:
                await here.end_session(name, until)
            await there.replicate_once()
            for _ in range(2):
                await restored(here, backup)
                await there.replicate_once()
                assert len(there._unread) == 0
            await there.replicate_once()
            assert not (await there._journal.since(there._number)).is_whole
            async with unkept(make()) as after:
                await after.replicate_once()
                assert all(ended(after, {"sid": name}) for name in names)

    asyncio.run(run())


def test_what_ends_during_a_whole_reading_does_not_ask_for_another(
    make: Make,
) -> None:
    """Or a busy process would read everything again and again."""

    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            until = time.time() + 60
            await here.end_session("s1", until)
            backup = await copied(here)
            await here.end_session("s2", until)
            await here.replicate_once()
            await restored(here, backup)
            await there.end_session("s3", until)
            since = here._journal.since
            whole = []

            async def meanwhile(number: int) -> replica.Reading:
                reading: replica.Reading = await since(number)
                whole.append(reading.is_whole)
                await here.end_session(f"during{len(whole)}", until)
                return reading

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(here._journal, "since", meanwhile)
                for _ in range(3):
                    await here.replicate_once()
            assert whole == [True, False, False]

    asyncio.run(run())


def test_what_was_read_back_is_written_no_more(make: Make) -> None:
    """Every write is a change that each process reads."""

    async def run() -> None:
        async with unkept(make()) as here:
            await here.replicate_once()
            await here.end_session("s1", time.time() + 60)
            await here.revoke("for ever", 2**60 + 1)
            await here.end_sessions("u1")
            await here.end_sessions("u1")
            with out_of_reach(here, but=["since"]):
                await here.replicate_once()
                await here.replicate_once()
            assert len(here._unread) == 0

    asyncio.run(run())


def test_what_is_read_while_it_is_written_is_written_once(make: Make) -> None:
    """A journal may tell of a change before whoever wrote it has the answer."""

    async def run() -> None:
        async with unkept(make()) as here:
            await here.replicate_once()
            until = time.time() + 60
            read = []

            def read_meanwhile(
                write: Callable[..., Awaitable[Any]],
            ) -> Callable[..., Awaitable[Any]]:
                async def written(*values: Any) -> Any:
                    answer = await write(*values)
                    await here.replicate_once()
                    read.append(values)
                    return answer

                return written

            with pytest.MonkeyPatch.context() as patch:
                for name in ("end", "end_user"):
                    write = getattr(here._journal, name)
                    patch.setattr(here._journal, name, read_meanwhile(write))
                await here.end_session("s1", until)
                await here.revoke("t1", until)
                await here.end_sessions("u1")
            assert len(read) == 3
            assert len(here._unread) == 0
            with out_of_reach(here, but=["since"]):
                await here.replicate_once()

    asyncio.run(run())


def test_what_is_under_way_is_neither_missing_nor_lost(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A reading that was too early for it says nothing of it."""

    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            until = time.time() + 60
            await here.end_session("s1", until)
            backup = await copied(here)
            await there.end_session("s1", until)
            await here.replicate_once()
            await restored(here, backup)
            end, since = here._journal.end, here._journal.since
            whole = []

            async def after_readings(*values: Any) -> None:
                await here.replicate_once()
                await here.replicate_once()
                await end(*values)

            async def noted(number: int) -> replica.Reading:
                reading: replica.Reading = await since(number)
                whole.append(reading.is_whole)
                return reading

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(here._journal, "end", after_readings)
                patch.setattr(here._journal, "since", noted)
                with out_of_reach(here, but=["since", "end"]):
                    await here.end_session("s2", until)
            assert whole == [True, False]
            assert len(here._unread) == 1
            with out_of_reach(here, but=["since"]):
                await here.replicate_once()
            assert len(here._unread) == 0

    asyncio.run(run())
    assert "were lost" not in caplog.text


def test_what_is_written_during_a_reading_is_looked_for_in_the_next(make: Make) -> None:
    """The reading may have begun before, and cannot have it."""

    async def run() -> None:
        async with unkept(make()) as here:
            await here.replicate_once()
            since = here._journal.since

            async def meanwhile(number: int) -> replica.Reading:
                reading: replica.Reading = await since(number)
                await here.end_session("s1", time.time() + 60)
                return reading

            with out_of_reach(here, but=["since", "end"]):
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(here._journal, "since", meanwhile)
                    await here.replicate_once()
                assert len(here._unread) == 1
                await here.replicate_once()
            assert len(here._unread) == 0

    asyncio.run(run())


def test_what_ends_is_read_once_and_not_all_that_has_ended(make: Make) -> None:
    """A position that the store knows is good, whatever ends or is pruned after it."""

    async def run() -> None:
        clock = FrozenClock(int(time.time()))
        async with unkept(make(clock=clock)) as here, unkept(make()) as there:
            await here.end_session("s0", clock() + 60)
            await here.end_sessions("u1")
            first = (await there._journal.since(-1)).number
            await here.end_session("s1", clock() - 3600)
            second = (await there._journal.since(first)).number
            await here.end_sessions("u1")
            await here._journal.prune()
            for position in (first, second):
                found = await there._journal.since(position)
                assert not found.is_whole
                assert [one.key for one in found.changes] == ["u1"]
            assert (await there._journal.since(first - 100)).is_whole

    asyncio.run(run())


@on_every_database
def test_numbers_of_a_clock_that_is_ahead_do_not_come_again(
    database: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others follow that clock, and a replica that became the master as well."""
    steps = iter(range(100))
    monkeypatch.setattr(
        database_revocations, "randbelow", lambda _: next(steps), raising=False
    )

    async def run() -> None:
        until = time.time() + 6000
        make = partial(of_database, url_of(database))
        ahead = make(clock=lambda: time.time() + 60)
        async with unkept(ahead), unkept(make()) as here, unkept(make()) as there:
            await ahead.end_session("s1", until)
            backup = await copied(here)
            await here.end_session("lost", until)
            await there.replicate_once()
            await restored(here, backup)
            await here.end_session("new", until)
            await there.replicate_once()
            assert ended(there, {"sid": "new"})
            async with unkept(make()) as after:
                await after.replicate_once()
                assert ended(after, {"sid": "lost"})

    asyncio.run(run())


@on_every_database
def test_numbers_of_long_ago_are_pruned_but_for_the_latest(database: Store) -> None:
    async def run() -> None:
        clock = FrozenClock(NOW)
        async with unkept(of_database(url_of(database), clock=clock)) as store:
            journal = store._journal
            for second in range(3):
                await journal.end("session", f"s{second}", FAR)
                clock.advance(1)
            clock.advance(3600)
            await journal.prune()
            latest = (await journal.since(-1)).number
            await journal.end("session", "new", FAR)
            assert [one.key for one in (await journal.since(latest)).changes] == ["new"]

    asyncio.run(run())
    assert len(rows(database, "SELECT number FROM fastbearer_ended_recent")) == 2


@pytest.mark.redis
def test_many_changes_between_two_looks() -> None:
    """More than the store keeps numbers of: everything is read then."""

    async def run() -> None:
        prefix = f"test:{uuid4()}:"
        here, there = (RedisRevocations(redis(), prefix=prefix) for _ in range(2))
        async with unkept(here), unkept(there):
            await there.end_session("first", time.time() + 60)
            await there.replicate_once()
            until = time.time() + 60
            for start in range(0, 1200, 100):
                names = [f"s{number}" for number in range(start, start + 100)]
                await asyncio.gather(*(here.end_session(name, until) for name in names))
            numbers = await here._redis.client.zcard(here._journal._keys[4])
            assert numbers == 1000
            await there.replicate_once()
            assert ended(there, {"sid": "s0"}) and ended(there, {"sid": "s1199"})

    asyncio.run(run())


@pytest.mark.redis
def test_a_server_that_must_not_write_is_no_source() -> None:
    """A replica, or a master cut off from its replicas: others write elsewhere."""

    async def run(server: Any) -> None:
        store = RedisRevocations(server.url)
        async with unkept(store):
            await store.end_session("s1", time.time() + 60)
            await store.replicate_once()
            await asyncio.to_thread(
                server.ask, "CONFIG", "SET", "min-replicas-to-write", 1
            )
            with pytest.raises(StoreUnavailableError):
                await store.replicate_once()
            with pytest.raises(StoreUnavailableError):
                await store.end_session("s2", time.time() + 60)

    with own_redis() as server:
        asyncio.run(run(server))


def test_what_could_not_be_written_is_written_later(make: Make) -> None:
    """A process that alone knows of an end would refuse what others accept."""
    claims = (SESSION, {"jti": "t1"}, {"sub": "u2", "gen": 0})

    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            await here.replicate_once()
            until = time.time() + 60
            for ending in (
                lambda: here.end_session("s1", until),
                lambda: here.revoke("t1", until),
                lambda: here.end_sessions("u2"),
            ):
                with out_of_reach(here), pytest.raises(StoreUnavailableError):
                    await ending()
            assert all(ended(here, one) for one in claims)
            with (
                out_of_reach(here, but=["since"]),
                pytest.raises(StoreUnavailableError),
            ):
                await here.replicate_once()
            await here.replicate_once()
            await there.replicate_once()
            assert [one for one in claims if not ended(there, one)] == []
            # And who signs in then has a session everywhere.
            generation = await there.not_before("u2")
            assert not ended(here, {"sub": "u2", "gen": generation})
            # That was all: nothing is written once more.
            with out_of_reach(here, but=["since"]):
                await here.replicate_once()

    asyncio.run(run())


def test_what_was_cancelled_is_written_later(make: Make) -> None:
    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            await here.replicate_once()
            with (
                pytest.raises(asyncio.CancelledError),
                out_of_reach(here, error=asyncio.CancelledError),
            ):
                await here.end_session("s1", time.time() + 60)
            await here.replicate_once()
            await there.replicate_once()
            assert ended(there, SESSION)

    asyncio.run(run())


def test_what_waits_for_a_store_has_a_bound(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What finds no room is refused as a failure, and has not ended anywhere."""
    monkeypatch.setattr(unread, "UNREAD_MAX", 3)
    late = [{"sid": "s9"}, {"jti": "t9"}, {"sub": "u9", "gen": 0}]

    async def run() -> None:
        clock = FrozenClock(int(time.time()))
        until = clock() + 60
        async with unkept(make(clock=clock)) as here, unkept(make()) as there:
            await here.replicate_once()

            async def refused(ending: Coroutine[Any, Any, object]) -> None:
                with out_of_reach(here), pytest.raises(StoreUnavailableError):
                    await ending

            await refused(here.end_session("s1", until))
            await refused(here.revoke("t1", clock() + 1))
            for _ in range(5):
                await refused(here.end_sessions("u1"))
            assert len(here._unread) == 3
            endings = (
                lambda: here.end_session("s9", until),
                lambda: here.revoke("t9", until),
                lambda: here.end_sessions("u9"),
            )
            for ending in endings:
                await refused(ending())
            assert [one for one in late if ended(here, one)] == []
            # A longer session needs no more room, and what expires makes some.
            await refused(here.end_session("s1", until + 60))
            clock.advance(2)
            await refused(here.end_session("s2", until))
            await refused(here.end_session("s9", until))
            assert len(here._unread) == 3
            # The store is back before it is read: what can be written ends.
            await here.end_session("s9", until)
            assert ended(here, {"sid": "s9"})
            await here.replicate_once()
            assert len(here._unread) == 3
            await here.replicate_once()
            assert len(here._unread) == 0
            await there.replicate_once()
            generation = await there.not_before("u1")
            for claims in ({"sid": "s1"}, {"sid": "s2"}, {"sid": "s9"}):
                assert ended(there, claims), claims
            assert ended(there, {"sub": "u1", "gen": generation - 1})
            await here.end_sessions("u9")
            assert ended(here, late[2])

    asyncio.run(run())


def test_what_grows_while_it_is_written_is_written_again(make: Make) -> None:
    async def run() -> None:
        async with unkept(make()) as here:
            await here.replicate_once()
            until = time.time() + 60
            with out_of_reach(here), pytest.raises(StoreUnavailableError):
                await here.end_session("s1", until)
            put_back = here._journal.put_back

            async def meanwhile(changes: list[Any]) -> None:
                await put_back(changes)
                with out_of_reach(here), pytest.raises(StoreUnavailableError):
                    await here.end_session("s1", until + 60)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(here._journal, "put_back", meanwhile)
                await here.replicate_once()
            for held in (1, 0):
                await here.replicate_once()
                assert len(here._unread) == held

    asyncio.run(run())


@contextmanager
def out_of_reach(
    store: Any,
    *,
    but: Sequence[str] = (),
    error: type[BaseException] = StoreUnavailableError,
) -> Iterator[None]:
    """Let the methods of a store's journal fail, but for some."""

    async def fail(*arguments: object) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        for name in {"end", "end_user", "since", "put_back"}.difference(but):
            patch.setattr(store._journal, name, fail)
        yield


@pytest.mark.redis
def test_a_redis_that_has_lost_everything() -> None:
    """What comes after the loss is seen, and what was known here stays known."""

    async def run() -> None:
        prefix = f"test:{uuid4()}:"
        one, another = (RedisRevocations(redis(), prefix=prefix) for _ in range(2))
        async with unkept(one), unkept(another):
            for number in range(5):
                await another.end_session(f"s{number}", time.time() + 60)
            last = await another.end_sessions("u1")
            await one.replicate_once()
            await one._redis.client.delete(*one._journal._keys)
            assert await one.not_before("u1") == last  # or nobody could sign in here
            assert await one.end_sessions("u1") == last + 1
            # More than before the loss: the numbers must not begin anew.
            names = [f"new{number}" for number in range(20)]
            for name in names:
                await another.end_session(name, time.time() + 60)
            await one.replicate_once()
            assert all(ended(one, {"sid": name}) for name in [*names, "s3"])

    asyncio.run(run())


async def copied(store: Any) -> Any:
    """Return what a journal holds, for `restored`."""
    journal = store._journal
    if isinstance(store, RedisRevocations):
        return [await journal._redis.client.dump(key) for key in journal._keys]
    async with journal._database.transaction() as session:
        connection = await session.connection()
        number = (await connection.execute(NUMBER)).scalar_one()
        tables = [(await connection.execute(select(one))).all() for one in JOURNAL]
    return number, [[dict(row._mapping) for row in found] for found in tables]


async def restored(store: Any, copy: Any) -> None:
    """Let a journal be what it was at the time of a copy."""
    journal = store._journal
    if isinstance(store, RedisRevocations):
        for key, value in zip(journal._keys, copy, strict=True):
            await journal._redis.client.delete(key)
            if value is not None:
                await journal._redis.client.restore(key, 0, value)
        return
    number, tables = copy
    async with journal._database.transaction() as session:
        connection = await session.connection()
        await connection.execute(
            text("UPDATE fastbearer_ended_number SET number = :n"), {"n": number}
        )
        for table, found in zip(JOURNAL, tables, strict=True):
            await connection.execute(delete(table))
            for row in found:
                await connection.execute(insert(table), row)


def test_a_store_restored_from_a_backup(make: Make) -> None:
    """What ends after it is seen, however much was lost and has come again."""

    async def run() -> None:
        async with unkept(make()) as here, unkept(make()) as there:
            until = time.time() + 60
            await here.end_session("s1", until)
            backup = await copied(here)
            for number in range(5):
                await here.end_session(f"lost{number}", until)
            await there.replicate_once()
            await restored(here, backup)
            # As many as were lost, so that a mere count would be the same again.
            names = [f"new{number}" for number in range(5)]
            for name in names:
                await here.end_session(name, until)
            await there.replicate_once()
            assert [name for name in names if not ended(there, {"sid": name})] == []
            assert ended(there, {"sid": "lost0"})

    asyncio.run(run())


@on_every_database
def test_what_an_earlier_version_kept_in_the_database(database: Store) -> None:
    """The step of the migration keeps what was revoked."""
    from alembic import command

    from fastbearer.accounts.migrations import ACCOUNTS
    from fastbearer.connections.engine import open_engine, parsed_url
    from fastbearer.revocation.protocol import shelf_key

    with own_url(database) as url:

        async def run() -> None:
            engine = open_engine(parsed_url(url, "X"), "X", ())
            async with engine.connect() as connection:
                connection = await connection.execution_options(
                    isolation_level="AUTOCOMMIT"
                )
                await connection.run_sync(
                    lambda here: command.upgrade(ACCOUNTS._config(here), "0002")
                )
            await engine.dispose()
            place: Store = url
            if "sqlite" in url:
                place = Path(url.partition("///")[2])
            await asyncio.to_thread(
                rows,
                place,
                "INSERT INTO fastbearer_revoked VALUES"
                f" ('{shelf_key('t1')}', '2100-01-01 00:00:00')",
            )
            await asyncio.to_thread(
                rows,
                place,
                "INSERT INTO fastbearer_not_before VALUES"
                f" ('{shelf_key('u1')}', {NOW})",
            )
            await Database(lambda: url).migrate()
            async with unkept(of_database(url)) as store:
                await store.replicate_once()
                assert ended(store, {"jti": "t1"})
                assert ended(store, {"sub": "u1", "iat": NOW - 1})
                assert not ended(store, {"sub": "u1", "iat": NOW})
                assert await store.not_before("u1") == NOW
                assert await store.end_sessions("u1") == NOW + 1
                assert await store.not_before("u1") == NOW + 1

        asyncio.run(run())


@contextmanager
def own_url(database: Store) -> Iterator[str]:
    """Give the URL of a database of the same kind that has no tables."""
    if isinstance(database, str):
        with own_database() as url:
            yield url
    else:
        yield url_of(database)


def test_a_task_that_swallows_its_cancellation_is_stopped() -> None:
    swallowed = []

    async def stubborn() -> None:
        while len(swallowed) < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(1)

    async def run() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await replica._stopped(task)
        assert task.done()

    asyncio.run(run())
    assert len(swallowed) == 3


class StubbornJournal:
    """A journal whose listener swallows its first cancellations."""

    def __init__(self) -> None:
        self.swallowed = 0
        self.is_listening = False
        self.was_left_listening: bool | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        yield
        self.was_left_listening = self.is_listening

    async def since(self, number: int) -> replica.Reading:
        return replica.Reading(0, [], is_whole=False)

    async def prune(self) -> None:
        pass

    async def listen(self, wake: Callable[[], None]) -> bool:
        self.is_listening = True
        while self.swallowed < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.swallowed += 1
        self.is_listening = False
        return False


def test_no_listener_outlives_its_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """``asyncio.run`` cancels what is left once only, and would wait for ever."""
    monkeypatch.setattr(replica, "STOP_SECONDS", 0.01)
    journal: Any = StubbornJournal()
    store = replica.ReplicatedRevocations(journal)

    async def run() -> None:
        async with store.lifespan(None):
            await until_true(lambda: journal.is_listening)
        assert journal.was_left_listening is False
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert journal.swallowed == 3


def test_a_hundred_thousand_sessions_cost_little() -> None:
    store = MemoryRevocations(FrozenClock(NOW))

    async def fill() -> None:
        for number in range(100_000):
            await store.end_session(uuid4().hex, NOW + 6 * number)

    tracemalloc.start()
    asyncio.run(fill())
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 20 * 2**20


def test_memory_sweeps_sessions_too() -> None:
    clock = FrozenClock(NOW)
    store = MemoryRevocations(clock)

    async def run() -> None:
        for number in range(5000):
            clock.advance(1)
            await store.end_session(str(number), clock() + 10)

    asyncio.run(run())
    assert len(store._ended) <= 1024


def test_names_of_another_issuer_end_nothing_here() -> None:
    store = MemoryRevocations(FrozenClock(NOW))
    home = frozenset({"https://home.example"})
    here = {"iss": "https://home.example", "sub": "2", "jti": "j", "sid": "s", "iat": 1}
    there = {**here, "iss": "https://id.example"}
    scope = scope_of(there, home)
    assert scope and scope_of(here, home) == "" == scope_of({"sub": "2"}, home)

    async def run() -> None:
        await store.revoke(scope + "j", FAR)
        await store.end_session(scope + "s", FAR)
        await store.end_sessions(scope + "2")

    asyncio.run(run())
    assert store.has_ended("a.b.c", there, scope)
    assert not store.has_ended("a.b.c", here, "")
    # No other issuer says which generation a session is of.
    assert store.has_ended("x.y.z", {"sub": "2", "gen": FAR, "iat": 1}, scope)


class Elsewhere:
    """A store of a project's own, which knows four methods."""

    def __init__(self) -> None:
        self.inner = MemoryRevocations(FrozenClock(NOW))
        self.is_revoked = self.inner.is_revoked
        self.revoke = self.inner.revoke
        self.end_sessions = self.inner.end_sessions
        self.not_before = self.inner.not_before


def test_a_store_of_four_methods_ends_sessions(tmp_path: Path) -> None:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from accounts_kit import CHEAP, make_auth
    from fastbearer.accounts import Accounts
    from fastbearer.fastapi import Auth

    store: RevocationStore = Elsewhere()
    settings = make_auth(tmp_path / "a.db", refresh_tokens=True).settings
    app = FastAPI()
    app.include_router(Accounts(Auth(settings, revocations=store), hasher=CHEAP).router)
    with TestClient(app) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        first = client.post("/api/auth/signup", json=body).json()["data"]
        given = {"refresh_token": first["refresh_token"]}
        second = client.post("/api/auth/refresh", json=given).json()["data"]
        client.post("/api/auth/signout", headers=bearer(second["token"]))
        for one in (first, second):
            got = client.get("/api/auth/me", headers=bearer(one["token"]))
            assert got.status_code == 401


def serving(url: str, port: int) -> subprocess.Popen[bytes]:
    """Start the service in a process of its own."""
    program = Path(sys.executable).with_name("fastbearer")
    environment = {
        **os.environ,
        "BETTER_AUTH_SECRET": SECRET,
        "DATABASE_URL": url,
        "THROTTLE": "0",
    }
    return subprocess.Popen(
        [str(program), "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def asked(what: Callable[[], httpx2.Response], status: int) -> httpx2.Response:
    """Ask until the status is right; what never comes is a failure."""
    for _ in range(600):
        try:
            response = what()
        except httpx2.TransportError:
            response = None
        if response is not None and response.status_code == status:
            return response
        time.sleep(0.1)
    raise AssertionError(f"no {status}")


@pytest.mark.http
@on_every_database
def test_two_processes(database: Store) -> None:
    """Signing out at one counts at the other, and so does a restart."""
    ports = [free_port(), free_port()]
    servers = [serving(url_of(database), port) for port in ports]
    here, there = (f"http://127.0.0.1:{port}" for port in ports)
    body = {"email": EMAIL, "password": PASSWORD}
    try:
        for base in (here, there):
            asked(lambda base=base: http.get(f"{base}/healthz"), 200)  # type: ignore[misc]
        signed = http.post(f"{here}/api/auth/signup", json=body)
        headers = bearer(signed.json()["data"]["token"])
        asked(lambda: http.get(f"{there}/api/auth/me", headers=headers), 200)
        gone = http.post(f"{here}/api/auth/signout", headers=headers)
        assert gone.status_code == 200
        me = http.get(f"{here}/api/auth/me", headers=headers)
        assert me.status_code == 401
        asked(lambda: http.get(f"{there}/api/auth/me", headers=headers), 401)
        servers[1].terminate()
        servers[1].wait()
        servers[1] = serving(url_of(database), ports[1])
        asked(lambda: http.get(f"{there}/healthz"), 200)
        me = http.get(f"{there}/api/auth/me", headers=headers)
        assert me.status_code == 401
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def test_what_is_stopped_twice_leaves_nothing_running() -> None:
    """A poll that is stopped again while it ends is over when its owner is."""
    from fastbearer.revocation import replica

    async def run() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def poll() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        owner = asyncio.create_task(replica._to_its_end(poll()))
        await begun.wait()
        owner.cancel()
        await asyncio.sleep(0)
        owner.cancel()
        with pytest.raises(asyncio.CancelledError):
            await owner
        assert ended.is_set()

    asyncio.run(run())
