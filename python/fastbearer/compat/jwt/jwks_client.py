"""Keys from a URL."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
import urllib.request
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlparse

from fastbearer.compat.jwt.api_jwk import PyJWK, PyJWKSet
from fastbearer.compat.jwt.api_jwt import decode_complete as decode_token
from fastbearer.compat.jwt.exceptions import (
    PyJWKClientConnectionError,
    PyJWKClientError,
)
from fastbearer.compat.jwt.jwk_set_cache import JWKSetCache

if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = ["PyJWKClient"]

MAX_BYTES = 2**20
"""The longest JWK Set that is read."""


class _NoRedirectHandler(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: keys come from the URL that was given, or not at all."""

    def redirect_request(self, *_: Any) -> None:
        return None


class PyJWKClient:
    """Fetches the signing keys of a URL, and keeps them.

    Args:
        uri: Where the JWK Set is: http or https.
        cache_keys: Whether each key is also kept by its kid, for good.
        max_cached_keys: How many of them.
        cache_jwk_set: Holds the set for ``lifespan``.
        lifespan: Seconds.
        headers: Of the request.
        timeout: Of the request, in seconds.
        ssl_context: Of the request.
        cooldown_duration: Seconds after a fetch in which an unknown kid leads to
            no other.

    Raises:
        PyJWKClientError: An argument makes no sense.
    """

    def __init__(
        self,
        uri: str,
        cache_keys: bool = False,
        max_cached_keys: int = 16,
        cache_jwk_set: bool = True,
        lifespan: float = 300,
        headers: dict[str, Any] | None = None,
        timeout: float = 30,
        ssl_context: SSLContext | None = None,
        cooldown_duration: float = 30,
    ) -> None:
        _check_scheme(uri)
        _check_cooldown(cooldown_duration)
        if cache_jwk_set and lifespan <= 0:
            raise PyJWKClientError(
                f'Lifespan must be greater than 0, the input is "{lifespan}"'
            )
        self.uri = uri
        self.headers: dict[str, Any] = headers or {}
        self.timeout = timeout
        self.ssl_context = ssl_context
        self.cooldown_duration = cooldown_duration
        self.jwk_set_cache: JWKSetCache | None = (
            JWKSetCache(lifespan) if cache_jwk_set else None
        )
        self._last_successful_fetch: float | None = None
        self._client_lock = threading.RLock()
        if cache_keys:
            cached = lru_cache(maxsize=max_cached_keys)(self.get_signing_key)
            self.get_signing_key = cached  # type: ignore[method-assign]

    def fetch_data(self) -> Any:
        """Return the JWK Set at the URL, and hold it.

        Raises:
            PyJWKClientConnectionError: The URL cannot be fetched.
            PyJWKClientError: The answer is not a JSON object.
            PyJWKSetError: None of its keys can be used.
        """
        jwk_set = _as_object(self._fetch())
        if self.jwk_set_cache is not None:
            self.jwk_set_cache.put(jwk_set)
        self._last_successful_fetch = time.monotonic()
        return jwk_set

    def _fetch(self) -> Any:
        handlers: list[Any] = [_NoRedirectHandler()]
        if self.ssl_context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=self.ssl_context))
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            url=self.uri, headers=self.headers
        )
        try:
            opener = urllib.request.build_opener(*handlers)
            with opener.open(request, timeout=self.timeout) as response:
                text = response.read(MAX_BYTES + 1)
                _check_whole(response, text)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, HTTPError):
                error.close()
            raise PyJWKClientConnectionError(
                f'Fail to fetch data from the url, err: "{error}"'
            ) from error
        return _as_json(text)

    def get_jwk_set(self, refresh: bool = False) -> PyJWKSet:
        """Return the keys, fetched if none are held.

        Args:
            refresh: Fetch them anyway.

        Raises:
            PyJWKClientError: The keys cannot be fetched, or are not a JSON object.
            PyJWKSetError: None of them can be used.
        """
        held = None
        if self.jwk_set_cache is not None and not refresh:
            held = self.jwk_set_cache.get()
        if held is not None:
            return held
        data = self.fetch_data()
        keys = (
            data if isinstance(data, PyJWKSet) else PyJWKSet.from_dict(_as_object(data))
        )
        if self.jwk_set_cache is not None:
            self.jwk_set_cache.put(keys)  # a subclass may have changed them
        return keys

    def get_signing_keys(self, refresh: bool = False) -> list[PyJWK]:
        """Return the keys that have a kid, and are not for something else.

        Raises:
            PyJWKClientError: The set has no signing keys.
        """
        keys = [
            key
            for key in self.get_jwk_set(refresh)
            if key.public_key_use in ("sig", None) and key.key_id
        ]
        if not keys:
            raise PyJWKClientError("The JWKS endpoint did not contain any signing keys")
        return keys

    def get_signing_key(self, kid: str) -> PyJWK:
        """Return the key of a kid; for an unknown one the keys are fetched anew.

        Raises:
            PyJWKClientError: The set has no such key.
        """
        with self._client_lock:
            found = self.match_kid(self.get_signing_keys(), kid)
            if found is None and not self._is_cooling_down():
                keys = self.get_signing_keys(refresh=True)
                self._last_successful_fetch = time.monotonic()
                found = self.match_kid(keys, kid)
        if found is None:
            raise PyJWKClientError(
                f'Unable to find a signing key that matches: "{kid}"'
            )
        return found

    def _is_cooling_down(self) -> bool:
        if self.jwk_set_cache is None or self._last_successful_fetch is None:
            return False
        elapsed = time.monotonic() - self._last_successful_fetch
        return elapsed < self.cooldown_duration

    def get_signing_key_from_jwt(self, token: str | bytes) -> PyJWK:
        """Return the key that a token names, whose signature is still to be checked.

        Raises:
            PyJWKClientError: The set has no such key.
            InvalidTokenError: The token is malformed.
        """
        unverified = decode_token(token, options={"verify_signature": False})
        return self.get_signing_key(unverified["header"].get("kid"))

    @staticmethod
    def match_kid(signing_keys: list[PyJWK], kid: str) -> PyJWK | None:
        """Return the first key of that kid, or None."""
        return next((key for key in signing_keys if key.key_id == kid), None)


def _check_scheme(uri: str) -> None:
    scheme = urlparse(uri).scheme.lower()
    if scheme not in ("http", "https"):
        raise PyJWKClientError(
            f"Invalid JWKS URI scheme {scheme!r}: only 'http' and 'https' are"
            " supported."
        )


def _check_cooldown(seconds: float) -> None:
    if seconds < 0:
        raise PyJWKClientError(
            "Cooldown duration must be greater than or equal to 0, the input is"
            f' "{seconds}"'
        )
    if not math.isfinite(seconds):
        raise PyJWKClientError(
            f'Cooldown duration must be finite, the input is "{seconds}"'
        )


def _check_whole(response: Any, text: bytes) -> None:
    """Refuse an answer that is shorter than it said: read(n) does not."""
    missing = getattr(response, "length", None)
    if isinstance(missing, int) and missing > 0 and len(text) <= MAX_BYTES:
        raise http.client.IncompleteRead(text, missing)


def _as_json(text: str | bytes) -> Any:
    if len(text) > MAX_BYTES:
        raise PyJWKClientError("The JWKS endpoint returned too much")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise PyJWKClientError("The JWKS endpoint did not return JSON") from None


def _as_object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise PyJWKClientError("The JWKS endpoint did not return a JSON object")
    return data
