"""HTTP over connections of which it is known which worker has them.

Two workers accept on one socket, and no answer says whose it is. The kernel does: the
other end of a connection is a descriptor of one process.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

REQUEST_SECONDS = 120.0
"""After which a request hangs, on however slow a machine."""

STALE_SECONDS = 3.0
"""After which a connection is made anew: the server closes idle ones after five."""

MOST_TRIES = 2_000
"""Connections until one of them is the wanted worker's."""

Header = tuple[str, str | bytes]


class HangError(Exception):
    """There was no answer within `REQUEST_SECONDS`."""


class LostError(Exception):
    """The connection has ended without a whole answer."""


class Reply(NamedTuple):
    """An answer, when it was asked for, when it came, and whose it is."""

    status: int
    headers: dict[str, str]
    body: Any
    sent: float
    answered: float
    worker: int

    @property
    def detail(self) -> Any:
        return self.body.get("detail") if isinstance(self.body, dict) else None

    @property
    def data(self) -> Any:
        return self.body["data"]


class Line:
    """A connection to one worker, made anew when it has been idle.

    Args:
        port: Of the service.
        worker: Its process ID.
        address: What is said in `X-Forwarded-For`.
    """

    def __init__(self, port: int, worker: int, address: str = "192.0.2.1") -> None:
        self.worker = worker
        self.address = address
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Sequence[Header] = (),
        body: Any = None,
    ) -> Reply:
        """Return the answer to a request.

        Raises:
            HangError: There is none.
            LostError: It is not whole, on a connection that was just in use.
        """
        data = _request(method, path, [*headers, self._forwarded], body)
        for is_last in (False, True):
            is_fresh = await self._ready()
            sent = time.monotonic()
            try:
                async with asyncio.timeout(REQUEST_SECONDS):
                    status, found, answer = await self._exchange(data)
            except TimeoutError:
                await self.close()
                raise HangError(f"{method} {path}") from None
            except (OSError, asyncio.IncompleteReadError) as error:
                await self.close()
                # An idle connection may be closed by the server at any moment.
                nothing_came = isinstance(error, OSError) or not error.partial
                if is_fresh or is_last or not nothing_came:
                    raise LostError(f"{method} {path}: {error}") from None
                continue
            self._used = time.monotonic()
            if found.get("connection") == "close":
                await self.close()
            return Reply(status, found, answer, sent, self._used, self.worker)
        raise AssertionError

    async def close(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            await _close(streams[1])

    @property
    def _forwarded(self) -> Header:
        return ("X-Forwarded-For", self.address)

    async def _ready(self) -> bool:
        """Be connected; tell whether that is new."""
        if self._streams and time.monotonic() - self._used < STALE_SECONDS:
            return False
        await self.close()
        others: list[asyncio.StreamWriter] = []
        try:
            for _ in range(MOST_TRIES):
                if not Path(f"/proc/{self.worker}").exists():
                    break
                streams = await self._connected()
                if await asyncio.to_thread(_is_held, streams[1], self.worker):
                    self._streams = streams
                    self._used = time.monotonic()
                    return True
                # It stays open for a while: the worker that has it is busier by it.
                others.append(streams[1])
                if len(others) > 8:
                    await _close(others.pop(0))
        finally:
            for writer in others:
                await _close(writer)
        raise LostError(f"worker {self.worker} takes no connection")

    async def _connected(
        self,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, and ask something, so that a worker has the connection."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                streams = await asyncio.open_connection("127.0.0.1", self._port)
                self._streams = streams
                await self._exchange(_request("GET", "/healthz", [], None))
        except TimeoutError:
            await self.close()
            raise HangError("GET /healthz") from None
        except (OSError, asyncio.IncompleteReadError) as error:
            await self.close()
            raise LostError(f"GET /healthz: {error}") from None
        self._streams = None
        return streams

    async def _exchange(self, data: bytes) -> tuple[int, dict[str, str], Any]:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(data)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        text = await reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers, _read(text)


def _read(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _request(method: str, path: str, headers: Iterable[Header], body: Any) -> bytes:
    text = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: service.example"]
    if body is not None:
        lines.append(b"Content-Type: application/json")
    if method != "GET":
        lines.append(f"Content-Length: {len(text)}".encode())
    for name, value in headers:
        said = value if isinstance(value, bytes) else value.encode()
        lines.append(name.encode() + b": " + said)
    return b"\r\n".join([*lines, b"", text])


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _is_held(writer: asyncio.StreamWriter, process: int) -> bool:
    """Tell whether a process has the other end of a connection."""
    ours, theirs = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
    ends = f":{theirs[1]:04X}", f":{ours[1]:04X}"
    inode = next(
        (
            parts[9]
            for parts in map(str.split, Path("/proc/net/tcp").read_text().splitlines())
            if parts[1].endswith(ends[0]) and parts[2].endswith(ends[1])
        ),
        None,
    )
    return inode is not None and f"socket:[{inode}]" in open_files(process)


def open_files(process: int) -> list[str]:
    """Return what the descriptors of a process are."""
    found = []
    with suppress(FileNotFoundError):
        for one in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):
                found.append(str(one.readlink()))
    return found


def bearer(token: str | bytes) -> list[Header]:
    said = token if isinstance(token, bytes) else token.encode()
    return [("Authorization", b"Bearer " + said)]
