"""An ASGI app behind a real HTTP server on the loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import uvicorn

from waiting import wait_until

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class BackgroundServer(uvicorn.Server):
    """One uvicorn, with its own event loop in its own thread.

    ``stop()`` may be called from any thread and takes effect at once, where
    uvicorn alone looks at its flag every tenth of a second.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.failure: BaseException | None = None
        self._app = app
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._thread = threading.Thread(target=self._run, daemon=True)
        config = uvicorn.Config(
            self._remember_failure,
            interface="asgi3",
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            # Otherwise uvicorn believes whoever comes from the loopback.
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
        super().__init__(config)

    @property
    def url(self) -> str:
        """Return ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Return when requests are served; raise what stopped the start-up."""
        self._thread.start()
        wait_until(lambda: self.started or not self._thread.is_alive())
        if not self.started:
            self.stop()
            raise self.failure or RuntimeError("uvicorn did not start")

    def stop(self) -> None:
        """Return when the lifespan is over and the port is closed."""
        self.should_exit = True
        if self._loop and self._stopping and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        try:
            self.run(sockets=[self._listener])
        except BaseException as error:
            self.failure = self.failure or error

    async def _remember_failure(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            await self._app(scope, receive, send)
        except BaseException as error:
            if scope["type"] == "lifespan":
                self.failure = error
            raise

    async def main_loop(self) -> None:
        stopping = asyncio.Event()
        ticking = asyncio.create_task(super().main_loop())
        ticking.add_done_callback(lambda _: stopping.set())
        self._stopping, self._loop = stopping, asyncio.get_running_loop()
        await stopping.wait()
        ticking.cancel()


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve an ASGI app over real HTTP; the value is its base URL.

    For fixtures of a wider scope than one test; tests that use such a fixture
    carry ``pytest.mark.http``. Anything else takes the ``serve`` fixture.
    """
    server = BackgroundServer(app)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
