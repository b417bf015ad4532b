"""One issuer, ready to verify its tokens."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from fastbearer import KeySet, Verifier
from fastbearer.errors import InvalidAlgorithmError, KeySourceError
from fastbearer.issuers.rules import Rules

if TYPE_CHECKING:
    from fastbearer.issuers.issuer import Issuer

__all__ = ["CACHED_TOKENS", "Begin", "Claims", "Member", "is_symmetric"]

CACHED_TOKENS = 1024
"""A client sends its token with every request; the signature is checked once."""

Claims = dict[str, Any]
Begin = Callable[[str], Claims | Coroutine[Any, Any, Claims]]

NO_SUCH_KEYS = "none of the keys is of an algorithm that the issuer may sign with"


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
            usable = keys if wanted is None else _narrowed(keys, wanted)
            self.families = {is_symmetric(key.algorithm) for key in usable}
            self.source = None
            verify: Any = Verifier(usable, **rules.options).verify
            self.verify = self.begin = self._strictly(verify)
            return
        # Only those who ask for keys from a URL need the extra.
        from fastbearer.jwks import JWKSVerifier

        self.source = _source(issuer)
        client: Any = self.source if wanted is None else _Narrowed(self.source, wanted)
        remote = JWKSVerifier(client, cache=CACHED_TOKENS, **rules.options)
        self._averify = remote.averify
        self.verify = self._strictly(remote.verify)
        self.begin = self._later

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


class _Narrowed:
    """The keys of a source that are of some algorithms."""

    def __init__(self, source: Any, algorithms: tuple[str, ...]) -> None:
        self._source = source
        self._algorithms = algorithms
        self._made: tuple[KeySet, KeySet] | None = None

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        return self._of(self._source.keys(unknown_kid=unknown_kid))

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        return self._of(await self._source.akeys(unknown_kid=unknown_kid))

    def _of(self, keys: KeySet) -> KeySet:
        """Return them, one set for each set: verifiers are made for a set."""
        made = self._made
        if made is None or made[0] is not keys:
            try:
                made = (keys, _narrowed(keys, self._algorithms))
            except InvalidAlgorithmError:
                raise KeySourceError(NO_SUCH_KEYS, 1) from None
            self._made = made
        return made[1]


def _narrowed(keys: KeySet, algorithms: tuple[str, ...]) -> KeySet:
    found = [key for key in keys if key.algorithm in algorithms]
    if not found:
        raise InvalidAlgorithmError(NO_SUCH_KEYS)
    return KeySet(found)


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
