"""PgBouncer in transaction mode, in front of the PostgreSQL of the tests."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from own_servers import be_patient, kept_for_all, mortal_process, own
from ports import free_port
from servers import answers, postgres
from waiting import wait_until

NO_PGBOUNCER = "NO PGBOUNCER: Debian's package pgbouncer is needed"
PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")

# Each transaction gets the session that has waited longest: hardly ever the last one.
SETTINGS = """
[databases]
* = host={host} port={server} user={user} {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
min_pool_size = 3
max_client_conn = 1000
server_round_robin = 1
"""


class PgBouncer:
    """One of our own; whoever connects is the superuser of the tests."""

    def __init__(self, folder: Path) -> None:
        if PROGRAM is None:
            pytest.skip(NO_PGBOUNCER)
        server = urlsplit(postgres())
        port = free_port()
        self.url = f"postgresql://{server.username}@127.0.0.1:{port}/postgres"
        self._file = folder / "pgbouncer.ini"
        self._file.write_text(
            SETTINGS.format(
                host=server.hostname,
                server=server.port or 5432,
                user=server.username,
                password=f"password={server.password}" if server.password else "",
                port=port,
            )
        )
        folder.chmod(0o755)
        self._file.chmod(0o644)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        command = [str(PROGRAM), "--quiet", str(self._file)]
        self._process = process = mortal_process(command, "postgres")
        wait_until(lambda: process.poll() is not None or answers(self.url))
        assert process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@cache
def _pgbouncer() -> str:
    be_patient()
    return kept_for_all(own(PgBouncer))


def through_pgbouncer(url: str) -> str:
    """Return the URL of a database of the tests, through PgBouncer."""
    return _pgbouncer().rpartition("/")[0] + f"/{urlsplit(url).path[1:]}?pgbouncer=true"
