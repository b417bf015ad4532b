"""Servers and interpreters that end while keys are being fetched."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler

import pytest

from asgi import BackgroundServer, Receive, Scope, Send
from fastbearer import Key, KeySourceError
from fastbearer.jwks import DiscoveredKeys, JWKSClient
from fastbearer.jwks.fetch import Fetcher
from key_server import KeyServer, answer, metadata, serving
from waiting import HANG, wait_until

pytestmark = pytest.mark.http

KEY = Key.generate("ES256", kid="k")


@pytest.fixture
def source() -> Iterator[KeyServer]:
    """A key server that answers when it is released, and says that it was asked."""

    def until_told(handler: BaseHTTPRequestHandler) -> None:
        server.arrived.set()  # type: ignore[attr-defined]
        server.released.wait()
        serving(KEY)(handler)

    with KeyServer(until_told) as server:
        server.arrived = threading.Event()  # type: ignore[attr-defined]
        yield server


class App:
    """Asks for something in each request."""

    def __init__(self, ask: Callable[[], Awaitable[object]]) -> None:
        self._ask = ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        await self._ask()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_stops_amid_a_fetch(source: KeyServer, loop: str) -> None:
    """Nothing of the fetch is on its loop, which therefore waits for nothing."""
    pytest.importorskip(loop)
    client = JWKSClient(source.url, timeout=HANG)
    server = BackgroundServer(App(client.akeys))
    server.config.loop = loop
    server.config.timeout_graceful_shutdown = 0
    server.start()
    request = HTTPConnection(server.url.removeprefix("http://"))
    request.request("GET", "/")
    source.arrived.wait()  # type: ignore[attr-defined]
    server.stop()
    request.close()
    assert not source.released.is_set()
    source.released.set()
    assert len(client.keys()) == 1
    assert source.hits == 1


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_stops_amid_a_request_of_its_own_loop(
    source: KeyServer, loop: str
) -> None:
    """As introspection makes it: it ends with the request that waits for it."""
    pytest.importorskip(loop)
    fetcher = Fetcher(timeout=HANG)
    server = BackgroundServer(App(lambda: fetcher.get(source.url)))
    server.config.loop = loop
    server.config.timeout_graceful_shutdown = 0
    server.start()
    request = HTTPConnection(server.url.removeprefix("http://"))
    request.request("GET", "/")
    source.arrived.wait()  # type: ignore[attr-defined]
    server.stop()
    request.close()
    assert not source.released.is_set()


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
    )


AMID_A_FETCH = """
import asyncio, sys, {loop} as other
from fastbearer.jwks import {kind}

async def main():
    source = {kind}(sys.argv[1], timeout=600)
    fetching = asyncio.create_task(source.akeys())
    while source.{kept}._flight is None:
        await asyncio.sleep(0)

with asyncio.Runner(loop_factory=other.new_event_loop) as runner:
    runner.run(main())
print("ended")
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("kind", "kept"), [("JWKSClient", "_kept"), ("DiscoveredKeys", "_keys")]
)
def test_an_interpreter_ends_amid_a_fetch(
    source: KeyServer, loop: str, kind: str, kept: str
) -> None:
    pytest.importorskip(loop)
    program = AMID_A_FETCH.format(loop=loop, kind=kind, kept=kept)
    ended = run(program, source.origin)
    assert (ended.stdout, ended.stderr) == ("ended\n", "")
    assert not source.released.is_set()


FORKED_AMID_A_FETCH = """
import os, sys, threading, warnings
from fastbearer.jwks import DiscoveredKeys, JWKSClient

warnings.simplefilter("ignore")  # of threads, in newer Pythons: they are the point
client = JWKSClient(sys.argv[1] + "/keys", timeout=600)
source = DiscoveredKeys(sys.argv[1])
for ask in (client.keys, source.keys):
    threading.Thread(target=ask, daemon=True).start()
while None in (client._kept._flight, source._keys._flight, source._metadata._flight):
    pass
sys.stdin.readline()
child = os.fork()
if child == 0:
    with client._kept._lock, source._keys._lock:
        flights = client._kept._flight, source._keys._flight, source._metadata._flight
    print(flights, len(client.keys()), len(source.keys()), flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_process_is_forked_amid_a_fetch(source: KeyServer) -> None:
    """As gunicorn --preload does: the thread that fetches is not in the child."""
    asked: list[str] = []
    routes = {
        "/.well-known/openid-configuration": answer(metadata(source.origin)),
        "/keys": serving(KEY),
    }

    def first_never(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        if asked.count(handler.path) == 1:
            source.arrived.set()  # type: ignore[attr-defined]
            source.released.wait()
        routes[handler.path](handler)

    source.behave = first_never
    with subprocess.Popen(
        [sys.executable, "-c", FORKED_AMID_A_FETCH, source.origin],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        wait_until(lambda: len(asked) == 2)
        assert parent.communicate("fork\n")[0] == "(None, None, None) 1 1\n"
    assert parent.returncode == 0
    assert not source.released.is_set()


AMID_A_LOOK_UP = """
import socket, threading
from fastbearer import KeySourceError
from fastbearer.jwks import JWKSClient

def getaddrinfo(*args, **options):
    asked.set()
    threading.Event().wait()  # as a resolver whose servers are away, but for ever

asked = threading.Event()
socket.getaddrinfo = getaddrinfo
timeout = 0.1
while not asked.is_set():  # however slow the machine is
    try:
        JWKSClient("https://id.example/keys", timeout=timeout).keys()
    except KeySourceError as error:
        said = str(error)
    timeout *= 2
print(said.rpartition(" within ")[0])
"""


def test_a_resolver_that_does_not_answer_holds_nobody() -> None:
    """Neither the caller beyond its time, nor the interpreter at its end."""
    ended = run(AMID_A_LOOK_UP)
    assert ended.stdout == "no keys: no answer\n"
    logged = "keys not fetched from https://id.example/keys: no answer within "
    assert all(line.startswith(logged) for line in ended.stderr.splitlines())


def test_a_thread_that_cannot_be_started_is_a_source_that_fails(
    source: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeySourceError, match="can't start new thread"):
        DiscoveredKeys(source.origin).keys()
