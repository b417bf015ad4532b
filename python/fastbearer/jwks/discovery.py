"""The keys of an issuer that is known by its name alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastbearer.errors import KeySourceError
from fastbearer.jwks.client import SECONDS_PER_DAY, KeyReader, check_numbers
from fastbearer.jwks.fetch import Fetcher, FetchError
from fastbearer.jwks.kept import Kept
from fastbearer.jwks.metadata import (
    NotMetadataError,
    check_issuer,
    keys_url,
    metadata_urls,
    read_metadata,
)
from fastbearer.jwks.shelf import Fetched, Shelf, freshness
from fastbearer.keys import KeySet
from fastbearer.urls import read_url, without_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastbearer.jwks.fetch import TLSContext

__all__ = ["DiscoveredKeys"]

Metadata = Mapping[str, Any]


class DiscoveredKeys:
    """Finds the keys of an issuer, fetches them and keeps them.

    The issuer's discovery document says where its keys are: that of OpenID Connect
    Discovery 1.0, or where there is none, that of RFC 8414. Its ``issuer`` must be
    exactly the one that is configured. The document is kept as the keys are, by its
    own ``Cache-Control``; where the keys have moved, the next refresh of the document
    follows them, as does a token that names an unknown key.

    Args:
        issuer: The issuer, as ``iss`` has it: an ``https`` URL without a query.
        allow_http: Whether ``http`` may leave this machine, as within a cluster.
        headers: Further headers of requests to the issuer's origin. If its keys are
            elsewhere, that server sees none of them but a ``User-Agent``.
        ssl_context: What verifies certificates: a context, or a file of CA
            certificates in PEM; None for those of the system.
        lifetime: Seconds for which an answer without ``Cache-Control`` is fresh.
        max_stale: Seconds since the last good answer after which what it brought is
            no longer used.
        cooldown: Least seconds between two attempts, whatever tokens say.
        timeout: Seconds that each answer may take to come.
        max_bytes: Greatest size of an answer.
        clock: A steady clock: a callable that returns seconds.

    Attributes:
        issuer: The issuer.

    Raises:
        ConfigurationError: The issuer is not one that may be discovered, a number is
            not positive, a header or the context cannot be used, or the extra is not
            installed.
    """

    def __init__(
        self,
        issuer: str,
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
        self.issuer = issuer
        check_issuer(issuer, allow_http=allow_http)
        self._fetcher = Fetcher(
            allow_http=allow_http,
            headers=headers,
            ssl_context=ssl_context,
            timeout=timeout,
            max_bytes=max_bytes,
        )
        self._reader = KeyReader(self._fetcher)
        shown = without_query(issuer)
        self._metadata = Kept(
            self._fetch_metadata,
            # Asked for by the keys, which must find it due whenever they are.
            Shelf[Metadata](lifetime, max_stale, cooldown / 2, "discovery document"),
            limit=2 * timeout,
            clock=clock,
            failed=f"issuer {shown} not discovered",
        )
        self._keys = Kept(
            self._fetch_keys,
            Shelf[KeySet](lifetime, max_stale, cooldown),
            limit=3 * timeout,
            clock=clock,
            failed=f"keys of the issuer {shown} not fetched",
        )

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        """Return the key set, fetched if it has to be; blocks meanwhile.

        Args:
            unknown_kid: A token names a key that the set does not have: fetch it
                again, unless that was done within the cool-down.

        Raises:
            KeySourceError: There is no set that may be used.
        """
        return self._keys.get(refresh=unknown_kid)

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        """Like `keys`, for asyncio: nothing blocks."""
        return await self._keys.aget(refresh=unknown_kid)

    async def metadata(self) -> Metadata:
        """Return what the issuer says of itself, fetched if it has to be.

        It has the members of RFC 8414 2, like ``introspection_endpoint``, as the
        document has them: nothing but ``issuer`` is checked.

        Raises:
            KeySourceError: There is no document that may be used.
        """
        return await self._metadata.aget()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({without_query(self.issuer)!r})"

    # --- the document --------------------------------------------------------------

    async def _fetch_metadata(self, _: bool) -> Fetched[Metadata]:
        missing = []
        for url in metadata_urls(self.issuer):
            try:
                answer = await self._fetcher.get(url)
                if answer.is_passing:
                    raise FetchError(answer.described())
                if answer.status != 200:
                    raise NotMetadataError(answer.described())
                found = read_metadata(answer.body, self.issuer)
                return Fetched(found, freshness(answer.headers))
            except NotMetadataError as error:
                missing.append(f"{without_query(url)}: {error}")
            except FetchError as error:
                raise FetchError(f"{without_query(url)}: {error}") from None
        raise FetchError("; ".join(missing))

    # --- the keys ------------------------------------------------------------------

    async def _fetch_keys(self, refresh: bool) -> Fetched[KeySet]:
        """Fetch the keys; if there is nothing new where they were, look for them."""
        before = self._keys.value
        url = self._keys_url(await self._metadata.aget())
        try:
            found = await self._fetch_from(url)
            if not refresh or found.value is not before:
                return found
        except FetchError:
            moved_to = await self._moved(url)
            if moved_to is None:
                raise
        else:
            moved_to = await self._moved(url)
            if moved_to is None:
                return found
        return await self._fetch_from(moved_to)

    async def _moved(self, url: str) -> str | None:
        """Return where the keys are now, if the document says that they have moved."""
        try:
            newer = self._keys_url(await self._metadata.aget(refresh=True))
        except (FetchError, KeySourceError):
            return None
        return newer if newer != url else None

    def _keys_url(self, metadata: Metadata) -> str:
        allow_http = self._fetcher.allow_http
        return keys_url(metadata, self.issuer, allow_http=allow_http)

    async def _fetch_from(self, url: str) -> Fetched[KeySet]:
        here, there = read_url(self.issuer), read_url(url)
        is_same = here is not None and there is not None and here.origin == there.origin
        try:
            return await self._reader.fetch(url, trusted=is_same)
        except FetchError as error:
            raise FetchError(f"{without_query(url)}: {error}") from None
