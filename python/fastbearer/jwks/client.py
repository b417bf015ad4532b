"""A JWK Set at a URL."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from fastbearer.errors import ConfigurationError
from fastbearer.jwks.fetch import Fetcher
from fastbearer.jwks.kept import Kept
from fastbearer.jwks.key_documents import log_left_out, read_keys
from fastbearer.jwks.metadata import issuer_of
from fastbearer.jwks.shelf import Fetched, Shelf, freshness
from fastbearer.keys import KeySet
from fastbearer.urls import check_url, without_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastbearer.jwks.fetch import TLSContext

__all__ = ["SECONDS_PER_DAY", "JWKSClient", "KeyReader", "check_numbers"]

SECONDS_PER_DAY = 86_400
KEY_SET_TYPES = "application/jwk-set+json, application/json"


class JWKSClient:
    """Fetches a JWK Set and keeps it, for any number of threads and event loops.

    The set is fetched when it is first asked for, and again when it is no
    longer fresh or lacks a key: by one caller at a time, while others go on
    with the set there is. Where the source fails, the last good set stays in
    use for up to ``max_stale`` seconds.

    Only ``https`` is fetched, and ``http`` from this machine itself; no
    redirect is followed. Private and symmetric keys of the set are left out, and a
    line of the log names each key that is left out. A map of key IDs to certificates
    or public keys in PEM, as Firebase and Google publish, is read as well.

    Args:
        url: Where the set is.
        allow_http: Whether ``http`` may leave this machine, as within a cluster.
        headers: Further headers of each request. They are not shown anywhere.
        ssl_context: What verifies the server's certificate: a context, or a file of
            CA certificates in PEM; None for those of the system.
        lifetime: Seconds for which a set is fresh, where the answer has no
            ``Cache-Control`` of its own.
        max_stale: Seconds since the last good answer after which its set is
            no longer used.
        cooldown: Least seconds between two attempts, whatever tokens say.
        timeout: Seconds that a whole fetch may take, with the reading of its keys.
        max_bytes: Greatest size of an answer.
        clock: A steady clock: a callable that returns seconds.

    Raises:
        ConfigurationError: The URL is none that may be fetched, a number is
            not positive, a header or the context cannot be used, or the extra is not
            installed.
    """

    def __init__(
        self,
        url: str,
        *,
        allow_http: bool = False,
        headers: Mapping[str, str] | None = None,
        ssl_context: TLSContext | None = None,
        lifetime: float = 300,
        max_stale: float = SECONDS_PER_DAY,
        cooldown: float = 10,
        timeout: float = 5,
        max_bytes: int = 262_144,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_numbers(lifetime, max_stale, cooldown, timeout, max_bytes)
        self.url = url
        _check_keys_url(url, allow_http=allow_http)
        self._reader = KeyReader(
            Fetcher(
                allow_http=allow_http,
                headers=headers,
                ssl_context=ssl_context,
                timeout=timeout,
                max_bytes=max_bytes,
            )
        )
        self._kept = Kept(
            self._fetch,
            Shelf[KeySet](lifetime, max_stale, cooldown),
            limit=timeout,
            clock=clock,
            failed=f"keys not fetched from {without_query(url)}",
        )

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        """Return the key set, fetched if it has to be; blocks meanwhile.

        Args:
            unknown_kid: A token names a key that the set has not: fetch it
                again, unless that was done within the cool-down.

        Raises:
            KeySourceError: There is no set that may be used.
        """
        return self._kept.get(refresh=unknown_kid)

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        """Like `keys`, for asyncio: nothing blocks."""
        return await self._kept.aget(refresh=unknown_kid)

    def __copy__(self) -> JWKSClient:  # one set of keys, fetched once, for all
        return self

    def __deepcopy__(self, memo: object) -> JWKSClient:
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({without_query(self.url)!r})"

    async def _fetch(self, _: bool) -> Fetched[KeySet]:
        return await self._reader.fetch(self.url)


class KeyReader:
    """Fetches key sets, and reads each document once.

    The same document keeps its keys, and with them what verifiers remember; what it
    leaves out is logged once.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._last: tuple[bytes, KeySet] | None = None

    async def fetch(self, url: str, *, trusted: bool = True) -> Fetched[KeySet]:
        """Return the keys at a URL.

        Args:
            url: Where they are.
            trusted: Whether the server may see the further headers.

        Raises:
            FetchError: There is no answer, or it has no usable key.
        """
        answer = await self._fetcher.get(url, accept=KEY_SET_TYPES, trusted=trusted)
        answer.check()
        # Keys are checked one by one, which a fetch of another set does not wait for.
        keys = await asyncio.to_thread(self._read, answer.body, without_query(url))
        return Fetched(keys, freshness(answer.headers))

    def _read(self, body: bytes, where: str) -> KeySet:
        last = self._last
        if last is not None and last[0] == body:
            return last[1]
        keys, left_out = read_keys(body)
        log_left_out(left_out, where)
        self._last = (body, keys)
        return keys


def check_numbers(*numbers: float) -> None:
    """Refuse numbers with which nothing can be kept.

    Raises:
        ConfigurationError: One is not positive, or is infinite.
    """
    if not all(0 < number < float("inf") for number in numbers):
        raise ConfigurationError("the numbers of a key source must be positive")


def _check_keys_url(url: str, *, allow_http: bool) -> None:
    """Refuse a URL that cannot be that of a key set.

    Raises:
        ConfigurationError: It may not be fetched, or is that of a discovery document.
    """
    check_url(url, allow_http=allow_http)
    issuer = issuer_of(url)
    if issuer is not None:
        raise ConfigurationError(
            "the JWKS URL is the URL of a discovery document: set JWT_ISSUER to "
            f"{issuer}, and no JWKS URL"
        )
