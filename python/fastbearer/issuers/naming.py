"""Whom claims name: the user, the e-mail, the scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastbearer.errors import ClaimError, InvalidClaimError, MissingClaimError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastbearer.issuers.issuer import Issuer

__all__ = ["DEFAULT_NAMING", "Naming", "find_claim"]

NO_USER = "the token names no user"
NOT_A_STRING = "the claim that names the user is not a string"

NO_USER_REASON = "no_user"
USER_NOT_TEXT = "user_not_text"


class Naming:
    """Which claims name the user, the e-mail and the scopes.

    Args:
        user: The claims that may name the user.
        email: Those that may have the e-mail.
        scopes: Those that may have the scopes.
        roles: Those whose strings count as scopes as well.
    """

    def __init__(
        self,
        user: Iterable[str] = ("sub", "user_id"),
        email: Iterable[str] = ("email",),
        scopes: Iterable[str] = ("scope", "scp"),
        roles: Iterable[str] = (),
    ) -> None:
        self.user: tuple[str, ...] = tuple(user)
        self.email: tuple[str, ...] = tuple(email)
        self.scopes: tuple[str, ...] = tuple(scopes)
        self.roles: tuple[str, ...] = tuple(roles)

    @classmethod
    def of(cls, issuer: Issuer) -> Naming:
        """Return the naming of an issuer's claims."""
        fields: Any = issuer
        return cls(
            fields.user_claim,
            fields.email_claim,
            fields.scope_claims,
            fields.role_claims,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Naming) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.user, self.email, self.scopes, self.roles))

    def user_id(self, claims: Mapping[str, Any]) -> str:
        """Return whom claims name: the first text that is not empty.

        Raises:
            MissingClaimError: They name nobody.
            InvalidClaimError: What names the user is not a string, like a number. It is
                not made one: to another reader of the same token, 4 and "4" may be
                two users, and so may 1e3 and 1000.
        """
        for name in self.user:
            found = find_claim(claims, name)
            if isinstance(found, str) and found:
                return found
        raise self.nobody(claims)

    def email_of(self, claims: Mapping[str, Any]) -> str:
        """Return the e-mail, or ``""``."""
        for name in self.email:
            found = find_claim(claims, name)
            if isinstance(found, str) and found:
                return found
        return ""

    def scopes_of(self, claims: Mapping[str, Any]) -> set[str]:
        """Return the scopes of a token (RFC 8693 4.2), and what counts as such.

        Scopes are a string with spaces between them; a list of strings is common, and
        means the same. Roles are strings as they are, in a list or alone, or the names
        of an object.
        """
        scopes: set[str] = set()
        for name in self.scopes:
            found = find_claim(claims, name)
            if found is not None:
                scopes.update(
                    _texts(found.split(" ") if isinstance(found, str) else found)
                )
                break
        for name in self.roles:
            found = find_claim(claims, name)
            several = list(found) if isinstance(found, dict) else found
            scopes.update(_texts([several] if isinstance(several, str) else several))
        return scopes

    def nobody(self, claims: Mapping[str, Any]) -> ClaimError:
        """Return why claims name nobody."""
        for name in self.user:
            found = find_claim(claims, name)
            if found is not None and not isinstance(found, str):
                wrong = InvalidClaimError(NOT_A_STRING, name)
                wrong.reason = USER_NOT_TEXT
                return wrong
        missing = MissingClaimError(NO_USER, self.user[0])
        missing.reason = NO_USER_REASON
        return missing


DEFAULT_NAMING = Naming()


def find_claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, else by its path; None where there is none.

    Names may have dots: URLs (RFC 7519 4.2), and the clients in Keycloak's
    ``resource_access``. So the longest name that is there comes first.
    """
    found = claims.get(name)
    end = name.rfind(".")
    while found is None and end >= 0:
        inner = claims.get(name[:end])
        if isinstance(inner, dict):
            found = find_claim(inner, name[end + 1 :])
        end = name.rfind(".", 0, end)
    return found


def _texts(several: Any) -> list[str]:
    if not isinstance(several, list):
        return []
    return [one for one in several if isinstance(one, str)]
