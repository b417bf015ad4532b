"""What an issuer's tokens must have, for the core and beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastbearer import unverified_header
from fastbearer.errors import (
    InvalidClaimError,
    InvalidIssuerError,
    MissingClaimError,
    UnknownKeyError,
)
from fastbearer.issuers.naming import Naming, find_claim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeGuard, TypeVar

    from fastbearer.errors import FastbearerError
    from fastbearer.issuers.issuer import Issuer

    E = TypeVar("E", bound=FastbearerError)

__all__ = ["Rules", "because", "is_name"]

CLAIM_MISSING = "claim_missing"
ISS_WRONG = "iss_wrong"
KID_NEEDED = "kid_needed"
VALUE_WRONG = "value_wrong"

NO_CLAIM = "a required claim is missing"
OTHER_VALUE = "a claim does not have the required value"
OTHER_ISSUER = "iss is not an accepted issuer"
NO_KID = "the token does not name its key"


def because(reason: str, error: E) -> E:
    """Return an error with the rule that was broken."""
    error.reason = reason
    return error


class Rules:
    """The rules of one issuer.

    Attributes:
        naming: Whom its claims name.
        options: What `Verifier` judges.
    """

    def __init__(
        self, issuer: Issuer, clock: Callable[[], float] | None = None
    ) -> None:
        fields: Any = issuer
        self.naming: Naming = Naming.of(issuer)
        self._max_bytes: int = fields.max_bytes
        self._needs_kid: bool = fields.require_kid
        self._required: dict[str, tuple[Any, ...]] = fields.required
        plain = [one for one in fields.require if is_name(one)]
        self._groups = [
            (one,) if isinstance(one, str) else one
            for one in fields.require
            if not is_name(one)
        ]
        self._users = [Naming([name]) for name in self.naming.user if name in plain]
        names = issuer.names
        is_named = None not in names and not fields.any_issuer
        self._names = None if is_named or fields.any_issuer else frozenset(names)
        self.options: dict[str, Any] = {
            "issuer": names if is_named else None,
            "audience": fields.audience,
            "ignore_audience": fields.ignore_audience,
            "leeway": fields.leeway,
            "require": plain,
            "typ": fields.typ,
            "algorithms": fields.algorithms,
            "max_bytes": fields.max_bytes,
            "clock": clock,
        }

    @property
    def judges_header(self) -> bool:
        """Whether there is anything for `check_header` to do."""
        return self._needs_kid

    @property
    def judges_claims(self) -> bool:
        """Whether there is anything for `check_claims` to do."""
        return bool(
            self._required or self._groups or self._users or self._names is not None
        )

    def check_header(self, token: str | bytes) -> None:
        """Refuse a token that names no key, before one is fetched for it.

        Raises:
            TokenError: It names none, or its header is not one.
        """
        if len(token) > self._max_bytes:
            return  # the core says so, unread
        header = unverified_header(token)
        if not isinstance(header.get("kid"), str):
            raise because(KID_NEEDED, UnknownKeyError(NO_KID))

    def check_claims(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Return verified claims that have what the core does not ask for.

        Raises:
            ClaimError: One is missing or has another value; the error names it.
        """
        if self._names is not None and _text_or_none(claims) not in self._names:
            raise because(ISS_WRONG, InvalidIssuerError(OTHER_ISSUER, "iss"))
        for name, values in self._required.items():
            found = find_claim(claims, name)
            if not any(_is_same(found, value) for value in values):
                raise _wrong(name, found)
        for group in self._groups:
            if all(find_claim(claims, name) is None for name in group):
                raise _wrong(group[0], None)
        for naming in self._users:
            naming.user_id(claims)
        return claims


def _wrong(name: str, found: object) -> MissingClaimError | InvalidClaimError:
    if found is None:
        return because(CLAIM_MISSING, MissingClaimError(NO_CLAIM, name))
    return because(VALUE_WRONG, InvalidClaimError(OTHER_VALUE, name))


def _text_or_none(claims: Mapping[str, Any]) -> Any:
    """Return ``iss``; of a wrong type, what is no issuer's name."""
    found = claims.get("iss")
    return found if found is None or isinstance(found, str) else ""


def is_name(one: object) -> TypeGuard[str]:
    """Tell whether the core can look for it: a name alone, and not a path."""
    return isinstance(one, str) and "." not in one


def _is_same(found: Any, wanted: Any) -> bool:
    """Compare as JSON does, where true is not 1."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, list) and isinstance(wanted, (list, tuple)):
        return len(found) == len(wanted) and all(map(_is_same, found, wanted))
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(
            _is_same(found[name], wanted[name]) for name in found
        )
    return bool(found == wanted)
