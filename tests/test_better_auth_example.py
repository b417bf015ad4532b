"""The command of examples/better-auth, without a browser."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from example_server import better_auth_example

pytestmark = pytest.mark.node


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


def listens(url: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0
