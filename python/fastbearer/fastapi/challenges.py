"""From an error to the response: its status, text, challenge and ``Retry-After``.

The table below is the only place that knows which error is which response.
Challenges are those of RFC 6750 3 and RFC 9449 7.1.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import HTTPException

from fastbearer.errors import (
    APIKeyPermissionError,
    ExpiredTokenError,
    FastbearerError,
    HasherBusyError,
    IntrospectionError,
    InvalidAPIKeyError,
    InvalidProofError,
    KeySourceError,
    PasswordRuleError,
    RevokedTokenError,
    StoreUnavailableError,
    TokenError,
    TooManyAttemptsError,
)

__all__ = [
    "ANSWERS",
    "PLAIN",
    "Answer",
    "Challenges",
    "answer_to",
    "cross_site",
    "insufficient_scope",
    "invalid_request",
    "invalid_token",
    "missing_role",
    "not_authenticated",
    "other_user",
]

NOT_AUTHENTICATED = "Not authenticated"
EXPIRED = "Token has expired. Please sign in again."
REVOKED = "Token has been revoked. Please sign in again."
INVALID = "Invalid token"
INVALID_PROOF = "Invalid DPoP proof"
USE_NONCE = "A DPoP proof needs the nonce of this response. Please try again."
MISSING_USER_ID = "Invalid token: missing user_id"
WRONG_USER_ID = "Invalid token: user_id is not a string"
NO_KEYS = "Keys cannot be fetched at the moment. Please try again."
API_KEY = "Invalid API key"
API_KEY_PERMISSION = "The API key does not allow this"
NO_ANSWER = "Tokens cannot be checked at the moment. Please try again."
NO_STORE = "The service cannot reach its store. Please try again."
BUSY = "Too many passwords are being checked. Please try again."
TOO_MANY = "Too many attempts. Please try again later."
OTHER_USER = "User ID mismatch: You can only access your own data"
INSUFFICIENT_SCOPE = "The token lacks a scope that this needs"
MISSING_ROLE = "This needs a role that you do not have"
CROSS_SITE = "Requests with a cookie must come from this site"

RETRY_AFTER_SECONDS = 1


@dataclass(frozen=True)
class Answer:
    """The response that an error becomes.

    Attributes:
        status: The HTTP status.
        detail: A message of ours; None for the error's own, where it may be shown.
        challenge: The error code of RFC 6750 3.1, where there is a challenge; empty
            for one without, which blames no token (RFC 9110 15.5.2 asks for one).
        is_passing: Whether another attempt may succeed: then the response has
            ``Retry-After``, of the error's ``retry_after`` or one second.
        code: Stands beside the text, which is its reason, for programs to read.
    """

    status: int
    detail: str | None
    challenge: str | None = None
    is_passing: bool = False
    code: str | None = None


ANSWERS: Mapping[type[FastbearerError], Answer] = {
    TokenError: Answer(401, INVALID, challenge="invalid_token"),
    ExpiredTokenError: Answer(401, EXPIRED, challenge="invalid_token"),
    RevokedTokenError: Answer(401, REVOKED, challenge="invalid_token"),
    InvalidProofError: Answer(401, INVALID_PROOF, challenge="invalid_dpop_proof"),
    KeySourceError: Answer(503, NO_KEYS, is_passing=True),
    InvalidAPIKeyError: Answer(401, API_KEY),
    APIKeyPermissionError: Answer(403, API_KEY_PERMISSION),
    IntrospectionError: Answer(503, NO_ANSWER, is_passing=True),
    StoreUnavailableError: Answer(503, NO_STORE, is_passing=True),
    HasherBusyError: Answer(503, BUSY, is_passing=True),
    PasswordRuleError: Answer(400, None),
    TooManyAttemptsError: Answer(429, TOO_MANY, is_passing=True),
}
"""A class that is missing here has the answer of its nearest base, if any."""


@dataclass(frozen=True)
class Challenges:
    """What the challenges of one configuration say, beside the error.

    Attributes:
        resource_metadata: URL of the metadata of the resource (RFC 9728 5.1).
        scopes: What a client without a good token is to ask for (RFC 6750 3).
        proof_algorithms: The ``alg`` values of DPoP proofs (RFC 9449 7.1), where tokens
            may come after ``DPoP``.
        needs_proof: Whether they may not come after ``Bearer``.
    """

    resource_metadata: str | None = None
    scopes: tuple[str, ...] = ()
    proof_algorithms: tuple[str, ...] = ()
    needs_proof: bool = False

    def text(self, error: str, scopes: Sequence[str], *, is_proven: bool) -> str:
        """Return the value of ``WWW-Authenticate``.

        RFC 6750 3 asks for at least one parameter after ``Bearer``. The error belongs
        to the scheme that the client has used; the other only says that it may be used,
        too (RFC 9449 7.2).

        Args:
            error: The parameters that tell of it, or "".
            scopes: What a client is to ask for.
            is_proven: Whether the token came after ``DPoP``.
        """
        more = f', scope="{" ".join(scopes)}"' if scopes else ""
        if self.resource_metadata is not None:
            more += f', resource_metadata="{self.resource_metadata}"'
        algorithms = f', algs="{" ".join(self.proof_algorithms)}"'
        bearer, dpop = 'Bearer realm="fastbearer"', 'DPoP realm="fastbearer"'
        if not self.proof_algorithms:
            return bearer + error + more
        if self.needs_proof:
            return dpop + error + more + algorithms
        if is_proven:
            error_of_bearer, error_of_dpop = "", error
        else:
            error_of_bearer, error_of_dpop = error, ""
        return (
            f"{bearer}{error_of_bearer}{more}, {dpop}{error_of_dpop}{more}{algorithms}"
        )


PLAIN = Challenges()


def answer_to(
    error: FastbearerError,
    detail: str | None = None,
    challenges: Challenges = PLAIN,
    *,
    is_proven: bool = False,
    answers: Mapping[type[FastbearerError], Answer] = ANSWERS,
) -> HTTPException:
    """Return the response to an error, to be raised from it.

    Args:
        error: Of a class in the table, or of one derived from it.
        detail: In place of the table's text.
        challenges: What challenges say.
        is_proven: Whether the token came after ``DPoP``.
        answers: A table that is asked before the common one.

    Raises:
        FastbearerError: ``error`` itself, where the table has no answer: then it
            is a mistake of the server, not something to tell a client.
    """
    bases = (answers.get(one, ANSWERS.get(one)) for one in type(error).__mro__)
    answer = next(filter(None, bases), None)
    if answer is None:
        raise error
    nonce = getattr(error, "nonce", None)
    if nonce is not None:
        refusal = _refusal(401, USE_NONCE, "use_dpop_nonce", challenges, is_proven=True)
        refusal.headers = {**(refusal.headers or {}), "DPoP-Nonce": nonce}
        return refusal
    text = detail or answer.detail or str(error)
    if answer.challenge is not None:
        scopes = challenges.scopes
        return _refusal(
            answer.status,
            text,
            answer.challenge or None,
            challenges,
            scopes if answer.challenge else (),
            is_proven,
        )
    if answer.code is not None:
        told = {"code": answer.code, "reason": text}
        return HTTPException(answer.status, told)
    if not answer.is_passing:
        return HTTPException(answer.status, text)
    seconds = math.ceil(getattr(error, "retry_after", RETRY_AFTER_SECONDS))
    return HTTPException(answer.status, text, headers={"Retry-After": str(seconds)})


def _refusal(
    status: int,
    detail: str,
    error: str | None = None,
    challenges: Challenges = PLAIN,
    scopes: Sequence[str] = (),
    is_proven: bool = False,
) -> HTTPException:
    """Return a refusal with its challenge.

    RFC 6750 3 asks for no error code when no credentials came.

    Args:
        status: The HTTP status.
        detail: A message of ours; never anything that was sent.
        error: The error code of RFC 6750 3.1 or RFC 9449 7.1.
        challenges: What challenges say.
        scopes: What the client is to ask for.
        is_proven: Whether the token came after ``DPoP``.
    """
    about = ""
    if error is not None:
        about = f', error="{error}", error_description="{detail}"'
    text = challenges.text(about, scopes, is_proven=is_proven)
    return HTTPException(status, detail, headers={"WWW-Authenticate": text})


def not_authenticated(
    challenges: Challenges = PLAIN, scopes: Sequence[str] = ()
) -> HTTPException:
    """Return the 401 of a request without credentials.

    Args:
        challenges: What challenges say.
        scopes: What the client is to ask for, in place of the usual.
    """
    return _refusal(
        401, NOT_AUTHENTICATED, None, challenges, scopes or challenges.scopes
    )


def invalid_token(detail: str) -> HTTPException:
    """Return the 401 of a token that is not accepted."""
    return _refusal(401, detail, "invalid_token")


def invalid_request(detail: str, challenges: Challenges = PLAIN) -> HTTPException:
    """Return the 400 of credentials that contradict each other."""
    return _refusal(400, detail, "invalid_request", challenges)


def other_user(
    challenges: Challenges = PLAIN, *, is_proven: bool = False
) -> HTTPException:
    """Return the 403 of a path that belongs to another user."""
    return _refusal(
        403, OTHER_USER, "insufficient_scope", challenges, is_proven=is_proven
    )


def insufficient_scope(
    scopes: Sequence[str], challenges: Challenges = PLAIN, *, is_proven: bool = False
) -> HTTPException:
    """Return the 403 of a token that lacks one of these scopes."""
    return _refusal(
        403, INSUFFICIENT_SCOPE, "insufficient_scope", challenges, scopes, is_proven
    )


def missing_role() -> HTTPException:
    """Return the 403 of a user who has none of the roles that are needed.

    There is no challenge: another token would have no other (RFC 6750 3.1 has errors
    of scopes alone).
    """
    return HTTPException(403, MISSING_ROLE)


def cross_site() -> HTTPException:
    """Return the 403 of a cookie that another site may have sent."""
    return HTTPException(403, CROSS_SITE)
