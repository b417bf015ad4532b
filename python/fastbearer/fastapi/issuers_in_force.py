"""The issuers whose tokens are accepted, by where they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from fastbearer.issuers import Issuer

__all__ = ["Issuers"]


class Issuers(NamedTuple):
    """The issuers of settings.

    Attributes:
        own: The secret, with which we sign as well; or None.
        others: Those of ``BETTER_AUTH_URL``, ``JWKS_URL`` or ``JWT_ISSUER``.
        further: Those of ``JWT_ISSUERS``.
    """

    own: Issuer | None
    others: tuple[Issuer, ...] = ()
    further: tuple[Issuer, ...] = ()

    @property
    def every(self) -> tuple[Issuer, ...]:
        """All of them."""
        own = () if self.own is None else (self.own,)
        return (*own, *self.others, *self.further)

    def of_audience(self, audience: str) -> Issuers:
        """Return them with one more ``aud`` that their tokens may have."""
        own = None if self.own is None else _of_audience(self.own, audience)
        others = tuple(_of_audience(one, audience) for one in self.others)
        return self._replace(own=own, others=others)


def _of_audience(issuer: Issuer, audience: str) -> Issuer:
    known: Any = issuer.audience or ()
    return replace(issuer, audience=[*known, audience])
