"""Verifying the tokens of several issuers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastbearer import Key, Signer, Verifier, unverified_header
from fastbearer._core import algorithms as known_algorithms
from fastbearer._core import base64url_bytes, json_object, unverified_issuer
from fastbearer.awaited import awaited
from fastbearer.errors import (
    ConfigurationError,
    InvalidAlgorithmError,
    InvalidIssuerError,
    InvalidSignatureError,
    MalformedTokenError,
    MissingClaimError,
    TokenError,
    UnknownKeyError,
)
from fastbearer.issuers.member import Begin, Claims, Member, is_symmetric
from fastbearer.issuers.opaque_member import opaque_of
from fastbearer.issuers.rules import (
    CLAIM_MISSING,
    ISS_WRONG,
    OTHER_ISSUER,
    because,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from fastbearer.issuers.issuer import Issuer
    from fastbearer.issuers.naming import Naming

__all__ = ["IssuersVerifier"]

NO_ISSUERS = "there must be at least one issuer"
SAME_NAME = (
    "two issuers have the iss {}: their tokens can be told apart only where one signs"
    " with a shared secret and the other with keys"
)
SAME_NONE = (
    "two issuers take tokens without iss: nothing tells those apart; give one of them"
    ' an iss, as in Issuer.secret(secret, "name")'
)
SAME_ANY = "two issuers have any_issuer=True: nothing tells their tokens apart"
TWO_NAMINGS = (
    "the issuers with the iss {} must agree on user_claim, email_claim, scope_claims"
    " and role_claims: verified claims do not say who signed them"
)
NO_ISS = "the token names no issuer"

NO_START = " "
"""No token begins so."""

JUDGED_LATER = (InvalidAlgorithmError, InvalidSignatureError, UnknownKeyError)


class IssuersVerifier:
    """Verifies tokens of several issuers, each with its own keys and rules.

    Whose token it may be is decided by ``iss``, compared exactly, before any key is
    fetched (RFC 8725 3.8); a token of nobody costs no request. Two issuers may share an
    ``iss`` where one signs with a shared secret and the other with keys. One with
    ``any_issuer`` never signs with an ``iss`` that is another's, unless its own ``url``
    names it as well, or both are of one server.

    Args:
        issuers: The issuers.
        clock: In place of the system's: a callable that returns seconds.
        one_server: Those of the issuers that are one server: with ``any_issuer``, one
            of them signs with the ``iss`` of the others as well.

    Attributes:
        issuers: The issuers.
        naming: Whom the claims name, where all issuers agree on it; else None.
        begin: Returns the claims of a good token, or where there is something to wait
            for, a coroutine of them.
        waits: Whether there may be something to wait for.
        asks: Whether an issuer may be asked about a token: then it matters for whom.

    Raises:
        ConfigurationError: Nothing tells the tokens of two issuers apart, their keys'
            URL is none that may be fetched, or the extra ``jwks`` is not installed.
    """

    def __init__(
        self,
        issuers: Iterable[Issuer],
        clock: Callable[[], float] | None = None,
        *,
        one_server: Iterable[Issuer] = (),
    ) -> None:
        self.issuers: tuple[Issuer, ...] = tuple(issuers)
        if not self.issuers:
            raise ConfigurationError(NO_ISSUERS)
        members = [Member(one, clock) for each in self.issuers for one in _split(each)]
        self._any = [one for one in members if one.issuer.any_issuer]
        if len(self._any) > 1 and not _is_told_apart(self._any):
            raise ConfigurationError(SAME_ANY)
        self._by_name = self._sorted(members, frozenset(one_server))
        self._others = _choice(self._any)
        self._families = set().union(*(one.families for one in members))
        self._names = [one for one in self._by_name if one is not None]
        self._max_bytes = max(one.issuer.max_bytes for one in members)
        # Judges nothing but the form of a token that nobody has issued.
        self._form = Verifier(Key.generate("HS256"), max_bytes=self._max_bytes)
        self._opaque = opaque_of(self.issuers, members, clock)
        for member in members:
            if self._opaque is not None and self._opaque.asks_about(member.issuer):
                member.ask_also(self._opaque)
        namings = {one.naming for one in members}
        self.naming: Naming | None = namings.pop() if len(namings) == 1 else None
        self._start, self._own = self._shortcut(members)
        self.begin: Begin = self._made_begin(members)
        self.asks: bool = self._opaque is not None
        self.waits: bool = any(one.source is not None for one in members) or (
            self._opaque is not None
        )

    def verify(self, token: str | bytes) -> Claims:
        """Return the claims of a good token; blocks while keys are fetched.

        Raises:
            TokenError: The token was not accepted.
            KeySourceError: It cannot be told at the moment.
            TypeError: The token is neither str nor bytes.
        """
        token = _text(token)
        if token.startswith(self._start):
            return self._own.verify(token)
        if self._opaque is not None and token.count(".") != 2:
            return self._opaque.verify(token)
        name = unverified_issuer(token, self._max_bytes)
        member = self._by_name.get(name)
        if member is None:
            member = self._stranger(token)
        try:
            return member.verify(token)
        except InvalidAlgorithmError:
            self._check_family(token, name)
            raise

    @awaited
    async def averify(self, token: str | bytes) -> Claims:
        """Like `verify`, for asyncio: nothing blocks."""
        claims = self.begin(_text(token))
        return claims if isinstance(claims, dict) else await claims

    def _made_begin(self, members: list[Member]) -> Begin:
        """Return what begins to verify, made for these members: it has no detours."""
        if self._opaque is None and len(members) == 1 and members[0].source is None:
            # There is nothing to choose, and nothing to be fetched in vain.
            return members[0].begin
        begin_of = {name: one.begin for name, one in self._by_name.items()}.get
        max_bytes = self._max_bytes
        start, own = self._start, self._own.begin

        def begin(token: str) -> Claims | Coroutine[Any, Any, Claims]:
            if token.startswith(start):
                return own(token)
            name = unverified_issuer(token, max_bytes)
            chosen = begin_of(name) or self._stranger(token).begin
            try:
                return chosen(token)
            except InvalidAlgorithmError:
                self._check_family(token, name)
                raise

        if self._opaque is None:
            return begin
        ask = self._opaque.averify
        return lambda token: begin(token) if token.count(".") == 2 else ask(token)

    def _shortcut(self, members: list[Member]) -> tuple[str, Member]:
        """Return how tokens begin that only one secret can have signed, and whose.

        They need not be looked into: if their ``iss`` is another's, or nobody's, the
        one that has the secret refuses them, as the other would. Where it takes any
        ``iss``, there must be none that is another's alone.
        """
        owners = [one for one in members if True in one.families]
        if len(owners) == 1 and False not in owners[0].families:
            owner = owners[0]
            if not owner.issuer.any_issuer or self._signs_all(owner):
                keys: Any = owner.issuer.keys
                header, _, _ = Signer(next(iter(keys))).sign({}).partition(".")
                return f"{header}.", owner
        return NO_START, members[0]

    def _signs_all(self, owner: Member) -> bool:
        """Tell whether what signs with a secret does so for every known ``iss``."""
        return self.naming is not None and all(
            owner is (one.symmetric if isinstance(one, ByAlgorithm) else one)
            for one in self._by_name.values()
        )

    def naming_of(self, claims: Claims) -> Naming:
        """Return what the names of verified claims mean: those of their issuer."""
        return self._member_of(claims.get("iss")).naming

    def issuer_of(self, token: str, claims: Claims) -> Issuer:
        """Return the issuer of a verified token."""
        if self._opaque is not None and token.count(".") != 2:
            return self._opaque.issuer
        found = self._member_of(claims.get("iss"))
        member = found.of(token) if isinstance(found, ByAlgorithm) else found
        return member.issuer

    def _member_of(self, name: object) -> Member | ByAlgorithm:
        # Where any iss will do, one may be of any type.
        found = self._by_name.get(name) if isinstance(name, str | None) else None
        if found is None:
            found = self._others
        if found is None:
            raise because(ISS_WRONG, InvalidIssuerError(OTHER_ISSUER, "iss"))
        return found

    def _sorted(
        self, members: list[Member], one_server: frozenset[Issuer]
    ) -> dict[str | None, Member | ByAlgorithm]:
        """Return who may have signed what has an ``iss``.

        Raises:
            ConfigurationError: Two may, and nothing tells them apart.
        """
        named: dict[str | None, list[Member]] = {}
        for member in members:
            for name in member.issuer.names:
                named.setdefault(name, []).append(member)
        made: dict[str | None, Member | ByAlgorithm] = {}
        for name, several in named.items():
            shown = "" if name is None else name
            if not _is_told_apart(several):
                text = SAME_NONE if name is None else SAME_NAME.format(repr(name))
                raise ConfigurationError(text)
            # Keys that sign for everybody else do not sign for somebody who is named.
            if one_server.issuperset(one.issuer for one in several):
                several += [
                    one
                    for one in self._any
                    if one.issuer in one_server and _is_told_apart([*several, one])
                ]
            made[name] = _chosen(several, shown)
        return made

    def _stranger(self, token: str) -> Member | ByAlgorithm:
        """Return who takes a token whose ``iss`` is nobody's.

        Raises:
            TokenError: Nobody does.
        """
        if self._others is None:
            raise self._unknown(token)
        return self._others

    def _check_family(self, token: str, name: str | None) -> None:
        """Say that the issuer is wrong, where its tokens are those of another family.

        An unknown issuer's token would be one of a wrong algorithm otherwise, where a
        shared secret takes tokens without ``iss``, or any.
        """
        algorithm = unverified_header(token).get("alg")
        if name in self._names or algorithm not in known_algorithms:
            return
        if is_symmetric(algorithm) in self._families:
            raise self._unknown(token) from None

    def _unknown(self, token: str) -> TokenError:
        """Return why a token is nobody's, in the words that fit it best."""
        try:
            self._form.verify(token)
        except MalformedTokenError as malformed:
            return malformed
        except JUDGED_LATER:
            pass
        try:
            claims = json_object(base64url_bytes(token.split(".")[1]))
        except MalformedTokenError as malformed:
            return malformed
        if claims.get("iss") is None:
            return because(CLAIM_MISSING, MissingClaimError(NO_ISS, "iss"))
        return because(ISS_WRONG, InvalidIssuerError(OTHER_ISSUER, "iss"))


