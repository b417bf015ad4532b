"""The one issuer that is asked about tokens which only it can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastbearer.errors import ConfigurationError
from fastbearer.issuers.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastbearer.issuers.issuer import Issuer
    from fastbearer.issuers.member import Claims, Member

__all__ = ["OpaqueMember", "opaque_of"]

TWO_OPAQUE = "introspect: only one issuer can be asked about opaque tokens"


class OpaqueMember:
    """Tokens that only their issuer can read.

    Attributes:
        issuer: Whose tokens they are.
    """

    def __init__(
        self,
        issuer: Issuer,
        members: list[Member],
        clock: Callable[[], float] | None,
    ) -> None:
        # Only those who ask for it need it.
        from fastbearer.issuers.opaque import OpaqueVerifier

        self.issuer = issuer
        how: Any = issuer.introspect
        self.issuer = issuer
        self._asked = frozenset(issuer.names if how.always else ())
        source = next(
            (one.source for one in members if one.issuer.introspect is not None), None
        )
        metadata = source if hasattr(source, "metadata") else None
        self._rules = Rules(issuer, clock)
        self._verifier = OpaqueVerifier(issuer, metadata, clock)

    def asks_about(self, issuer: Issuer) -> bool:
        """Tell whether the JWTs of an issuer are asked about as well."""
        return not self._asked.isdisjoint(issuer.names)

    def verify(self, token: str) -> Claims:
        """Return the claims of a good token; blocks while the issuer is asked."""
        return self._rules.check_claims(self._verifier.verify(token))

    async def averify(self, token: str) -> Claims:
        """Like `verify`, for asyncio: nothing blocks."""
        return self._rules.check_claims(await self._verifier.averify(token))


def opaque_of(
    issuers: Iterable[Issuer],
    members: list[Member],
    clock: Callable[[], float] | None,
) -> OpaqueMember | None:
    """Return what asks about tokens that are no JWTs, if an issuer can be asked."""
    asked = [one for one in issuers if one.introspect is not None]
    if len(asked) > 1:
        raise ConfigurationError(TWO_OPAQUE)
    return OpaqueMember(asked[0], members, clock) if asked else None
