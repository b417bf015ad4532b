"""Every error that this package raises on purpose, as one tree.

Each class has a stable, machine-readable ``code``, and each refusal of the
core a ``reason``, which is as stable and says which rule it was. No message repeats a
token, a key or a password. The C core looks these classes up by name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "APIKeyPermissionError",
    "BoundTokenError",
    "ClaimError",
    "ConfigurationError",
    "ExpiredTokenError",
    "FastbearerError",
    "HasherBusyError",
    "ImmatureTokenError",
    "InactiveTokenError",
    "IntrospectionError",
    "InvalidAPIKeyError",
    "InvalidAlgorithmError",
    "InvalidAudienceError",
    "InvalidClaimError",
    "InvalidHashError",
    "InvalidIssuerError",
    "InvalidKeyError",
    "InvalidProofError",
    "InvalidSignatureError",
    "KeySourceError",
    "MalformedTokenError",
    "MissingClaimError",
    "PasswordError",
    "PasswordRuleError",
    "PasswordTooLongError",
    "RevokedTokenError",
    "StoreUnavailableError",
    "TokenError",
    "TooManyAttemptsError",
    "UnknownKeyError",
]


class FastbearerError(Exception):
    """Base of every error of this package.

    Attributes:
        code: The class's name for programs, such as ``"malformed_token"``.
        reason: The one rule that was broken, such as ``"json_not_object"``,
            where the core found it; None elsewhere. Programs compare this,
            because messages may be reworded at any time.
    """

    # The core keeps the reason here: making a dict for it would take as long as
    # everything else in a refusal.
    __slots__ = ("__weakref__", "_reason")
    code: str = "fastbearer_error"

    @property
    def reason(self) -> str | None:
        """The one rule that was broken, or None."""
        return getattr(self, "_reason", None)

    @reason.setter
    def reason(self, reason: str | None) -> None:
        self._reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Have copies keep the reason, too, which is in a slot."""
        state = dict(self.__dict__)
        if hasattr(self, "_reason"):
            state["_reason"] = self._reason
        return type(self), self.args, state


class TokenError(FastbearerError):
    """A token that was not accepted, for whatever reason."""

    code = "invalid_token"


class MalformedTokenError(TokenError):
    """Not a compact JWS (RFC 7515 7.1), or one whose JSON is not strict."""

    code = "malformed_token"


class InvalidSignatureError(TokenError):
    """The signature does not match (RFC 7515 5.2)."""

    code = "invalid_signature"


class InvalidAlgorithmError(TokenError):
    """The header's ``alg`` is not the key's one algorithm (RFC 8725 3.1)."""

    code = "invalid_algorithm"


class UnknownKeyError(TokenError):
    """The header's ``kid`` names no key of the verifier (RFC 7515 4.1.4)."""

    code = "unknown_key"


class ClaimError(TokenError):
    """The signature is right, a claim is not (RFC 7519 4.1).

    Attributes:
        claim: The name of the claim, or None where no single one is meant.
    """

    __slots__ = ("claim",)  # as the reason
    code = "claim_error"
    claim: str | None

    def __init__(self, message: str = "", claim: str | None = None) -> None:
        super().__init__(message, claim)
        self.claim = claim

    def __reduce__(self) -> tuple[Any, ...]:
        """Have copies keep the claim, too."""
        made, arguments, state = super().__reduce__()
        return made, arguments, {**state, "claim": getattr(self, "claim", None)}

    def __str__(self) -> str:
        return str(self.args[0])


class ExpiredTokenError(ClaimError):
    """The current time is on or after ``exp``, or past ``max_age``."""

    code = "expired_token"


class ImmatureTokenError(ClaimError):
    """The current time is before ``nbf`` (RFC 7519 4.1.5)."""

    code = "immature_token"


class MissingClaimError(ClaimError):
    """A claim that the verifier requires is absent or null."""

    code = "missing_claim"


class InvalidClaimError(ClaimError):
    """A claim, or the header's ``typ``, has a value that is not allowed."""

    code = "invalid_claim"


