"""The JWK Set that a client fetched last."""

from __future__ import annotations

import time
from typing import Any

from fastbearer.compat.jwt.api_jwk import PyJWKSet, PyJWTSetWithTimestamp
from fastbearer.compat.jwt.exceptions import PyJWKSetError

__all__ = ["JWKSetCache"]


class JWKSetCache:
    """Holds one set for a while.

    Args:
        lifespan: Seconds; -1 for ever.
    """

    def __init__(self, lifespan: float) -> None:
        self.jwk_set_with_timestamp: PyJWTSetWithTimestamp | None = None
        self.lifespan = lifespan

    def put(self, jwk_set: PyJWKSet | dict[str, Any] | None) -> None:
        """Hold a set; None for none.

        Raises:
            PyJWKSetError: The value is not a set, or none of its keys can be used.
        """
        if jwk_set is None:
            self.jwk_set_with_timestamp = None
            return
        if isinstance(jwk_set, dict):
            jwk_set = PyJWKSet.from_dict(jwk_set)
        if not isinstance(jwk_set, PyJWKSet):
            raise PyJWKSetError("Invalid JWK Set value")
        self.jwk_set_with_timestamp = PyJWTSetWithTimestamp(jwk_set)

    def get(self) -> PyJWKSet | None:
        """Return the set, unless its time is over."""
        held = self.jwk_set_with_timestamp
        if held is None or self.is_expired():
            return None
        return held.get_jwk_set()

    def is_expired(self) -> bool:
        """Tell whether there is a set whose time is over."""
        held = self.jwk_set_with_timestamp
        if held is None or self.lifespan <= -1:
            return False
        return time.monotonic() > held.get_timestamp() + self.lifespan