class ByAlgorithm:
    """Two issuers of one name: a shared secret, and keys."""

    def __init__(self, symmetric: Member, other: Member) -> None:
        self.symmetric = symmetric
        self._other = other
        self.naming: Naming = symmetric.naming

    def of(self, token: str) -> Member:
        """Return whose token it may be: the header's ``alg`` says so."""
        is_one = is_symmetric(unverified_header(token).get("alg"))
        return self.symmetric if is_one else self._other

    def verify(self, token: str) -> Claims:
        """Return the claims of a good token; blocks while keys are fetched."""
        return self.of(token).verify(token)

    def begin(self, token: str) -> Claims | Coroutine[Any, Any, Claims]:
        """Return the claims, or a coroutine of them."""
        return self.of(token).begin(token)


def _text(token: str | bytes) -> str:
    if isinstance(token, bytes):
        return token.decode("latin-1")
    if not isinstance(token, str):
        raise TypeError("a token must be str or bytes")
    return token


def _split(issuer: Issuer) -> list[Issuer]:
    """Return one issuer for each URL that keys are discovered from."""
    names = issuer.names
    if issuer.keys is not None or len(names) == 1:
        return [issuer]
    first = replace(issuer, url=names[0])
    rest = [replace(issuer, url=one, introspect=None) for one in names[1:]]
    return [first, *rest]


def _is_told_apart(members: list[Member]) -> bool:
    families = [family for one in members for family in one.families]
    return len(families) == len(set(families))


def _choice(members: list[Member]) -> Member | ByAlgorithm | None:
    return _chosen(members, "") if members else None


def _chosen(members: list[Member], name: str) -> Member | ByAlgorithm:
    if len(members) == 1:
        return members[0]
    first, second = members
    if first.naming != second.naming:
        raise ConfigurationError(TWO_NAMINGS.format(repr(name)))
    is_first = True in first.families
    return ByAlgorithm(first, second) if is_first else ByAlgorithm(second, first)