class InvalidIssuerError(ClaimError):
    """``iss`` is not one of the expected issuers (RFC 7519 4.1.1)."""

    code = "invalid_issuer"


class InvalidAudienceError(ClaimError):
    """``aud`` does not name this audience (RFC 7519 4.1.3)."""

    code = "invalid_audience"


class RevokedTokenError(TokenError):
    """A good token that was signed out, or whose user ended all sessions."""

    code = "revoked_token"
    reason: str | None = "session_ended"


class InactiveTokenError(TokenError):
    """A token that its issuer calls inactive (RFC 7662): over, revoked or unknown."""

    code = "inactive_token"


class InvalidAPIKeyError(TokenError):
    """An API key of Better Auth that was not accepted; ``reason`` says why."""

    code = "invalid_api_key"


class APIKeyPermissionError(TokenError):
    """A good API key that does not allow what was asked for."""

    code = "api_key_permission"


class BoundTokenError(TokenError):
    """A token that is bound to a key or a certificate, without the proof of it.

    Or the reverse: a token with a proof that is bound to no key, or to another one
    (RFC 9449 7.1, 7.2). ``reason`` says which.
    """

    code = "bound_token"

    def __init__(self, message: str = "", reason: str | None = None) -> None:
        super().__init__(message, reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[0])


class InvalidProofError(TokenError):
    """A proof of possession (RFC 9449 4.3) that was not accepted.

    Attributes:
        reason: The rule that was broken, such as ``"proof_replayed"``.
        nonce: The one to try again with, where a fresh one is asked for
            (RFC 9449 9); otherwise None.
    """

    code = "invalid_proof"

    def __init__(
        self, message: str = "", reason: str | None = None, nonce: str | None = None
    ) -> None:
        super().__init__(message, reason, nonce)
        self.reason = reason
        self.nonce = nonce

    def __str__(self) -> str:
        return str(self.args[0])


class InvalidKeyError(FastbearerError):
    """Key material that must not be used; the message names the rule.

    Attributes:
        member: The member of a JWK that broke it, such as ``"n"``; None for other
            forms of a key, and where no single member is meant.
    """

    code = "invalid_key"
    member: str | None = None


class KeySourceError(FastbearerError):
    """Keys that cannot be fetched at the moment: it says nothing of a token.

    Attributes:
        retry_after: Seconds until the source is asked again.
    """

    code = "key_source_unavailable"

    def __init__(self, message: str = "", retry_after: float = 0) -> None:
        super().__init__(message, retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return str(self.args[0])


class IntrospectionError(KeySourceError):
    """A token that its issuer cannot be asked about at the moment (RFC 7662)."""

    code = "introspection_unavailable"


class StoreUnavailableError(FastbearerError):
    """A store that cannot be reached at the moment, or is too busy."""

    code = "store_unavailable"


class TooManyAttemptsError(FastbearerError):
    """A limit on attempts that has been reached (RFC 6585 4).

    Attributes:
        retry_after: Seconds until another attempt may be made.
    """

    code = "too_many_attempts"

    def __init__(self, message: str = "", retry_after: float = 1) -> None:
        super().__init__(message, retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return str(self.args[0])


class PasswordError(FastbearerError):
    """A password that cannot be hashed."""

    code = "password_error"


class InvalidHashError(PasswordError):
    """A stored hash that is malformed, unknown, or too costly to verify."""

    code = "invalid_hash"


class PasswordTooLongError(PasswordError):
    """A password longer, in bytes, than the scheme or the limit allows."""

    code = "password_too_long"


class PasswordRuleError(PasswordError):
    """A password that breaks a rule of the accounts; the message names it."""

    code = "password_rule"


class HasherBusyError(PasswordError):
    """All hashing slots and the queue before them are taken: try later."""

    code = "hasher_busy"


class ConfigurationError(FastbearerError, ValueError):
    """A setting that is missing, unsafe or contradictory."""

    code = "configuration_error"
