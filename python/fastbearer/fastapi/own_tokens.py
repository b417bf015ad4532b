"""What our own tokens say, so that we accept them ourselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastbearer.better_auth.secrets import NOT_A_LINK
from fastbearer.fastapi.scopes import is_scope
from fastbearer.issuers.naming import DEFAULT_NAMING, Naming

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastbearer.issuers import Issuer

__all__ = ["OwnTokens"]


class OwnTokens:
    """The claims of tokens that we sign.

    Args:
        issuer: What its tokens must have; None where we sign for others alone.

    Attributes:
        header: What the header has beyond the usual, or None.
        names: The claims that name the user, and those that every token has.
    """

    def __init__(self, issuer: Issuer | None) -> None:
        fields: Any = issuer
        naming = DEFAULT_NAMING if issuer is None else Naming.of(issuer)
        # A claim's whole text is tried as a name before it is taken for a path, so a
        # path can be written as a name.
        self._users = dict.fromkeys(("sub", "user_id", naming.user[0]))
        self._emails = dict.fromkeys(("email", *naming.email))
        self._scopes = naming.scopes[0] if naming.scopes else "scope"
        types: Any = () if issuer is None else fields.typ or ()
        is_usual = not types or "JWT" in types
        self.header: dict[str, Any] | None = None if is_usual else {"typ": types[0]}
        self._constant: dict[str, Any] = dict(NOT_A_LINK)
        required = {} if issuer is None else fields.required
        for name, values in required.items():
            if None not in values:
                self._constant[name] = values[0]
        self.names: frozenset[str] = frozenset(
            (*self._users, *self._emails, *self._constant)
        )

    def claims(
        self, user_id: str, email: str, scopes: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return the claims of a user, by every name that they are looked for."""
        made = self._constant.copy()
        for name in self._users:
            made[name] = user_id
        for name in self._emails:
            made[name] = email
        if scopes:
            made[self._scopes] = " ".join(map(_scope, scopes))
        return made


def _scope(scope: str) -> str:
    if not is_scope(scope):
        raise ValueError("a scope is printable ASCII, without spaces and quotes")
    return scope
