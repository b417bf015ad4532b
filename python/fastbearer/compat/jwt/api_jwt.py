"""Tokens with claims (RFC 7519)."""

from __future__ import annotations

import json
import warnings
from calendar import timegm
from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from fastbearer._core import json_object
from fastbearer.compat._shared import clock
from fastbearer.compat.jwt import exceptions
from fastbearer.compat.jwt._claims import ClaimRules, check_audience_argument
from fastbearer.compat.jwt._short_way import claims_of, token_of
from fastbearer.compat.jwt.api_jws import (
    UNSET,
    PyJWS,
    _jws_global_obj,
    warn_of_arguments,
)
from fastbearer.compat.jwt.exceptions import DecodeError
from fastbearer.compat.jwt.types import FullOptions, Options, SigOptions
from fastbearer.errors import MalformedTokenError

__all__ = ["PyJWT", "decode", "decode_complete", "encode"]

DATES = ("exp", "iat", "nbf")
# Options of what is checked after the core has done its part.
AFTERWARDS = frozenset(
    ("verify_aud", "verify_iss", "verify_sub", "verify_jti", "require", "strict_aud")
)
CHECKS = (
    *("verify_exp", "verify_nbf", "verify_iat", "verify_aud"),
    *("verify_iss", "verify_sub", "verify_jti"),
)
VERIFY_DOES_NOTHING = (
    "The `verify` argument to `decode` does nothing in PyJWT 2.0 and newer. The"
    " equivalent is setting `verify_signature` to False in the `options` dictionary."
    " This invocation has a mismatch between the kwarg and the option entry."
)
DEFAULTS: FullOptions = {
    "verify_signature": True,
    "verify_exp": True,
    "verify_nbf": True,
    "verify_iat": True,
    "verify_aud": True,
    "verify_iss": True,
    "verify_sub": True,
    "verify_jti": True,
    "require": [],
    "strict_aud": False,
    "enforce_minimum_key_length": False,
}


