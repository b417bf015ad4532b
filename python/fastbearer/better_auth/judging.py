"""Which of several cookies of one name is good: each is judged by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbearer.errors import InvalidClaimError, MalformedTokenError, TokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastbearer.better_auth.session import Session

__all__ = ["Good", "signed_tokens"]

TWO_SESSIONS = "cookies of one name are of two sessions, and both are good"
OTHER_TOKEN = "the session data belongs to another session token"


def signed_tokens(values: Iterable[str], read: Callable[[str], str]) -> list[str]:
    """Return the session tokens among values, each once.

    Args:
        values: Those of the cookie ``session_token``, one at least.
        read: Returns the token of a value that is signed.

    Raises:
        TokenError: None of the values is signed; why the first is not.
    """
    good: dict[str, None] = {}
    refused: TokenError | None = None
    for value in values:
        try:
            good[read(value)] = None
        except TokenError as error:
            refused = refused or error
    if refused is not None and not good:
        raise refused
    return list(good)


class Good:
    """The sessions that were found good, and why the others were not.

    Args:
        tokens: Those that a session may have.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = frozenset(tokens)
        self._sessions: dict[str, Session] = {}
        self._refused: TokenError | None = None

    def add(self, token: str, session: Session) -> None:
        """Add a session that is good if its token is one of those."""
        if token in self._tokens:
            self._sessions.setdefault(token, session)
        else:
            self.refuse(InvalidClaimError(OTHER_TOKEN, "token"))

    def refuse(self, error: TokenError) -> None:
        """Add one that is not good; the first says why there is none."""
        self._refused = self._refused or error

    def one(self) -> Session:
        """Return the one session.

        Raises:
            MalformedTokenError: There are two: nothing says which is meant.
            TokenError: There is none.
        """
        if len(self._sessions) > 1:
            raise MalformedTokenError(TWO_SESSIONS)
        for session in self._sessions.values():
            return session
        raise self._refused or InvalidClaimError(OTHER_TOKEN, "token")
