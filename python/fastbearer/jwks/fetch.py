"""One HTTP request of our own: bounded, without redirects, and with a reason."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

from fastbearer import __version__
from fastbearer.errors import ConfigurationError
from fastbearer.jwks.reasons import reason_of
from fastbearer.jwks.request_parts import (
    TLSContext,
    checked_headers,
    merged_headers,
    tls_context,
)
from fastbearer.urls import check_url, read_url, without_query

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FetchError", "Fetcher", "Response", "TLSContext"]

JSON = {"Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# A compressed answer could be a thousand times its size.
PLAIN = {"Accept-Encoding": "identity"}

REDIRECTS = frozenset((301, 302, 303, 307, 308))
SHOWN_URL = 200
"""Characters of a URL from elsewhere that a log may have."""

AUTHORITY = re.compile(r"(?<=://)[^/?#]+")

WRONG_NUMBERS = "the numbers of a request must be positive"
WANTS_HEADERS = ": the server may want credentials, which headers=... can send"
WANTS_HEADERS_ELSEWHERE = (
    ": headers=... are for the issuer's own origin; "
    "where its keys are given by their URL, that is sent them"
)
NO_PROXY = "the proxy of the environment cannot be used"
BY_PROXY = " (through the proxy of the environment)"

_is_ours: ContextVar[bool] = ContextVar("is_ours", default=False)


class _Quiet(logging.Filter):
    """Keeps our requests out of httpx2's log, which shows whole URLs with queries."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _is_ours.get()


logging.getLogger("httpx2").addFilter(_Quiet())


class FetchError(Exception):
    """There is no answer; the text says why, in one line without secrets."""


