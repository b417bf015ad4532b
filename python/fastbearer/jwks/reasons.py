"""Why there was no answer, in a line that is fit for a log."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["reason_of", "reason_of_system"]

OF_YOUR_OWN = "; ssl_context=... or JWT_CA_FILE takes a CA of your own"

MOST = 32
"""Exceptions of a chain that are looked at."""


def reason_of(
    error: BaseException, timeout: float, handled: BaseException | None = None
) -> str:
    """Return why a request failed, in words of ours.

    The messages of exceptions have pieces of what came over the network in them, and
    say "All connection attempts failed" of most faults; their causes know more.

    Args:
        error: What the HTTP client raised.
        timeout: The seconds that the request had.
        handled: What was being handled when the request was made, if anything.
    """
    import httpx2

    late = f"no answer within {timeout:g} seconds"
    chain = list(_chain(error, handled))
    for one in chain:
        if isinstance(one, (TimeoutError, httpx2.TimeoutException)):
            return late
        if isinstance(one, OSError) and (known := reason_of_system(one)):
            return known
    for kind, words in (
        (httpx2.ProxyError, "the connection is refused"),
        (httpx2.RemoteProtocolError, "what answers is not HTTP, or broke off"),
        (httpx2.LocalProtocolError, "the request cannot be sent"),
        (httpx2.NetworkError, "the connection broke"),
    ):
        if any(isinstance(one, kind) for one in chain):
            return words
    return type(error).__name__


def reason_of_system(error: OSError) -> str | None:
    """Return what the system, its resolver or OpenSSL says, where that is clear."""
    if isinstance(error, ssl.SSLCertVerificationError):
        found = error.verify_message.rstrip(".")
        return f"TLS: the certificate is not accepted: {found}{OF_YOUR_OWN}"
    if isinstance(error, ssl.SSLError):
        name = error.reason or "the handshake broke off"
        return f"TLS: {name.replace('_', ' ').lower()}"
    if isinstance(error, socket.gaierror):
        return f"the name of the host is not resolved: {error.strerror}"
    if error.errno:
        # What asyncio writes there has the address in it.
        return os.strerror(error.errno).lower()
    return None


def _chain(
    error: BaseException, handled: BaseException | None
) -> Iterator[BaseException]:
    """Yield an exception, its causes and those of its group, each once.

    What was being handled when the request was made is in the context of whatever
    is raised later, and has nothing to do with it.
    """
    waiting, seen = [error], {id(handled)}
    while waiting and len(seen) < MOST:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if one.__cause__ is not None:
            waiting.append(one.__cause__)
        elif one.__context__ is not None:
            waiting.append(one.__context__)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
