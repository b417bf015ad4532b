"""The server that ``fastbearer serve`` starts: where it listens, what it prints."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from typing import TYPE_CHECKING, Any

from fastbearer import ConfigurationError
from fastbearer.cli.own_accounts import quiet

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["check_address", "check_start", "server_logging"]

NO_ADDRESS = "cannot listen on {}, port {} ({}); choose others with --host and --port"
OWN_ERROR = re.compile(r"^fastbearer\.errors\.(\w+: .+)$", re.MULTILINE)
"""The last line of a traceback, as Starlette hands one to the server."""

ENDED = "Application startup failed. Exiting."
"""uvicorn's last line after a start that failed, in which there is no reason."""


def check_address(host: str, port: int) -> None:
    """Judge whether a server can listen there, before one is started.

    Raises:
        ConfigurationError: The address is not this machine's, or is in use.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigurationError(NO_ADDRESS.format(host, port, reason)) from None


def check_start(app: FastAPI) -> None:
    """Start the service and stop it, before several processes of it are started.

    One that cannot start would be started again, for ever.

    Raises:
        ConfigurationError: The environment is not fit for use.
    """
    from fastbearer.fastapi.start import says_errors

    async def started() -> None:
        says_errors.set(True)
        async with app.router.lifespan_context(app):
            pass

    with quiet():
        asyncio.run(started())


class OneLine(logging.Filter):
    """Lets one line say why a start has failed, in place of a traceback and others.

    Args:
        told: What our own log says of it, which the server's says as well.
    """

    def __init__(self, told: str) -> None:
        super().__init__()
        self._told = told
        self._has_said_why = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the server's record, and tell whether one is to be shown."""
        found = OWN_ERROR.findall(record.getMessage())
        if found:
            record.msg, record.args = found[-1], ()
            self._has_said_why = True
        is_last = record.msg == ENDED and self._has_said_why
        return record.msg != self._told and not is_last


def server_logging() -> dict[str, Any]:
    """Return uvicorn's logging, with our own beside it."""
    from copy import deepcopy

    from uvicorn.config import LOGGING_CONFIG

    from fastbearer.fastapi.start import CANNOT_START

    config: dict[str, Any] = deepcopy(LOGGING_CONFIG)
    ours = {"handlers": ["default"], "level": "INFO", "propagate": False}
    config["loggers"]["fastbearer"] = ours
    config["filters"] = {"one_line": {"()": OneLine, "told": CANNOT_START}}
    config["handlers"]["default"]["filters"] = ["one_line"]
    return config
