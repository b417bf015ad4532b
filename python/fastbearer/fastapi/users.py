"""The user whom verified claims name."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import HTTPException

# pydantic takes the TypedDict of typing from Python 3.12 on only.
from typing_extensions import TypedDict

from fastbearer.errors import MissingClaimError, TokenError
from fastbearer.fastapi.challenges import (
    MISSING_USER_ID,
    PLAIN,
    WRONG_USER_ID,
    Challenges,
    answer_to,
)
from fastbearer.fastapi.hint_places import filled
from fastbearer.fastapi.hints import MISSING_CLAIMS
from fastbearer.fastapi.refusal_log import log_token_error
from fastbearer.issuers.naming import DEFAULT_NAMING, Naming
from fastbearer.revocation.protocol import subject_of

__all__ = ["TokenUser", "UserOf", "named_user", "user_of"]

NO_USER = filled(MISSING_CLAIMS["sub"], None)
NOT_TEXT = "a number may name two users: let the issuer write text"


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

    Raises:
        HTTPException: 401 where they name none.
    """
    naming = naming_of(claims)
    try:
        user_id = naming.user_id(claims)
    except TokenError:
        refusal = _nobody(naming, claims, challenges)
        raise refusal from refusal.__cause__
    return {"user_id": user_id, "email": naming.email_of(claims)}


def _nobody(
    naming: Naming, claims: Mapping[str, Any], challenges: Challenges
) -> HTTPException:
    """Return the 401 of claims that name nobody, or nobody by a text."""
    error = naming.nobody(claims)
    is_missing = isinstance(error, MissingClaimError)
    log_token_error(error, NO_USER if is_missing else NOT_TEXT)
    text = MISSING_USER_ID if is_missing else WRONG_USER_ID
    refusal = answer_to(error, text, challenges)
    refusal.__cause__ = error
    return refusal
