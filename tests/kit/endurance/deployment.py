"""A service of two workers, and all that it needs, on free ports of the loopback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from databases import create
from endurance.issuer import RotatingIssuer
from own_servers import mortal_process, own
from ports import free_port
from project import SECRET
from redis_servers import RedisServer
from servers import PostgresServer, answers
from waiting import wait_until

WORKERS = 2
LAG_SECONDS = 10
"""For how long a worker goes on with what it knows of ended sessions: the default, so
that a machine that is busy for a moment is no fault of theirs."""

GRACE_SECONDS = 5
"""For how long a used refresh token may come again."""

STARTED = re.compile(r"Started server process \[(\d+)\]")
FINISHED = re.compile(r"Finished server process \[(\d+)\]")


class Postgres(PostgresServer):
    """One of which every process can be killed at once."""

    def start(self) -> None:
        """Return when it answers."""
        command = [str(self._binaries / "postgres"), "-D", str(self._folder)]
        command += ["-p", str(self._port), "-k", str(self._folder)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=on"]
        self._process = process = mortal_process(command, "postgres")
        wait_until(lambda: process.poll() is not None or answers(self.url))
        assert process.poll() is None, "PostgreSQL has not started"

    def kill(self) -> None:
        """Kill it and its backends, so that nobody is told anything."""
        pid = self._process.pid
        doomed = [pid, *_children(pid)]
        for one in doomed:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._process.wait()
        wait_until(lambda: not any(_is_alive(one) for one in doomed))

    stop = kill


def _children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if f"\nPPid:\t{parent}\n" in status.read_text():
                found.append(int(status.parent.name))
    return found


def _is_alive(process: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    return False


class Service:
    """``fastbearer serve`` with its workers.

    Attributes:
        port: Where it listens.
        workers: Their process IDs.

    Args:
        folder: For its log.
        environment: Of its processes.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.workers: tuple[int, ...] = ()
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._logs: list[Path] = []

    def start(self) -> None:
        """Return when each worker takes requests."""
        log = self._folder / f"log{len(self._logs)}"
        self._logs.append(log)
        command = [sys.executable, "-m", "fastbearer", "serve"]
        command += ["--port", str(self.port), "--workers", str(WORKERS)]
        with log.open("w") as written:
            self._process = process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=written,
            )

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            said = log.read_text()
            return said.count("Application startup complete") >= WORKERS

        wait_until(is_ready)
        self.workers = tuple(sorted({int(one) for one in STARTED.findall(self.log())}))

    def stop(self) -> int | None:
        """Ask it to stop; return its exit status, None where it does not run."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        return process.wait()

    def alive(self) -> bool:
        """Tell whether its workers are those that it began with."""
        return all(map(_is_alive, self.workers))

    def log(self) -> str:
        """Return what it has said since it was started."""
        return self._logs[-1].read_text(errors="replace")

    def lines(self) -> Iterator[str]:
        """Yield the lines of all its logs."""
        for log in self._logs:
            with log.open(errors="replace") as opened:
                yield from opened

    def finished(self) -> set[int]:
        """Return the workers of which the log says that they ended by themselves."""
        return {int(one) for one in FINISHED.findall(self.log())}


class Deployment:
    """The service and its stores.

    Attributes:
        stores: PostgreSQL and Redis, by their names.
        database: URL of the service's database.
        issuer: Whose tokens it takes besides its own.
        service: The service.
    """

    def __init__(
        self,
        postgres: Postgres,
        redis: RedisServer,
        issuer: RotatingIssuer,
        folder: Path,
        first_path: str | None,
    ) -> None:
        self.stores: dict[str, Any] = {"PostgreSQL": postgres, "Redis": redis}
        self.database = create(postgres.url)
        self.issuer = issuer
        environment = {
            **os.environ,
            "BETTER_AUTH_SECRET": SECRET,
            "BETTER_AUTH_URL": issuer.origin,
            "DATABASE_URL": self.database,
            "REDIS_URL": redis.url,
            "REVOCATION": "redis",
            "REVOCATION_LAG_SECONDS": str(LAG_SECONDS),
            "REFRESH_TOKENS": "1",
            "REFRESH_GRACE_SECONDS": str(GRACE_SECONDS),
            # Every visitor has an address of their own, and asks a great deal.
            "TRUSTED_PROXIES": "127.0.0.1",
            "THROTTLE_REQUESTS": "10000000/minute",
        }
        migrate = [sys.executable, "-m", "fastbearer", "migrate"]
        subprocess.run(
            migrate, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        if first_path is not None:
            paths = filter(None, (first_path, environment.get("PYTHONPATH")))
            environment["PYTHONPATH"] = os.pathsep.join(paths)
        self.service = Service(folder, environment)


@contextmanager
def deployed(first_path: str | None) -> Iterator[Deployment]:
    """Run a service and its stores until the end.

    Redis writes each change to the disk before it answers (``appendfsync always``), and
    PostgreSQL as always: what they have acknowledged outlives their deaths.

    Args:
        first_path: A folder from which the service's Python imports first: for the
            faults that tests plant.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(own(Postgres))
        redis = stack.enter_context(own(RedisServer))
        issuer = stack.enter_context(RotatingIssuer())
        folder = stack.enter_context(_folder())
        whole = Deployment(postgres, redis, issuer, folder, first_path)
        stack.callback(whole.service.stop)
        whole.service.start()
        yield whole


@contextmanager
def _folder() -> Iterator[Path]:
    import shutil

    folder = Path(mkdtemp(prefix="fastbearer-endurance-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