class PyJWT(ClaimRules):
    """Signs and verifies claims, with options of its own.

    Args:
        options: In place of the defaults.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options: FullOptions = self._get_default_options()
        if options is not None:
            self.options = self._merge_options(options)
        self._jws = PyJWS(options=self._get_sig_options())

    @staticmethod
    def _get_default_options() -> FullOptions:
        return {**DEFAULTS, "require": []}

    def _get_sig_options(self) -> SigOptions:
        return {
            "verify_signature": self.options["verify_signature"],
            "enforce_minimum_key_length": self.options.get(
                "enforce_minimum_key_length", False
            ),
        }

    def _merge_options(self, options: Options | None = None) -> FullOptions:
        if options is None:
            return self.options
        given: Any = dict(options)
        if not given.get("verify_signature", True):
            given = {**dict.fromkeys(CHECKS, False), **given}
        return {**self.options, **given}

    def _is_usual(self) -> bool:
        """Tell whether the strict core can stand in for every method."""
        return (
            type(self) is PyJWT
            and self._jws.has_default_algorithms
            and type(self._jws) is PyJWS
            and self.options == DEFAULTS
        )

    # --- signing -----------------------------------------------------------------

    def encode(
        self,
        payload: dict[str, Any],
        key: Any,
        algorithm: str | None = UNSET,
        headers: dict[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        sort_headers: bool = True,
    ) -> str:
        """Return a signed token.

        A datetime in ``exp``, ``iat`` or ``nbf`` becomes seconds; one without a
        zone counts as UTC.

        Args:
            payload: The claims.
            key: A secret, PEM, key object or PyJWK.
            algorithm: By default the PyJWK's, else HS256; None for no signature.
            headers: More members of the header; its ``alg`` is the one that signs.
            json_encoder: For claims and header.
            sort_headers: Sorts the members of the header by name.

        Raises:
            InvalidKeyError: The key cannot be used.
            InvalidTokenError: A member of ``headers`` is wrong.
            NotImplementedError: The algorithm is not known.
            TypeError: The claims are no dict, or a value is nothing for JSON.
        """
        if not isinstance(payload, dict):
            raise TypeError(
                "Expecting a dict object, as JWT only supports JSON objects as"
                " payloads."
            )
        if not isinstance(payload.get("iss", ""), str):
            raise TypeError("Issuer (iss) must be a string.")
        if not headers and json_encoder is None and sort_headers and self._is_usual():
            name = "HS256" if algorithm is UNSET else algorithm
            token = token_of(payload, key, name)
            if token is not None:
                return token
        dates = {
            name: timegm(payload[name].utctimetuple())
            for name in DATES
            if isinstance(payload.get(name), datetime)
        }
        text = self._encode_payload({**payload, **dates}, headers, json_encoder)
        return self._jws.encode(
            text, key, algorithm, headers, json_encoder, sort_headers=sort_headers
        )

    def _encode_payload(
        self,
        payload: dict[str, Any],
        headers: dict[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
    ) -> bytes:
        """Return the claims as bytes; subclasses may compress them."""
        return json.dumps(payload, separators=(",", ":"), cls=json_encoder).encode()

    # --- verifying ---------------------------------------------------------------

    def decode_complete(
        self,
        jwt: str | bytes,
        key: Any = "",
        algorithms: Sequence[str] | None = None,
        options: Options | None = None,
        verify: bool | None = None,
        detached_payload: bytes | None = None,
        audience: str | Iterable[str] | None = None,
        issuer: str | Container[str] | None = None,
        subject: str | None = None,
        leeway: float | timedelta = 0,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return ``payload``, ``header`` and ``signature``; the rest as in `decode`."""
        if kwargs:
            warn_of_arguments("decode_complete", kwargs)
        is_verified = True
        if options is not None:
            is_verified = options.get("verify_signature", True)
        if verify is not None and verify != is_verified:
            warnings.warn(VERIFY_DOES_NOTHING, DeprecationWarning, stacklevel=2)
        merged = self._merge_options(options)
        decoded = self._jws.decode_complete(
            jwt,
            key=key,
            algorithms=algorithms,
            options={
                "verify_signature": is_verified,
                "enforce_minimum_key_length": merged.get(
                    "enforce_minimum_key_length", False
                ),
            },
            detached_payload=detached_payload,
        )
        payload = self._decode_payload(decoded)
        self._validate_claims(
            payload,
            merged,
            audience=audience,
            issuer=issuer,
            leeway=leeway,
            subject=subject,
        )
        return {**decoded, "payload": payload}

    def decode(
        self,
        jwt: str | bytes,
        key: Any = "",
        algorithms: Sequence[str] | None = None,
        options: Options | None = None,
        verify: bool | None = None,
        detached_payload: bytes | None = None,
        audience: str | Iterable[str] | None = None,
        subject: str | None = None,
        issuer: str | Container[str] | None = None,
        leeway: float | timedelta = 0,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the claims of a token, once all that they promise is checked.

        Args:
            jwt: The token.
            key: A secret, PEM, key object or PyJWK.
            algorithms: The names that its header may have; of a PyJWK its own.
            options: See `fastbearer.compat.jwt.types.Options`.
            verify: Does nothing.
            detached_payload: The payload, where it is not in the token (RFC 7797).
            audience: The ``aud`` that it must have, or several; without it, it must
                have none.
            subject: The ``sub`` that it must have, if it has one.
            issuer: The ``iss`` that it must have, or several.
            leeway: Seconds, or a timedelta, by which clocks may differ.
            **kwargs: Not used; there is a warning.

        Raises:
            InvalidTokenError: The token was not accepted; the class says why.
            InvalidKeyError: The key cannot be used.
        """
        if kwargs:
            warn_of_arguments("decode", kwargs)
        elif verify is None and self._is_usual() and _is_plain(options, leeway):
            claims = claims_of(jwt, key, algorithms)
            if claims is not None and detached_payload is None:
                if options is None:
                    self._validate_rest(claims, audience, subject, issuer)
                else:
                    self._validate_claims(
                        claims, self._merge_options(options), audience, issuer, subject
                    )
                return claims
        payload: dict[str, Any] = self.decode_complete(
            jwt,
            key,
            algorithms,
            options,
            verify=verify,
            detached_payload=detached_payload,
            audience=audience,
            subject=subject,
            issuer=issuer,
            leeway=leeway,
        )["payload"]
        return payload

    def _validate_rest(
        self,
        claims: dict[str, Any],
        audience: str | Iterable[str] | None,
        subject: str | None,
        issuer: str | Container[str] | None,
    ) -> None:
        """Check what the core does not; a fraction of ``exp`` does not count here."""
        if audience is not None:
            check_audience_argument(audience)
        if "iat" in claims and not claims["iat"] <= (now := clock.now()):
            self._validate_iat(claims, now, 0)
        if isinstance(claims.get("exp"), float):
            self._validate_exp(claims, clock.now(), 0)
        if issuer is not None:
            self._validate_iss(claims, issuer)
        if audience is not None or "aud" in claims:
            self._validate_aud(claims, audience)
        if "sub" in claims:
            self._validate_sub(claims, subject)
        if "jti" in claims:
            self._validate_jti(claims)

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        """Return the claims of bytes; subclasses may decompress them."""
        try:
            return json_object(decoded["payload"])
        except MalformedTokenError as error:
            problem = str(error)
            if error.reason == "json_not_object":
                problem = "must be a json object"
            raise DecodeError(f"Invalid payload string: {problem}") from None


def _is_plain(options: Options | None, leeway: Any) -> bool:
    """Tell whether nothing of what the core checks is to be left out."""
    return leeway == 0 and (
        options is None or (type(options) is dict and options.keys() <= AFTERWARDS)
    )


def __getattr__(name: str) -> Any:
    """Return an error: PyJWT's module has their names, too."""
    if name in exceptions.__all__:
        return getattr(exceptions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_jwt_global_obj = PyJWT()
_jwt_global_obj._jws = _jws_global_obj  # noqa: SLF001 - one register for all
encode = _jwt_global_obj.encode
decode_complete = _jwt_global_obj.decode_complete
decode = _jwt_global_obj.decode
