"""Refusals of a request, each with the challenge of RFC 6750 3."""

import math
from collections.abc import Sequence

from fastapi import HTTPException

__all__ = [
    "cross_site",
    "insufficient_scope",
    "invalid_request",
    "invalid_token",
    "not_authenticated",
    "other_user",
    "unavailable",
]

NOT_AUTHENTICATED = "Not authenticated"
EXPIRED = "Token has expired. Please sign in again."
REVOKED = "Token has been revoked. Please sign in again."
INVALID = "Invalid token"
MISSING_USER_ID = "Invalid token: missing user_id"
NO_KEYS = "Keys cannot be fetched at the moment. Please try again."
NO_REVOCATIONS = "Tokens cannot be checked at the moment. Please try again."
OTHER_USER = "User ID mismatch: You can only access your own data"
INSUFFICIENT_SCOPE = "The token lacks a scope that this needs"
CROSS_SITE = "Requests with a cookie must come from this site"


def _refusal(
    status: int, detail: str, error: str | None = None, more: str = ""
) -> HTTPException:
    """Return a refusal with its challenge.

    RFC 6750 3 asks for at least one parameter after ``Bearer``, and for no
    error code when no credentials came.

    Args:
        status: The HTTP status.
        detail: A text of ours; never anything that was sent.
        error: The error code of RFC 6750 3.1.
        more: Further parameters of the challenge.
    """
    challenge = 'Bearer realm="fastbearer"'
    if error is not None:
        challenge += f', error="{error}", error_description="{detail}"'
    return HTTPException(status, detail, headers={"WWW-Authenticate": challenge + more})


def not_authenticated() -> HTTPException:
    """Return the 401 of a request without credentials."""
    return _refusal(401, NOT_AUTHENTICATED)


def invalid_token(detail: str) -> HTTPException:
    """Return the 401 of a token that is not accepted."""
    return _refusal(401, detail, "invalid_token")


def invalid_request(detail: str) -> HTTPException:
    """Return the 400 of credentials that contradict each other."""
    return _refusal(400, detail, "invalid_request")


def other_user() -> HTTPException:
    """Return the 403 of a path that is somebody else's."""
    return _refusal(403, OTHER_USER, "insufficient_scope")


def insufficient_scope(scopes: Sequence[str]) -> HTTPException:
    """Return the 403 of a token that lacks one of these scopes."""
    needed = f', scope="{" ".join(scopes)}"'
    return _refusal(403, INSUFFICIENT_SCOPE, "insufficient_scope", needed)


def cross_site() -> HTTPException:
    """Return the 403 of a cookie that another site may have sent."""
    return HTTPException(403, CROSS_SITE)


def unavailable(detail: str, retry_after: float = 1) -> HTTPException:
    """Return a 503: nothing is wrong with the token, as far as one knows.

    Args:
        detail: A text of ours.
        retry_after: Seconds.
    """
    headers = {"Retry-After": str(math.ceil(retry_after))}
    return HTTPException(503, detail, headers=headers)
