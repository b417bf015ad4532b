"""The rules of a header, in PyJWT's order and words."""

from __future__ import annotations

from typing import Any

from fastbearer._core import json_object
from fastbearer.compat.jwt.exceptions import DecodeError, InvalidTokenError
from fastbearer.errors import MalformedTokenError

__all__ = ["HeaderRules", "header_object"]


class HeaderRules:
    """One method a member, for subclasses that replace one."""

    _supported_crit: frozenset[str] | set[str] = frozenset({"b64"})

    def _validate_headers(
        self, headers: dict[str, Any], *, encoding: bool = False
    ) -> None:
        if "kid" in headers:
            self._validate_kid(headers["kid"])
        if "crit" in headers and not encoding:
            self._validate_crit(headers)

    def _validate_kid(self, kid: Any) -> None:
        if not isinstance(kid, str):
            raise InvalidTokenError("Key ID header parameter must be a string")

    def _validate_crit(self, headers: dict[str, Any]) -> None:
        """RFC 7515 4.1.11: each must be understood, and be there."""
        critical = headers["crit"]
        if not isinstance(critical, list) or not critical:
            raise InvalidTokenError("Invalid 'crit' header: must be a non-empty list")
        for name in critical:
            if not isinstance(name, str):
                raise InvalidTokenError("Invalid 'crit' header: values must be strings")
            if name not in self._supported_crit:
                raise InvalidTokenError(f"Unsupported critical extension: {name}")
            if name not in headers:
                raise InvalidTokenError(
                    f"Critical extension '{name}' is missing from headers"
                )


def header_object(text: bytes) -> dict[str, Any]:
    """Return the members of a header.

    Raises:
        DecodeError: The header is not a strict JSON object.
    """
    try:
        return json_object(text)
    except MalformedTokenError as error:
        problem = str(error)
        if error.reason == "json_not_object":
            problem = "must be a json object"
        raise DecodeError(f"Invalid header string: {problem}") from None
