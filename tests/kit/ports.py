"""Ports of the loopback."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from secrets import randbelow

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Return a port that nobody has, and that the kernel gives to nobody.

    One that the kernel gives may be given again, to a connection of another
    process, before the server that it is meant for has been started.
    """
    first_of_kernel = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 0
    while True:
        port = 10_000 + randbelow(max(first_of_kernel, 20_000) - 10_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
