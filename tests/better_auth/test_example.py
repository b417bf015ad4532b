"""The command of examples/better-auth, without a browser."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from example_server import Example, better_auth_example

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    folder = tmp_path_factory.mktemp("example")
    with better_auth_example(folder / "accounts.db") as running:
        yield running


@pytest.mark.parametrize("victim", [0, 1], ids=["Better Auth", "the backend"])
def test_both_processes_end_together(tmp_path: Path, victim: int) -> None:
    with better_auth_example(tmp_path / "accounts.db") as example:
        os.kill(example.children()[victim], signal.SIGKILL)
        assert example.process.wait() == 1
        assert not (listens(example.url) or listens(example.backend))


def test_it_ends_when_it_is_interrupted(tmp_path: Path) -> None:
    with better_auth_example(tmp_path / "accounts.db") as example:
        assert listens(example.url) and listens(example.backend)
        example.process.send_signal(signal.SIGINT)
        assert example.process.wait() == 0
        assert not (listens(example.url) or listens(example.backend))


@pytest.mark.parametrize("host", [b"localhost", b"[", b"a b", b""])
def test_odd_requests_do_not_end_it(example: Example, host: bytes) -> None:
    for target in (b"//", b"*", b"http://[/", b"/%", b"/api/auth//", b"/api/auth/%ff"):
        for url in (example.url, example.backend):
            sent = b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
            assert said(url, sent % (target, host)).startswith(b"HTTP/1.1 ")
    for url in (f"{example.url}/api/auth/ok", f"{example.backend}/docs"):
        assert httpx2.get(url).status_code == 200
    assert example.process.poll() is None


def said(url: str, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
        client.sendall(request)
        with client.makefile("rb") as answer:
            return answer.read()


def test_nobody_else_may_read_what_it_keeps(example: Example) -> None:
    assert example.database.stat().st_mode & 0o077 == 0


def listens(url: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0
