"""The rules of claims, in PyJWT's order and words."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import timedelta
from typing import Any

from fastbearer.compat._shared import clock
from fastbearer.compat.jwt.exceptions import (
    DecodeError,
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuedAtError,
    InvalidIssuerError,
    InvalidJTIError,
    InvalidSubjectError,
    InvalidTokenError,
    MissingRequiredClaimError,
)
from fastbearer.compat.jwt.types import FullOptions

__all__ = ["ClaimRules"]

Claims = dict[str, Any]


class ClaimRules:
    """One method a claim, for subclasses that replace one."""

    def _validate_claims(
        self,
        payload: Claims,
        options: FullOptions,
        audience: Iterable[str] | str | None = None,
        issuer: Container[str] | str | None = None,
        subject: str | None = None,
        leeway: float | timedelta = 0,
    ) -> None:
        if isinstance(leeway, timedelta):
            leeway = leeway.total_seconds()
        check_audience_argument(audience)
        self._validate_required_claims(payload, options["require"])
        now = clock.now()
        if "iat" in payload and options["verify_iat"]:
            self._validate_iat(payload, now, leeway)
        if "nbf" in payload and options["verify_nbf"]:
            self._validate_nbf(payload, now, leeway)
        if "exp" in payload and options["verify_exp"]:
            self._validate_exp(payload, now, leeway)
        if options["verify_iss"]:
            self._validate_iss(payload, issuer)
        if options["verify_aud"]:
            strict = options.get("strict_aud", False)
            self._validate_aud(payload, audience, strict=strict)
        if options["verify_sub"]:
            self._validate_sub(payload, subject)
        if options["verify_jti"]:
            self._validate_jti(payload)

    def _validate_required_claims(self, payload: Claims, claims: Iterable[str]) -> None:
        for claim in claims:
            if payload.get(claim) is None:
                raise MissingRequiredClaimError(claim)

    def _validate_iat(self, payload: Claims, now: float, leeway: float) -> None:
        iat = _seconds(payload["iat"], InvalidIssuedAtError, "Issued At claim (iat)")
        if iat > now + leeway:
            raise ImmatureSignatureError("The token is not yet valid (iat)")

    def _validate_nbf(self, payload: Claims, now: float, leeway: float) -> None:
        nbf = _seconds(payload["nbf"], DecodeError, "Not Before claim (nbf)")
        if nbf > now + leeway:
            raise ImmatureSignatureError("The token is not yet valid (nbf)")

    def _validate_exp(self, payload: Claims, now: float, leeway: float) -> None:
        exp = _seconds(payload["exp"], DecodeError, "Expiration Time claim (exp)")
        if exp <= now - leeway:
            raise ExpiredSignatureError("Signature has expired")

    def _validate_iss(
        self, payload: Claims, issuer: Container[str] | str | None
    ) -> None:
        if issuer is None:
            return
        if "iss" not in payload:
            raise MissingRequiredClaimError("iss")
        iss = payload["iss"]
        if not isinstance(iss, str):
            raise InvalidIssuerError("Payload Issuer (iss) must be a string")
        try:
            found = iss == issuer if isinstance(issuer, str) else iss in issuer
        except TypeError:
            raise InvalidIssuerError(
                'Issuer param must be "str" or "Container[str]"'
            ) from None
        if not found:
            raise InvalidIssuerError("Invalid issuer")

    def _validate_aud(
        self,
        payload: Claims,
        audience: str | Iterable[str] | None,
        *,
        strict: bool = False,
    ) -> None:
        found = payload.get("aud")
        if audience is None and found:
            raise InvalidAudienceError("Invalid audience")
        if audience is None:
            return
        if not found:
            raise MissingRequiredClaimError("aud")
        if strict:
            _match_exactly(found, audience)
        else:
            _match_any(found, audience)

    def _validate_sub(self, payload: Claims, subject: str | None = None) -> None:
        if "sub" not in payload:
            return
        if not isinstance(payload["sub"], str):
            raise InvalidSubjectError("Subject must be a string")
        if subject is not None and payload["sub"] != subject:
            raise InvalidSubjectError("Invalid subject")

    def _validate_jti(self, payload: Claims) -> None:
        if "jti" in payload and not isinstance(payload["jti"], str):
            raise InvalidJTIError("JWT ID must be a string")


def check_audience_argument(audience: Any) -> None:
    """Refuse what can be no audience.

    Raises:
        TypeError: The value is of another type.
    """
    if audience is not None and not isinstance(audience, (str, Iterable)):
        raise TypeError("audience must be a string, iterable or None")


def _seconds(value: Any, error: type[InvalidTokenError], name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise error(f"{name} must be an integer.") from None


def _match_exactly(found: Any, audience: str | Iterable[str]) -> None:
    if not isinstance(audience, str):
        raise InvalidAudienceError("Invalid audience (strict)")
    if not isinstance(found, str):
        raise InvalidAudienceError("Invalid claim format in token (strict)")
    if found != audience:
        raise InvalidAudienceError("Audience doesn't match (strict)")


def _match_any(found: Any, audience: str | Iterable[str]) -> None:
    names = [found] if isinstance(found, str) else found
    if not isinstance(names, list) or any(not isinstance(one, str) for one in names):
        raise InvalidAudienceError("Invalid claim format in token")
    wanted = [audience] if isinstance(audience, str) else audience
    if not any(one in names for one in wanted):
        raise InvalidAudienceError("Audience doesn't match")
