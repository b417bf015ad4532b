"""The user whom verified claims name."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import HTTPException

# pydantic takes the TypedDict of typing from Python 3.12 on only.
from typing_extensions import TypedDict

from fastbearer.better_auth.secrets import LINK_CLAIMS, is_link
from fastbearer.errors import InvalidClaimError, MissingClaimError, TokenError
from fastbearer.fastapi.challenges import (
    MISSING_USER_ID,
    PLAIN,
    WRONG_USER_ID,
    Challenges,
    answer_to,
)
from fastbearer.fastapi.hint_places import filled
from fastbearer.fastapi.hints import MISSING_CLAIMS
from fastbearer.fastapi.refusal_log import log_refusal, log_token_error
from fastbearer.issuers.naming import DEFAULT_NAMING, Naming
from fastbearer.revocation.protocol import subject_of

__all__ = ["TokenUser", "UserOf", "link_refused", "named_user", "user_of"]

NO_USER = filled(MISSING_CLAIMS["sub"], None)
NOT_TEXT = "a number may name two users: let the issuer write text"
LINK_HINT = "it is of the link in a message, not of a session"


class TokenUser(TypedDict):
    """The signed-in user, as the token names them.

    Attributes:
        user_id: The claim ``sub``, else ``user_id``, or another that is configured;
            never empty.
        email: The claim ``email``, or ``""``.
    """

    user_id: str
    email: str


UserOf = Callable[[Mapping[str, Any]], TokenUser]


def user_of(claims: Mapping[str, Any], *, challenges: Challenges = PLAIN) -> TokenUser:
    """Return the user whom verified claims name.

    Raises:
        HTTPException: 401 where they name none.
    """
    sub = claims.get("sub")
    # As subject_of has it; most tokens need no call for that.
    user_id = sub if isinstance(sub, str) and sub else subject_of(claims)
    if user_id is None:
        raise _nobody(DEFAULT_NAMING, claims, challenges)
    email = claims.get("email")
    return {"user_id": user_id, "email": email if isinstance(email, str) else ""}


def named_user(
    naming_of: Callable[[Mapping[str, Any]], Naming],
    claims: Mapping[str, Any],
    *,
    challenges: Challenges = PLAIN,
) -> TokenUser:
    """Return the user whom verified claims name, as their issuer names users.

    Nobody is named by what a link has that Better Auth mails, though it is signed with
    the same secret, and the e-mail may be what names users.

    Raises:
        HTTPException: 401 where they name none.
    """
    naming = naming_of(claims)
    try:
        user_id = naming.user_id(claims)
    except TokenError:
        refusal = _nobody(naming, claims, challenges)
        raise refusal from refusal.__cause__
    if claims.get("iss") is None and is_link(claims) and _is_of_a_link(naming, claims):
        raise link_refused(challenges)
    return {"user_id": user_id, "email": naming.email_of(claims)}


def link_refused(challenges: Challenges, *, is_proven: bool = False) -> HTTPException:
    """Return the 401 of a token that is a link of a message."""
    error = InvalidClaimError("the token is a link of a message", "email")
    log_refusal(error.code, "link_of_a_message", "email", LINK_HINT)
    refusal = answer_to(error, None, challenges, is_proven=is_proven)
    refusal.__cause__ = error
    return refusal


def _is_of_a_link(naming: Naming, claims: Mapping[str, Any]) -> bool:
    """Tell whether claims name somebody only by what a link has as well."""
    others = {name: one for name, one in claims.items() if name not in LINK_CLAIMS}
    try:
        return not naming.user_id(others)
    except TokenError:
        return True


def _nobody(
    naming: Naming, claims: Mapping[str, Any], challenges: Challenges
) -> HTTPException:
    """Return the 401 of claims that name nobody, or nobody by a string."""
    error = naming.nobody(claims)
    is_missing = isinstance(error, MissingClaimError)
    log_token_error(error, NO_USER if is_missing else NOT_TEXT)
    text = MISSING_USER_ID if is_missing else WRONG_USER_ID
    refusal = answer_to(error, text, challenges)
    refusal.__cause__ = error
    return refusal