@dataclass(frozen=True)
class Response:
    """An answer, whatever its status.

    Attributes:
        status: The status code.
        headers: The headers; their names in any case.
        body: The whole body, of at most ``max_bytes``.
        trusted: Whether the server could see the further headers.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    trusted: bool = True

    def check(self) -> None:
        """Take nothing but a 200.

        Raises:
            FetchError: The status is another one.
        """
        if self.status != 200:
            raise FetchError(self.described())

    @property
    def is_passing(self) -> bool:
        """Whether the server cannot answer now, and may do so later."""
        return self.status >= 500 or self.status in (408, 429)

    def described(self) -> str:
        """Return the status in words fit for a log."""
        return f"status {self.status}{self._hint()}"

    def _hint(self) -> str:
        if self.status in REDIRECTS:
            place = self.headers.get("Location", "")
            is_shown = len(place) <= SHOWN_URL and read_url(place) is not None
            where = f" to {without_query(place)}" if is_shown else ""
            return f": a redirect{where}, which is not followed"
        if self.status in (401, 403):
            return WANTS_HEADERS if self.trusted else WANTS_HEADERS_ELSEWHERE
        return ""


class Fetcher:
    """How requests are made: what may be reached, and the bounds of an answer.

    No redirect is followed and nothing is decompressed. Nothing is kept from one
    request to the next, so that one fetcher serves any number of threads and loops.

    Args:
        allow_http: Whether http may leave this machine.
        headers: Further headers of each request. They are not shown anywhere.
        ssl_context: What verifies certificates, or a file of CA certificates in PEM;
            None for the certificates of the system.
        timeout: Seconds that a whole request may take.
        max_bytes: Greatest size of an answer.

    Raises:
        ConfigurationError: A header or a number is not one, the context cannot be
            used, or the extra is not installed.
    """

    def __init__(
        self,
        *,
        allow_http: bool = False,
        headers: Mapping[str, str] | None = None,
        ssl_context: TLSContext | None = None,
        timeout: float = 5,
        max_bytes: int = 262_144,
    ) -> None:
        if not all(0 < number < float("inf") for number in (timeout, max_bytes)):
            raise ConfigurationError(WRONG_NUMBERS)
        self.allow_http = allow_http
        self.timeout = timeout
        self.max_bytes = max_bytes
        self._tls = tls_context(ssl_context, allow_http=allow_http)
        # Some services refuse the names of well-known libraries.
        agent = {"User-Agent": f"fastbearer/{__version__}"}
        self._headers = merged_headers(agent, checked_headers(headers))
        self._public = {"User-Agent": self._headers["User-Agent"]}

    def __repr__(self) -> str:
        return f"Fetcher(allow_http={self.allow_http})"

    async def get(
        self, url: str, *, accept: str = "application/json", trusted: bool = True
    ) -> Response:
        """Return the answer to a GET.

        Args:
            url: Where; it is checked again.
            accept: The media types that are asked for.
            trusted: Whether the server may see the further headers.

        Raises:
            FetchError: There is no answer within the bounds.
        """
        ours = self._headers if trusted else self._public
        headers = merged_headers({"Accept": accept}, ours, PLAIN)
        answer = await self._send("GET", url, headers)
        return answer if trusted else replace(answer, trusted=False)

    async def post(
        self,
        url: str,
        form: Mapping[str, str] | Iterable[tuple[str, str]],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return the answer to a POST of a form.

        Args:
            url: Where; it is checked again.
            form: The fields of the form.
            headers: Headers of this request alone, like ``Authorization``.

        Raises:
            FetchError: There is no answer within the bounds.
            ConfigurationError: A header is not one.
        """
        fields = list(form.items() if isinstance(form, Mapping) else form)
        sent = merged_headers(
            JSON, self._headers, checked_headers(headers), FORM, PLAIN
        )
        return await self._send("POST", url, sent, urlencode(fields).encode())

    async def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None = None,
    ) -> Response:
        quiet, handled = _is_ours.set(True), sys.exception()
        try:
            check_url(url, allow_http=self.allow_http, name="the URL")
            async with asyncio.timeout(self.timeout):
                return await self._exchange(method, url, headers, body)
        except FetchError:
            raise
        except ConfigurationError as error:
            raise FetchError(str(error)) from None
        except Exception as error:
            way = BY_PROXY if _has_proxy(url) else ""
            reason = reason_of(error, self.timeout, handled)
            raise FetchError(f"{reason}{way}") from None
        finally:
            _is_ours.reset(quiet)

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> Response:
        import httpx2

        url, is_local = self._connected(url, headers)
        try:
            client = httpx2.AsyncClient(
                verify=self._tls,
                timeout=self.timeout,
                # A proxy of the environment has no business with this machine.
                trust_env=not is_local,
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            # An import, where a SOCKS proxy needs a package.
            raise FetchError(f"{NO_PROXY} ({type(error).__name__})") from None
        async with (
            client as http,
            http.stream(method, url, headers=headers, content=body) as response,
        ):
            coding = response.headers.get("Content-Encoding", "identity")
            if coding.lower() != "identity":
                raise FetchError("a compressed answer")
            read = bytearray()
            async for chunk in response.aiter_raw():
                read += chunk
                if len(read) > self.max_bytes:
                    raise FetchError(f"more than {self.max_bytes} bytes")
            return Response(response.status_code, response.headers, bytes(read))

    def _connected(self, url: str, headers: dict[str, str]) -> tuple[str, bool]:
        """Return the URL to connect to, and whether that is this machine.

        A name below localhost is this machine (RFC 6761 6.3), and http is safe for
        it only while that is so; a resolver may ask the network for it all the same.
        """
        parts = read_url(url)
        is_local = parts is not None and parts.is_loopback
        if parts is None or self.allow_http or parts.scheme == "https" or not is_local:
            return url, is_local
        if parts.host.removesuffix(".").endswith(".localhost"):
            headers.setdefault("Host", AUTHORITY.findall(url)[0])
            return AUTHORITY.sub(f"localhost:{parts.port}", url, count=1), True
        return url, True


def _has_proxy(url: str) -> bool:
    """Tell whether a proxy of the environment stands between us and a URL."""
    parts, proxies = read_url(url), getproxies()
    if parts is None or parts.is_loopback:
        return False
    is_for_it = parts.scheme in proxies or "all" in proxies
    return is_for_it and not proxy_bypass(parts.host)
