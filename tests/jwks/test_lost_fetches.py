"""Fetches that are lost before they begin, while nobody waits for them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fastbearer import Key, KeySourceError, Signer, UnknownKeyError
from fastbearer.jwks import DiscoveredKeys, JWKSClient, JWKSVerifier
from key_server import KeyServer, answer, by_path, metadata, serving
from scarce_files import REASON, no_more_loops
from waiting import HANG

pytestmark = pytest.mark.http

OLD = Key.generate("ES256", kid="old")
NEW = Key.generate("ES256", kid="new")
TOKEN = Signer(OLD, lifetime=600).sign({"sub": "ada"})

Source = JWKSClient | DiscoveredKeys


class Clock:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer(answer(b"nothing yet", 404)) as server:
        serve(server, OLD)
        yield server


def serve(server: KeyServer, key: Key) -> None:
    server.behave = by_path(
        {
            "/.well-known/openid-configuration": answer(metadata(server.origin)),
            "/keys": serving(key),
        }
    )


def at_a_url(server: KeyServer, clock: Clock) -> JWKSClient:
    return JWKSClient(f"{server.origin}/keys", timeout=HANG, clock=clock)


def of_an_issuer(server: KeyServer, clock: Clock) -> DiscoveredKeys:
    return DiscoveredKeys(server.origin, timeout=HANG, clock=clock)


@contextmanager
def threads_that_do_not_run() -> Iterator[None]:
    """Let threads start that are never heard of again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda _: None)
        yield


Made = Callable[[KeyServer, Clock], Source]
each_source = pytest.mark.parametrize("made", [at_a_url, of_an_issuer])


@each_source
def test_a_loop_that_cannot_be_made_is_a_source_that_fails(
    server: KeyServer, clock: Clock, made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    source = made(server, clock)
    with no_more_loops(), pytest.raises(KeySourceError, match=REASON):
        source.keys()
    assert [REASON in line for line in caplog.messages] == [True]
    clock.now += 10
    assert len(source.keys()) == 1


@each_source
@pytest.mark.parametrize("loses", [no_more_loops, threads_that_do_not_run])
def test_a_withdrawn_key_does_not_outlive_a_fetch_that_is_lost(
    server: KeyServer,
    clock: Clock,
    made: Made,
    loses: Callable[[], Iterator[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The request that began it is cancelled, so that nobody else knows of it."""
    verifier = JWKSVerifier(made(server, clock))

    async def hang_up() -> None:
        with loses():  # type: ignore[attr-defined]
            request = asyncio.ensure_future(verifier.averify(TOKEN))
            await asyncio.sleep(0)
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)

    verifier.verify(TOKEN)
    serve(server, NEW)
    clock.now += 300
    asyncio.run(hang_up())
    clock.now += 3 * HANG + 1  # as long as that fetch could take
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)
    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(warnings) == 1


def test_those_who_wait_for_a_lost_fetch_are_told_by_whoever_comes_next(
    server: KeyServer, clock: Clock
) -> None:
    client = at_a_url(server, clock)
    with threads_that_do_not_run():
        lost = client._kept._board(refresh=False)
    assert lost is not None
    clock.now += HANG
    assert client._kept._board(refresh=False) is lost
    clock.now += 1
    assert len(client.keys()) == 1
    assert lost.done()
