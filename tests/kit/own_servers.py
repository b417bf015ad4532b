"""Servers that the tests start themselves, in folders that are thrown away."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from waiting import HANG

MEMORY = Path("/dev/shm")
RUNS_AS_ROOT = os.getuid() == 0
SETPRIV = shutil.which("setpriv")


class Server(Protocol):
    """What both kinds can do."""

    url: str

    def start(self) -> None: ...

    def stop(self) -> None: ...


Kind = TypeVar("Kind", bound=Server)


def mortal_process(command: Sequence[str], account: str) -> subprocess.Popen[bytes]:
    """Start a program that does not outlive this process, however that ends.

    Args:
        command: The program and its arguments.
        account: Whose rights it has where we are root.
    """
    bound = [] if SETPRIV is None else [SETPRIV, "--pdeathsig", "KILL", "--"]
    return subprocess.Popen(
        [*bound, *command],
        user=account if RUNS_AS_ROOT else None,
        group=account if RUNS_AS_ROOT else None,
        extra_groups=[] if RUNS_AS_ROOT else None,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def own(kind: Callable[[Path], Kind], *, in_memory: bool = False) -> Iterator[Kind]:
    """Run a server in a folder that is thrown away, if possible in memory."""
    parent = MEMORY if in_memory and os.access(MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="fastbearer-", dir=parent))
    try:
        server = kind(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def be_patient() -> None:
    """Lift the limits after which a service gives a server up: machines may be slow."""
    from fastbearer.connections import engine, mysql, psycopg, redis

    redis.TIMEOUT_SECONDS = HANG
    for module in (engine, mysql, psycopg):
        for options in vars(module).copy().values():
            _lengthen(options)


def _lengthen(options: object) -> None:
    if not isinstance(options, dict):
        return
    for name, value in options.items():
        if str(name).endswith("timeout"):
            options[name] = HANG
        _lengthen(value)


def keep(own: AbstractContextManager[Kind]) -> Kind:
    """Return a server that runs until ``stop_kept``."""
    server = own.__enter__()
    _kept.append(own)
    return server


def kept_for_all(own: AbstractContextManager[Server]) -> str:
    """Return the URL of a server that runs until ``stop_kept``."""
    return keep(own).url


_kept: list[Any] = []


def stop_kept() -> None:
    """End what ``keep`` keeps."""
    while _kept:
        _kept.pop().__exit__(None, None, None)
