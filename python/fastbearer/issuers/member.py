"""One issuer, ready to verify its tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from fastbearer import KeySet, Verifier
from fastbearer.issuers.binding import binding_of
from fastbearer.issuers.rules import Rules
from fastbearer.issuers.usable_keys import UsableKeys

if TYPE_CHECKING:
    from fastbearer.issuers.issuer import Issuer
    from fastbearer.issuers.naming import Naming

__all__ = ["CACHED_TOKENS", "Begin", "Claims", "Member", "is_symmetric"]

CACHED_TOKENS = 1024
"""A client sends its token with every request; the signature is checked once."""

Claims = dict[str, Any]
Begin = Callable[[str], Claims | Coroutine[Any, Any, Claims]]


class Asked(Protocol):
    """An issuer that says of its tokens whether they are still good."""

    def verify(self, token: str) -> Claims:
        """Return what it says of a good token."""
        ...

    def averify(self, token: str) -> Awaitable[Claims]:
        """Return the same, to be awaited."""
        ...


class Member:
    """One issuer among others.

    Attributes:
        issuer: The issuer.
        naming: Whom its claims name.
        families: Whether its keys are shared secrets (True), or others (False).
        source: Where its keys come from, or None where they are at hand.
        verify: Returns the claims of a good token; blocks while keys are fetched.
        begin: Returns them where the keys are at hand, else a coroutine of them.
    """

    naming: Naming
    families: set[bool]
    source: Any
    verify: Callable[[str], Claims]
    begin: Begin

    def __init__(
        self, issuer: Issuer, clock: Callable[[], float] | None = None
    ) -> None:
        self.issuer = issuer
        self._rules = rules = Rules(issuer, clock)
        self.naming = rules.naming
        keys: Any = issuer.keys
        wanted: Any = issuer.algorithms
        self.families = {False}
        if isinstance(keys, KeySet):
            names = {name for key in keys for name in key.algorithms}
            self.families = {
                is_symmetric(name) for name in names if wanted is None or name in wanted
            }
            self.source = None
            verify: Any = Verifier(keys, **rules.options).verify
            self.verify = self.begin = self._strictly(verify)
            return
        # Only those who ask for keys from a URL need the extra.
        from fastbearer.jwks import JWKSVerifier

        self.source = source = _source(issuer)
        if wanted is not None:
            source = UsableKeys(source, wanted)
        remote = JWKSVerifier(source, cache=CACHED_TOKENS, **rules.options)
        self._averify = remote.averify
        self.verify = self._strictly(remote.verify)
        is_plain = not (rules.judges_header or rules.judges_claims)
        self.begin = remote.averify if is_plain else self._later

    def ask_also(self, issuer: Asked) -> None:
        """Ask the issuer about each token whose signature and claims are good.

        That a token is bound, it may say in its answer alone.
        """
        verify, begin = self.verify, self.begin

        def verify_and_ask(token: str) -> Claims:
            claims = verify(token)
            return {**claims, **binding_of(issuer.verify(token))}

        async def begin_and_ask(token: str) -> Claims:
            begun = begin(token)
            claims = begun if isinstance(begun, dict) else await begun
            return {**claims, **binding_of(await issuer.averify(token))}

        self.verify, self.begin = verify_and_ask, begin_and_ask

    async def _later(self, token: str) -> Claims:
        rules = self._rules
        if rules.judges_header:
            rules.check_header(token)
        return rules.check_claims(await self._averify(token))

    def _strictly(self, verify: Callable[[str], Claims]) -> Callable[[str], Claims]:
        """Return a verify that judges what the core does not; itself if nothing."""
        rules = self._rules
        if not (rules.judges_header or rules.judges_claims):
            return verify

        def verify_strictly(token: str) -> Claims:
            if rules.judges_header:
                rules.check_header(token)
            return rules.check_claims(verify(token))

        return verify_strictly


def is_symmetric(algorithm: object) -> bool:
    """Tell whether an algorithm's key is a shared secret."""
    return isinstance(algorithm, str) and algorithm.startswith("HS")


def _source(issuer: Issuer) -> Any:
    """Return where the keys of an issuer come from: a client."""
    keys: Any = issuer.keys
    if keys is not None and not isinstance(keys, str):
        return keys
    names = ("allow_http", "headers", "ssl_context")
    how = {name: getattr(issuer, name) for name in names if getattr(issuer, name)}
    from fastbearer import jwks

    if keys is not None:
        return jwks.JWKSClient(keys, **how)
    (name,) = issuer.names  # one each: see `_split` of the verifier
    return jwks.DiscoveredKeys(name or "", **how)
